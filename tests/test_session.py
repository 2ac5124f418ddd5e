"""The whole conversation, in virtual time, with fake ports."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duet.errors import DuetError
from duet.inline import InlineSeat, InlineVoice
from duet.news import Answered, Cut, Message, News, Turned
from duet.note import Event, Note, NoteOff, NoteOn, Pedal, events_of
from duet.offline import ScriptedListener
from duet.phrase_end import fixed
from duet.plan import LONGEST_NOTE
from duet.ports import Seat
from duet.session import LEAD, Session
from duet.turn import HandOver, State
from duet.virtual_time import run
from tests.fakes import EchoPartner, RecordingOut, RecordingSpeaker, SlowSeat, ToneVoice

SILENCE = 0.5
CALL = events_of([Note(1.0, 60, 80, 1.4), Note(1.5, 64, 90, 1.9), Note(2.0, 67, 100, 2.4)])


def play(events: Sequence[Event], seat: Seat, out: RecordingOut) -> list[News]:
    """A session over scripted events, to its end."""
    news: list[News] = []

    async def main() -> None:
        session = Session(ScriptedListener(events), seat, [out], news.append, policy=fixed(SILENCE))
        await session.run()
        assert session.turn.state is State.IDLE or session.turn.deadline() is None
        out.finish()

    run(main())
    return news


def onsets(events: Sequence[Event]) -> list[tuple[float, int, int]]:
    return [(round(e.time, 6), e.pitch, e.velocity) for e in events if isinstance(e, NoteOn)]


def test_a_phrase_is_answered_after_its_silence() -> None:
    out, partner = RecordingOut(), EchoPartner()
    news = play(CALL, InlineSeat(partner), out)
    start = 2.4 + SILENCE + LEAD
    assert onsets(out.sent) == [
        (round(start, 6), 60, 80),
        (round(start + 0.5, 6), 64, 90),
        (round(start + 1, 6), 67, 100),
    ]
    assert out.sounding == set()
    assert partner.heard == CALL
    answered = [item for item in news if isinstance(item, Answered)]
    assert len(answered) == 1
    assert answered[0].wait == pytest.approx(SILENCE + LEAD)
    assert answered[0].decision == pytest.approx(LEAD)
    assert [item.state for item in news if isinstance(item, Turned)] == ["CALL", "RESPONSE", "IDLE"]


def test_the_answer_is_asked_to_be_about_as_long_as_the_call() -> None:
    partner = EchoPartner()
    long_call = events_of([Note(1.0 + k / 4, 60 + k % 5, 80, 1.2 + k / 4) for k in range(24)])
    play(long_call, InlineSeat(partner), RecordingOut())
    assert partner.requests[0].seconds == pytest.approx(5.95)


def test_barge_in_silences_the_answer_and_starts_a_new_call() -> None:
    out, partner = RecordingOut(), EchoPartner()
    barge = [NoteOn(3.2, 72, 60), NoteOff(3.4, 72)]
    news = play([*CALL, *barge], InlineSeat(partner), out)
    first = [event for event in out.sent if event.time <= 3.2]
    assert onsets(first) == [(2.91, 60, 80)], "only the first note had its time"
    assert NoteOff(3.2, 60) in out.sent, "cut at the moment of the key press"
    assert [item.time for item in news if isinstance(item, Cut)] == [3.2]
    assert partner.cuts == [pytest.approx(3.2 - 2.91)]
    assert [request.turn for request in partner.requests] == [1, 2]
    assert out.sounding == set()


def test_a_key_before_the_first_composed_note_means_no_answer_at_all() -> None:
    out, seat = RecordingOut(), SlowSeat([NoteOn(0.0, 60, 80), NoteOff(0.5, 60)], [1.0, 0.0])
    play([*CALL, NoteOn(3.0, 72, 60), NoteOff(3.1, 72)], seat, out)
    assert seat.cuts == [0.0]
    assert onsets(out.sent) == [(round(3.1 + SILENCE + 1.0 + LEAD, 6), 60, 80)], (
        "only the second call is answered"
    )


def test_notes_composed_late_move_the_rest_of_the_answer() -> None:
    answer = [NoteOn(0.0, 60, 80), NoteOff(0.2, 60), NoteOn(0.25, 62, 80), NoteOff(0.45, 62)]
    out = RecordingOut()
    play(CALL, SlowSeat(answer, [0.0, 0.0, 1.0, 0.0]), out)
    first, second = (time for time, _, _ in onsets(out.sent))
    assert second - first == pytest.approx(1.0 - LEAD)
    assert out.sounding == set()


def test_a_partner_that_presses_and_never_releases_is_released() -> None:
    out = RecordingOut()
    play(CALL, InlineSeat(EchoPartner([Pedal(0.0, 127), NoteOn(0.0, 60, 80), NoteOn(1.0, 64, 80)])), out)
    assert out.sounding == set()
    assert not out.pedal_down


def test_a_note_of_the_partners_held_too_long_is_ended_while_composing_goes_on() -> None:
    out = RecordingOut()
    answer = [NoteOn(0.0, 60, 80), NoteOn(LONGEST_NOTE + 3, 64, 80), NoteOff(LONGEST_NOTE + 4, 64)]
    play(CALL, InlineSeat(EchoPartner(answer)), out)
    end = next(event for event in out.sent if isinstance(event, NoteOff) and event.pitch == 60)
    assert end.time == pytest.approx(2.4 + SILENCE + LEAD + LONGEST_NOTE)


def test_a_partner_with_nothing_to_say_gives_the_turn_back() -> None:
    news = play(CALL, InlineSeat(EchoPartner([])), RecordingOut())
    assert [item.state for item in news if isinstance(item, Turned)] == ["CALL", "RESPONSE", "IDLE"]


def test_a_partner_that_fails_ends_its_answer_and_says_so() -> None:
    class Failing(SlowSeat):
        async def respond(self, request):  # type: ignore[no-untyped-def]
            yield NoteOn(0.0, 60, 80)
            raise DuetError("the partner stopped: out of memory")

    out = RecordingOut()
    news = play(CALL, Failing([], []), out)
    assert Message("the partner stopped: out of memory", error=True) in news
    assert onsets(out.sent) == [(2.91, 60, 80)]
    assert out.sounding == set()


def test_held_key_and_pedal_keep_the_answer_waiting() -> None:
    held = [Pedal(0.9, 127), NoteOn(1.0, 60, 80), NoteOff(5.0, 60), Pedal(8.0, 0)]
    out, partner = RecordingOut(), EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.1, 50)])
    play(held, InlineSeat(partner), out)
    assert onsets(out.sent) == [(round(8.0 + SILENCE + LEAD, 6), 50, 50)]
    assert partner.heard[0] == Pedal(1.0, 127)


def test_hand_over_answers_at_once_and_panic_silences() -> None:
    out, news = RecordingOut(), []

    async def main() -> None:
        partner = EchoPartner([NoteOn(0.0, 50, 50), NoteOff(9.0, 50)])
        session = Session(
            ScriptedListener([]), InlineSeat(partner), [out], news.append, policy=fixed(SILENCE)
        )
        session.feed(NoteOn(0.0, 60, 80))
        session.feed(HandOver(0.0))
        await asyncio.sleep(1.0)
        assert session.turn.state is State.RESPONSE
        assert onsets(out.sent) == []
        session.panic()
        assert session.turn.state is State.IDLE
        assert out.sounding == set()
        await session.wait_until_idle()

    run(main())
    assert [item.state for item in news if isinstance(item, Turned)] == ["CALL", "RESPONSE", "IDLE"]


def test_cancelling_the_session_in_mid_answer_leaves_silence() -> None:
    out = RecordingOut()

    async def main() -> None:
        partner = EchoPartner([Pedal(0.0, 127), NoteOn(0.0, 50, 50), NoteOff(9.0, 50)])
        task = asyncio.create_task(
            Session(
                ScriptedListener([*CALL, NoteOff(60.0, 1)]), InlineSeat(partner), [out], lambda news: None
            ).run()
        )
        await asyncio.sleep(5.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(main())
    assert onsets(out.sent) != []
    assert out.sounding == set()
    assert not out.pedal_down


def test_settings_hold_from_the_next_answer_and_each_turn_has_its_own_seed() -> None:
    partner = EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.1, 50)])

    async def main() -> None:
        events = [NoteOn(1.0, 60, 80), NoteOff(1.1, 60), NoteOn(5.0, 60, 80), NoteOff(5.1, 60)]
        session = Session(ScriptedListener(events), InlineSeat(partner), [], lambda news: None)
        asyncio.get_running_loop().call_at(
            4.0, lambda: session.change(temperature=0.5, style="fancy", seed=40)
        )
        await session.run()

    run(main())
    asked = [(each.character.temperature, each.character.style, each.seed) for each in partner.requests]
    assert asked == [(1.0, "", 1), (0.5, "fancy", 42)]


def test_the_voice_sings_when_the_notes_are_due() -> None:
    speaker = RecordingSpeaker()

    async def main() -> None:
        voice = InlineVoice(ToneVoice(), speaker)
        singing = asyncio.create_task(voice.run())
        partner = EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.2, 50)])
        await Session(
            ScriptedListener(CALL), InlineSeat(partner), [voice], lambda news: None, policy=fixed(SILENCE)
        ).run()
        await asyncio.sleep(1.0)
        singing.cancel()

    run(main())
    sounding = [index / 100 for index, block in enumerate(speaker.blocks) if block.any()]
    assert sounding[0] == pytest.approx(2.91, abs=0.011)
    assert sounding[-1] == pytest.approx(3.10, abs=0.011)


def test_barge_in_lets_the_voice_fall_silent() -> None:
    speaker = RecordingSpeaker()

    async def main() -> None:
        voice = InlineVoice(ToneVoice(), speaker)
        singing = asyncio.create_task(voice.run())
        partner = EchoPartner([NoteOn(0.0, 50, 50), NoteOff(9.0, 50)])
        events = [*CALL, NoteOn(4.0, 60, 80), NoteOn(60.0, 61, 80)]
        await Session(
            ScriptedListener(events), InlineSeat(partner), [voice], lambda news: None, policy=fixed(SILENCE)
        ).run()
        singing.cancel()

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(main(), 10.0))
    sounding = [index / 100 for index, block in enumerate(speaker.blocks) if block.any()]
    assert sounding[-1] == pytest.approx(4.0, abs=0.011)


times = st.floats(0, 12)
pitches = st.integers(58, 62)
moves = st.one_of(
    st.builds(NoteOn, times, pitches, st.integers(1, 127)),
    st.builds(NoteOff, times, pitches),
    st.builds(Pedal, times, st.integers(0, 127)),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(moves, max_size=25),
    st.lists(moves, max_size=12),
    st.lists(st.floats(0, 2), min_size=12, max_size=12),
    st.one_of(st.none(), times),
    st.lists(times, max_size=3),
)
def test_no_event_sequence_leaves_a_note_sounding(
    player: list[Event],
    answer: list[Event],
    delays: list[float],
    panic_at: float | None,
    hand_overs: list[float],
) -> None:
    out = RecordingOut()
    by_time = sorted(player, key=lambda event: event.time)
    composed = sorted(answer, key=lambda event: event.time)

    async def main() -> None:
        seat = SlowSeat(composed, delays[: len(composed)])
        session = Session(
            ScriptedListener([*by_time, NoteOff(100.0, 1)]),
            seat,
            [out],
            lambda news: None,
            policy=fixed(SILENCE),
        )
        loop = asyncio.get_running_loop()
        for time in hand_overs:
            loop.call_at(time, lambda time=time: session.feed(HandOver(time)))
        if panic_at is not None:
            loop.call_at(panic_at, session.panic)
        task = asyncio.create_task(session.run())
        await asyncio.sleep(200.0)
        if not task.done():  # a key held for ever: the player leaves
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        else:
            await task
        out.finish()

    run(main())
    assert out.sounding == set()
    assert not out.pedal_down
