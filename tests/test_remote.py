"""A partner and a voice in another process: a real pipe, a real ring, the process's own code on a thread."""

import asyncio
import multiprocessing
import threading
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duet import remote
from duet.errors import CheckpointError, DuetError
from duet.models_process import serve_partner
from duet.note import Event, NoteOff, NoteOn
from duet.ports import Block, Timeline
from duet.remote import Failed, Load, Loaded, Pulse, Record, RemoteSeat, RemoteVoice
from duet.request import Request
from duet.ring import Ring
from duet.singer import Singer
from duet.wire import Wire
from tests.fakes import EchoPartner, ToneVoice

ANSWER = [NoteOn(0.0, 60, 80), NoteOff(0.5, 60)]


@asynccontextmanager
async def seated(load: Callable[[str], Any]) -> AsyncIterator[tuple[RemoteSeat, "asyncio.Queue[Any]"]]:
    """A seat whose partner is served on a thread; the queue gets what is not an answer."""
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=serve_partner, args=(theirs, load, "first"))
    thread.start()
    seat, other = RemoteSeat(), asyncio.Queue[Any]()

    def deliver(item: Any) -> None:
        if getattr(item, "turn", 0):
            seat.deliver(item)
        else:
            other.put_nowait(item)

    seat.wire = Wire(ours, deliver, lambda: seat.fail("gone"))
    try:
        yield seat, other
    finally:
        seat.wire.close()
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive()


async def answer_of(seat: RemoteSeat, turn: int) -> list[Any]:
    return [event async for event in seat.respond(Request(turn, 2.0))]


async def test_it_hears_and_answers_as_a_local_one_does() -> None:
    partner = EchoPartner(ANSWER)
    async with seated(lambda name: partner) as (seat, other):
        assert await other.get() == Loaded("first", ("plain", "fancy"))
        seat.hear(NoteOn(9.0, 60, 80))
        assert await answer_of(seat, 1) == ANSWER
        assert partner.heard == [NoteOn(9.0, 60, 80)]


async def test_an_interrupted_answer_is_cut_and_what_was_late_is_dropped() -> None:
    partner = EchoPartner([NoteOn(0.01 * k, k % 88 + 20, 80) for k in range(5000)])
    async with seated(lambda name: partner) as (seat, other):
        await other.get()
        async for _ in seat.respond(Request(1, 2.0)):
            break
        seat.cut(0.25)
        partner.answer = ANSWER
        assert await answer_of(seat, 2) == ANSWER
        assert partner.cuts == [0.25]


async def test_composing_runs_a_few_seconds_ahead_and_no_further() -> None:
    partner = EchoPartner([NoteOn(float(second), 60 + second, 80) for second in range(20)])
    arrived = []
    async with seated(lambda name: partner) as (seat, other):
        await other.get()

        async def listen() -> None:
            async for event in seat.respond(Request(1, 2.0)):
                arrived.append(event.time)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listen(), 0.6)
        seat.cut(0.3)
    assert arrived == [0.0, 1.0, 2.0, 3.0, 4.0], "the first that is too far ahead is sent, then it waits"


async def test_a_partner_that_raises_ends_one_answer_and_plays_the_next() -> None:
    class Moody(EchoPartner):
        def respond(self, request: Request):  # type: ignore[no-untyped-def]
            if request.turn == 1:
                raise RuntimeError("no inspiration")
            return super().respond(request)

    async with seated(lambda name: Moody(ANSWER)) as (seat, _):
        with pytest.raises(DuetError, match="no inspiration"):
            await answer_of(seat, 1)
        assert await answer_of(seat, 2) == ANSWER


async def test_a_partner_that_cannot_be_loaded_leaves_the_old_one_in_its_seat() -> None:
    def load(name: str) -> EchoPartner:
        if name == "first":
            return EchoPartner(ANSWER)
        raise CheckpointError(f"{name}: no such weights")

    async with seated(load) as (seat, other):
        assert isinstance(await other.get(), Loaded)
        assert seat.wire is not None
        seat.wire.send(Load("missing"))
        assert await other.get() == Failed("missing: no such weights")
        assert await answer_of(seat, 1) == ANSWER


