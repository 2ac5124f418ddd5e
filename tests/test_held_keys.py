"""A note-off lost on the way does not keep the turn for ever, and a key that is really held does not lose it."""

import asyncio

import pytest

from duet.held_keys import LONGEST, PATIENCE
from duet.inline import InlineSeat
from duet.news import Answered, Message, News
from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.offline import ScriptedListener
from duet.phrase_end import Bars, Explicit, Fixed, Policy
from duet.session import Session
from duet.tempo import Tempo
from duet.turn import GiveUp, Respond, State, Turn, Waiting
from duet.virtual_time import run
from tests.fakes import EchoPartner, RecordingOut

BASS_LOST = (
    NoteOn(1.0, 48, 80),
    NoteOn(2.0, 60, 80),
    NoteOff(2.4, 60),
    NoteOn(2.5, 64, 80),
    NoteOff(3.0, 64),
)
"""The release of the first key never comes."""


def after(events: tuple[Event, ...], policy: Policy | None = None) -> Turn:
    turn = Turn(policy or Fixed(0.8))
    for event in events:
        turn.feed(event)
    return turn


def test_a_key_whose_release_was_lost_is_given_up_and_the_phrase_is_over() -> None:
    turn = after(BASS_LOST)
    assert turn.deadline() == pytest.approx(3.0 + PATIENCE)
    assert turn.tick(3.0 + PATIENCE - 0.01) == []
    assert turn.tick(3.0 + PATIENCE) == [GiveUp((48,)), Respond(1, BASS_LOST)]


def test_a_key_given_up_keeps_no_later_phrase_waiting() -> None:
    turn = after(BASS_LOST)
    turn.tick(3.0 + PATIENCE)
    turn.feed(NoteOn(20.0, 72, 80))
    turn.feed(NoteOff(20.5, 72))
    assert turn.deadline() == pytest.approx(21.3)


@pytest.mark.parametrize("healing", [NoteOff(20.0, 48), NoteOn(20.0, 48, 80)])
def test_a_late_release_or_another_stroke_heals_a_key(healing: Event) -> None:
    turn = after(BASS_LOST)
    turn.tick(3.0 + PATIENCE)
    turn.feed(healing)
    if isinstance(healing, NoteOn):
        assert turn.state is State.CALL
        turn.feed(NoteOff(20.3, 48))
        assert turn.deadline() == pytest.approx(21.1)
    else:
        assert turn.state is State.RESPONSE


@pytest.mark.parametrize(
    "chord",
    [
        (NoteOn(1.0, 60, 80), NoteOff(1.5, 60), NoteOn(2.0, 48, 80), NoteOn(2.0, 64, 80)),
        (NoteOn(2.0, 48, 80), NoteOn(2.2, 64, 80), NoteOn(2.4, 72, 80), NoteOff(3.0, 72)),
    ],
    ids=["a last chord", "a rolled chord whose top is let go"],
)
def test_a_held_last_chord_is_not_cut_in_on(chord: tuple[Event, ...]) -> None:
    turn = after(chord)
    quiet = chord[-1].time
    assert turn.deadline() == pytest.approx(quiet + PATIENCE)
    assert turn.tick(quiet + PATIENCE) == [Waiting((48, 64), False)]
    assert turn.deadline() == pytest.approx(quiet + LONGEST)
    assert turn.tick(quiet + LONGEST - 0.1) == []
    assert turn.tick(quiet + LONGEST) == [GiveUp((48, 64)), Respond(1, chord)]


def test_the_pedal_is_asked_after_and_never_given_up() -> None:
    turn = after((*BASS_LOST, Pedal(3.2, 127)))
    assert turn.tick(3.2 + PATIENCE) == [Waiting((48,), True)]
    assert turn.deadline() is None
    assert turn.tick(1e6) == []


def test_any_event_begins_the_wait_anew() -> None:
    turn = after((*BASS_LOST, Pedal(3.2, 127)))
    turn.tick(3.2 + PATIENCE)
    turn.feed(Pedal(30.0, 0))
    assert turn.deadline() == pytest.approx(30.0 + PATIENCE)


def test_nobody_is_asked_where_nothing_but_the_player_or_the_clock_ends_a_phrase() -> None:
    assert after(BASS_LOST, Explicit()).deadline() is None
    bars = after((), Bars(1))
    bars.tempo = Tempo(120.0, 0.0, 4)
    for event in BASS_LOST:
        bars.feed(event)
    assert bars.deadline() < 3.0 + PATIENCE


def test_a_key_long_held_under_a_melody_that_goes_on_stays_held() -> None:
    turn = after((NoteOn(0.0, 36, 80),))
    for second in range(1, 60):
        assert turn.tick(float(second)) == []
        turn.feed(NoteOn(second, 60, 80))
        turn.feed(NoteOff(second + 0.5, 60))
    assert turn.state is State.CALL


def test_the_session_answers_in_spite_of_a_lost_release_and_says_so_once() -> None:
    news: list[News] = []
    out = RecordingOut()

    async def main() -> None:
        session = Session(
            ScriptedListener(BASS_LOST), InlineSeat(EchoPartner()), [out], news.append, policy=Fixed(0.5)
        )
        playing = asyncio.ensure_future(session.run())
        await asyncio.sleep(40.0)
        playing.cancel()

    run(main())
    said = [item.text for item in news if isinstance(item, Message)]
    assert said == ["C3 is down for long: taken for let go; strike again what hangs"]
    assert sum(isinstance(item, Answered) for item in news) == 1
    assert out.sounding == set()
