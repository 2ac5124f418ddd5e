"""Keeping the beat, in virtual time: what reaches the session, the outs and the metronome."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from duet.clock import CLOCK, CONTINUE, POSITION, START, STOP, TICKS, ClockIn
from duet.conductor import Conductor, Outlets
from duet.news import Beat, News
from duet.tempo import Tempo
from duet.virtual_time import run


class Room:
    """Everybody who is told the beat."""

    def __init__(self) -> None:
        self.tempos: list[Tempo | None] = []
        self.stops = 0
        self.news: list[News] = []
        self.sent: list[tuple[float, Sequence[int]]] = []
        self.clicks: list[tuple[float, bool]] = []
        self.outlets = Outlets(
            self.tempos.append, self._stop, self.news.append, self._send, self._drop, self._click
        )

    def _stop(self) -> None:
        self.stops += 1

    def _send(self, message: Sequence[int], time: float) -> None:
        self.sent.append((time, message))

    def _drop(self) -> None:
        now = asyncio.get_running_loop().time()
        self.sent = [item for item in self.sent if item[0] <= now]

    def _click(self, time: float, accent: bool) -> None:
        self.clicks.append((time, accent))

    def ticks(self) -> list[float]:
        return [time for time, message in self.sent if message[0] == CLOCK]

    def kinds(self) -> list[int]:
        return [message[0] for _, message in self.sent if message[0] != CLOCK]

    def beats(self) -> list[Beat]:
        return [item for item in self.news if isinstance(item, Beat)]


def conduct(
    story: Callable[[Conductor], "asyncio.Future[None] | object"],
    source: ClockIn | None = None,
    bpm: float | None = None,
    metronome: bool = False,
) -> Room:
    """A conductor through a story of its own making."""
    room = Room()

    async def main() -> None:
        conductor = Conductor(source, bpm, metronome, room.outlets)
        running = asyncio.create_task(conductor.run())
        await story(conductor)  # type: ignore[misc]
        running.cancel()
        conductor.close()

    run(main())
    return room


async def send_clock(conductor: Conductor, bpm: float, beats: float) -> None:
    """Ticks as a sequencer sends them."""
    for _ in range(round(beats * TICKS)):
        conductor.hear((CLOCK,), asyncio.get_running_loop().time())
        await asyncio.sleep(60 / bpm / TICKS)


def test_our_own_clock_starts_ticks_evenly_and_stops() -> None:
    async def story(conductor: Conductor) -> None:
        await asyncio.sleep(4.0)

    room = conduct(story, bpm=120, metronome=True)
    assert room.kinds() == [START, STOP]
    assert [b - a for a, b in pairwise(room.ticks())] == pytest.approx(
        [60 / 120 / TICKS] * (len(room.ticks()) - 1)
    )
    assert [accent for _, accent in room.clicks[:5]] == [True, False, False, False, True]
    assert [time for time, _ in room.clicks] == pytest.approx(room.ticks()[::TICKS][: len(room.clicks)])
    assert [beat.number for beat in room.beats()] == list(range(len(room.clicks)))


def test_a_clock_that_is_not_asked_for_does_not_run() -> None:
    async def story(conductor: Conductor) -> None:
        await asyncio.sleep(2.0)

    room = conduct(story)
    assert room.sent == [] and room.beats() == [] and room.tempos == []


def test_a_followed_clock_is_passed_on_smoothly_from_where_it_is_and_stops_with_it() -> None:
    async def story(conductor: Conductor) -> None:
        now = asyncio.get_running_loop().time
        conductor.hear((POSITION, 16, 0), now())
        conductor.hear((CONTINUE,), now())
        await send_clock(conductor, 100, 6)
        conductor.hear((STOP,), now())
        await asyncio.sleep(1.0)

    room = conduct(story, ClockIn())
    assert room.kinds() == [POSITION, CONTINUE, STOP]
    assert room.stops == 1
    assert room.tempos[-1] is None
    assert [b - a for a, b in pairwise(room.ticks())] == pytest.approx(
        [0.025] * (len(room.ticks()) - 1), abs=1e-4
    )
    assert room.beats()[0].number == 5, "the song position was a bar on, and a beat goes to finding the tempo"
    assert room.beats()[-1].bpm == pytest.approx(100)


def test_a_source_that_dies_without_a_word_stops_the_answer_too() -> None:
    async def story(conductor: Conductor) -> None:
        conductor.hear((START,), asyncio.get_running_loop().time())
        await send_clock(conductor, 120, 4)
        await asyncio.sleep(3.0)

    room = conduct(story, ClockIn())
    assert room.stops == 1
    assert room.kinds()[-1] == STOP


def test_a_change_of_tempo_keeps_the_place_in_the_bar_and_loses_no_tick() -> None:
    async def story(conductor: Conductor) -> None:
        await asyncio.sleep(2.3)
        conductor.set_bpm(90)
        await asyncio.sleep(2.0)

    room = conduct(story, bpm=120)
    gaps = [b - a for a, b in pairwise(room.ticks())]
    assert max(gaps) < 0.12
    assert gaps[-1] == pytest.approx(60 / 90 / TICKS)
    assert len(room.beats()) == len({beat.number for beat in room.beats()})


def test_taps_set_tempo_and_beat() -> None:
    taps: list[float] = []

    async def story(conductor: Conductor) -> None:
        for _ in range(5):
            taps.append(asyncio.get_running_loop().time())
            conductor.tap(taps[-1])
            await asyncio.sleep(0.4)

    room = conduct(story)
    tempo = room.tempos[-1]
    assert tempo is not None
    assert tempo.bpm == pytest.approx(150)
    assert tempo.beat_at(taps[-1]) == pytest.approx(round(tempo.beat_at(taps[-1])))


def test_the_tempo_of_a_followed_clock_is_not_ours_to_set() -> None:
    async def story(conductor: Conductor) -> None:
        with pytest.raises(ValueError, match="--clock"):
            conductor.set_bpm(90)
        conductor.tap(1.0)

    conduct(story, ClockIn())