async def test_a_process_that_dies_ends_the_answer_under_way() -> None:
    ours, theirs = multiprocessing.Pipe()
    seat = RemoteSeat()
    seat.wire = Wire(ours, seat.deliver, lambda: seat.fail("the models' process died"))
    answering = asyncio.create_task(answer_of(seat, 1))
    await asyncio.to_thread(theirs.recv)
    theirs.close()
    with pytest.raises(DuetError, match="process died"):
        await answering
    seat.wire.close()


async def test_a_process_that_stalls_ends_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "STALL", 0.05)
    ours, theirs = multiprocessing.Pipe()
    seat = RemoteSeat()
    seat.wire = Wire(ours, seat.deliver, lambda: None)
    with pytest.raises(DuetError, match="said nothing"):
        await answer_of(seat, 1)
    seat.wire.close()
    theirs.close()


async def test_the_voice_sings_into_the_ring_and_a_cut_silences_it() -> None:
    ours, theirs = multiprocessing.Pipe()
    ring = Ring(1000)
    other: asyncio.Queue[Any] = asyncio.Queue()
    thread = threading.Thread(target=Singer(theirs, ring, 20, lambda name: ToneVoice()).serve, args=("tone",))
    thread.start()
    voice = RemoteVoice(ring)
    voice.wire = Wire(ours, other.put_nowait, lambda: None)
    assert await asyncio.wait_for(other.get(), 5) == Loaded("tone", delay=0.03)

    async def listen(until: Callable[[np.ndarray], bool]) -> bool:
        """Play the device: 20 samples each 20 ms."""
        loop = asyncio.get_running_loop()
        end = loop.time() + 5
        out = np.zeros((20, 1), np.float32)
        while loop.time() < end:
            ring.read_into(out)
            if until(out):
                return True
            await asyncio.sleep(0.02)
        return False

    await listen(lambda out: ring.clock[0] > 60)
    voice.send(NoteOn(asyncio.get_running_loop().time(), 60, 80))
    assert await listen(lambda out: bool(out.all()))
    voice.silence()
    ring.read_into(np.zeros((20, 1), np.float32))
    for _ in range(5):
        out = np.ones((20, 1), np.float32)
        ring.read_into(out)
        assert not out.any()
        await asyncio.sleep(0.02)
    voice.send(NoteOn(asyncio.get_running_loop().time(), 62, 80))
    assert await listen(lambda out: bool(out.all())), "and sings again"
    voice.wire.close()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
    ring.close()


async def test_what_the_voice_plays_is_recorded_where_its_notes_lie(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    ring, other = Ring(1000), asyncio.Queue[Any]()
    singer = Singer(theirs, ring, 20, lambda name: ToneVoice())
    thread = threading.Thread(target=singer.serve, args=("tone",))
    thread.start()
    voice = RemoteVoice(ring)
    wire = voice.wire = Wire(ours, other.put_nowait, lambda: None)
    await asyncio.wait_for(other.get(), 5)
    loop = asyncio.get_running_loop()
    zero = loop.time()
    wire.send(Record(tmp_path / "a.wav", zero))
    out, early = np.zeros((20, 1), np.float32), 0.02
    began = loop.time()
    for step in range(75):  # the device: 20 samples each 20 ms
        if step == 5:
            voice.tell_early(early)
            voice.send(NoteOn(began + 0.5 - early, 60, 80))
            voice.send(NoteOff(began + 0.6 - early, 60))
        if step == 33:
            voice.tell_early(0.0)
            voice.send(NoteOn(began + 1.0, 60, 80))
        if step == 60:
            voice.silence()
        ring.read_into(out)
        await asyncio.sleep(max(0.0, began + 0.02 * (step + 1) - loop.time()))
    voice.wire.close()
    await asyncio.to_thread(thread.join, 5)
    ring.close()
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getframerate() == 1000
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)[:, 0]
    changes = np.flatnonzero(np.diff(sound != 0)) / 1000 - (began - zero)
    block = 0.010 + 2 * 0.001  # and a sample at either end, both rounded down
    assert changes[:3] == pytest.approx([0.5, 0.6, 1.0], abs=block + 1e-4), (
        "as the notes lie, whatever their delay"
    )
    end = len(np.trim_zeros(sound, "b")) / 1000 - (began - zero)
    assert end == pytest.approx(1.2 - 0.03, abs=0.1), "the barge-in cuts it"


async def test_a_partner_that_fails_in_listening_begins_afresh_and_still_answers() -> None:
    class Deaf(EchoPartner):
        def hear(self, event: Event) -> None:
            if event.time == 13.0:
                raise RuntimeError("what was that")
            super().hear(event)

    async with seated(lambda name: Deaf(ANSWER)) as (seat, other):
        assert isinstance(await other.get(), Loaded)
        seat.hear(NoteOn(13.0, 60, 80))
        failed = await asyncio.wait_for(other.get(), 5)
        assert isinstance(failed, Failed)
        assert "what was that" in failed.text
        assert failed.turn == 0
        assert await answer_of(seat, 1) == ANSWER


async def test_a_voice_that_can_become_another_does_so_without_a_break() -> None:
    class Chameleon(ToneVoice):
        def blend(self, name: str) -> bool:
            return name == "tone:0.5,other:0.5"

    loaded: list[str] = []

    def load(name: str) -> Chameleon:
        loaded.append(name)
        return Chameleon()

    ours, theirs = multiprocessing.Pipe()
    ring = Ring(1000)
    other: asyncio.Queue[Any] = asyncio.Queue()
    thread = threading.Thread(target=Singer(theirs, ring, 20, load).serve, args=("tone",))
    thread.start()
    wire = Wire(ours, other.put_nowait, lambda: None)
    await asyncio.wait_for(other.get(), 5)
    wire.send(Load("tone:0.5,other:0.5"))
    while await asyncio.wait_for(other.get(), 5) != Loaded("tone:0.5,other:0.5", delay=0.03):
        pass
    assert loaded == ["tone"], "nothing was loaded anew"
    wire.send(Load("sine"))
    while await asyncio.wait_for(other.get(), 5) != Loaded("sine", delay=0.03):
        pass
    assert loaded == ["tone", "sine"]
    wire.close()
    await asyncio.to_thread(thread.join, 5)
    ring.close()


async def test_a_voice_that_fails_says_so_and_sings_the_next_note() -> None:
    class Hoarse(ToneVoice):
        broke = 0

        def render(self, timeline: Timeline) -> Iterator[Block]:
            for block in super().render(timeline):
                if block.any() and self.broke < 1 and self.warm:
                    self.broke += 1
                    raise ZeroDivisionError("division by zero")
                yield block

        warm = False

    hoarse = Hoarse()
    ours, theirs = multiprocessing.Pipe()
    ring = Ring(1000)
    other: asyncio.Queue[Any] = asyncio.Queue()
    thread = threading.Thread(target=Singer(theirs, ring, 50, lambda name: hoarse).serve, args=("tone",))
    thread.start()
    voice = RemoteVoice(ring)
    voice.wire = Wire(ours, other.put_nowait, lambda: None)
    assert await asyncio.wait_for(other.get(), 5) == Loaded("tone", delay=pytest.approx(0.06))
    hoarse.warm = True
    loop, out, heard = asyncio.get_running_loop(), np.zeros((20, 1), np.float32), False
    for step in range(150):
        if step in (5, 60):
            voice.send(NoteOn(loop.time(), 60, 80))
        ring.read_into(out)
        heard = heard or bool(out.any())
        await asyncio.sleep(0.02)
    failed = [other.get_nowait() for _ in range(other.qsize())]
    assert [type(item) for item in failed if isinstance(item, Failed)] == [Failed]
    assert heard
    voice.wire.close()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()
    ring.close()


def test_a_voice_that_hangs_is_told_of_once_and_so_is_its_return() -> None:
    pulse = Pulse()
    said = [
        pulse.check(written, fill)
        for written, fill in [(0, 0), (100, 9), (200, 0), *[(200, 0)] * 9, (300, 5)]
    ]
    texts = [text for text in said if text]
    assert len(texts) == 2
    assert "stalled" in texts[0]
    assert "again" in texts[1]
