"""The whole conversation, in virtual time, with fake ports."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duet.errors import DuetError
from duet.inline import InlineSeat, InlineVoice
from duet.news import Answered, Cut, Message, Moved, News, Played, Turned, Who
from duet.note import Event, Note, NoteOff, NoteOn, Pedal, events_of
from duet.offline import ScriptedListener
from duet.performance import STALL
from duet.phrase_end import Bars, Fixed
from duet.plan import LONGEST_NOTE
from duet.ports import Seat
from duet.request import Request
from duet.session import LEAD, Session
from duet.tempo import Tempo
from duet.turn import HandOver, State
from duet.virtual_time import VirtualTimeLoop, run
from tests.fakes import EchoPartner, RecordingOut, RecordingSpeaker, SlowSeat, ToneVoice

SILENCE = 0.5
CALL = events_of([Note(1.0, 60, 80, 1.4), Note(1.5, 64, 90, 1.9), Note(2.0, 67, 100, 2.4)])


def play(events: Sequence[Event], seat: Seat, out: RecordingOut) -> list[News]:
    """A session over scripted events, to its end."""
    news: list[News] = []

    async def main() -> None:
        session = Session(ScriptedListener(events), seat, [out], news.append, policy=Fixed(SILENCE))
        await session.run()
        assert session.turn.state is State.IDLE or session.turn.deadline() is None
        out.finish()

    run(main())
    return news


def ignore(news: News) -> None:
    """Observe nothing."""


def sleep(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    """The whole program is held up, as by a laptop's lid."""
    assert isinstance(loop, VirtualTimeLoop)
    loop.hold_up(seconds)


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
            ScriptedListener([]), InlineSeat(partner), [out], news.append, policy=Fixed(SILENCE)
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
            ScriptedListener(CALL), InlineSeat(partner), [voice], lambda news: None, policy=Fixed(SILENCE)
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
            ScriptedListener(events), InlineSeat(partner), [voice], lambda news: None, policy=Fixed(SILENCE)
        ).run()
        singing.cancel()

    with pytest.raises(TimeoutError):
        run(asyncio.wait_for(main(), 10.0))
    sounding = [index / 100 for index, block in enumerate(speaker.blocks) if block.any()]
    assert sounding[-1] == pytest.approx(4.0, abs=0.011)


def test_another_answer_takes_the_place_of_the_last_with_another_seed() -> None:
    out, partner = RecordingOut(), EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.2, 50)])

    async def main() -> None:
        session = Session(ScriptedListener([*CALL, NoteOff(20.0, 1)]), InlineSeat(partner), [out], ignore)
        playing = asyncio.create_task(session.run())
        session.again()  # nothing has been answered yet
        await asyncio.sleep(10.0)
        session.again()
        await asyncio.sleep(1.0)
        session.feed(NoteOn(11.0, 60, 80))
        session.again()  # the player plays: no
        session.feed(NoteOff(11.1, 60))
        await playing

    run(main())
    assert [request.turn for request in partner.requests] == [1, 2, 3]
    assert len({request.seed for request in partner.requests}) == 3
    assert partner.requests[0].seconds == partner.requests[1].seconds
    assert partner.cuts == [0.0], "the first answer is as if it had not been"
    assert out.sounding == set()


def test_another_answer_in_the_middle_of_one_stops_it_first() -> None:
    out, partner = RecordingOut(), EchoPartner([NoteOn(0.0, 50, 50), NoteOff(3.0, 50)])

    async def main() -> None:
        session = Session(ScriptedListener([*CALL, NoteOff(20.0, 1)]), InlineSeat(partner), [out], ignore)
        asyncio.get_running_loop().call_at(4.5, session.again)
        await session.run()
        out.finish()

    run(main())
    assert [round(time, 2) for time, _, _ in onsets(out.sent)] == [3.11, 4.51]
    assert NoteOff(4.5, 50) in out.sent
    assert out.sounding == set()


def test_the_last_answer_can_be_had_once_more_as_it_was() -> None:
    answer = [NoteOn(0.0, 50, 50), NoteOff(0.2, 50), NoteOn(0.5, 55, 60), NoteOff(0.9, 55)]
    out, partner, news = RecordingOut(), EchoPartner(answer), list[News]()

    async def main() -> None:
        session = Session(
            ScriptedListener([*CALL, NoteOff(20.0, 1)]), InlineSeat(partner), [out], news.append,
            policy=Fixed(SILENCE),
        )  # fmt: skip
        asyncio.get_running_loop().call_at(10.0, session.replay)
        asyncio.get_running_loop().call_at(10.7, session.replay)
        await session.run()
        out.finish()

    run(main())
    first, again, whole = onsets(out.sent)[:2], onsets(out.sent)[2:4], onsets(out.sent)[4:]
    assert [time - first[0][0] for time, _, _ in first] == pytest.approx([0.0, 0.5])
    assert again == [(10.01, 50, 50), (10.51, 55, 60)]
    assert whole == [(10.71, 50, 50), (11.21, 55, 60)]
    assert len(partner.requests) == 1, "the partner is not asked"
    assert partner.cuts == [], "nor does what it remembers change"
    assert out.sounding == set()


def test_a_partner_that_stalls_in_mid_answer_is_given_up_after_what_it_said_has_sounded() -> None:
    answer = [NoteOn(0.0, 60, 80), NoteOff(1.0, 60), NoteOn(1.0, 64, 80), NoteOff(2.0, 64)]
    out, seat = RecordingOut(), SlowSeat(answer, [0.0, 0.0, 0.0, 1000.0])
    news = play(CALL, seat, out)
    assert [item.text for item in news if isinstance(item, Message)] == [
        "the partner has stalled; this answer ends here"
    ]
    assert onsets(out.sent) == [(2.91, 60, 80), (3.91, 64, 80)]
    assert out.sent[-1] == NoteOff(pytest.approx(3.91 + STALL), 64)
    assert seat.cuts == [pytest.approx(1.0)]


def test_a_partner_that_breaks_ends_its_answer_and_the_next_is_its_own() -> None:
    class Broken(EchoPartner):
        def respond(self, request: Request) -> Iterator[Event]:
            yield NoteOn(0.0, 60, 80)
            if request.turn == 1:
                raise ZeroDivisionError("division by zero")
            yield NoteOff(0.1, 60)

    out = RecordingOut()
    news = play([*CALL, NoteOn(9.0, 60, 80), NoteOff(9.1, 60)], InlineSeat(Broken()), out)
    assert [item.state for item in news if isinstance(item, Turned)] == ["CALL", "RESPONSE", "IDLE"] * 2
    assert sum(isinstance(item, Message) and item.error for item in news) == 1
    assert len(onsets(out.sent)) == 2


def test_an_out_that_fails_does_not_silence_the_others() -> None:
    class Dead:
        def send(self, event: Event) -> None:
            raise OSError("the port is gone")

        def silence(self) -> None:
            raise OSError("the port is gone")

    out, news = RecordingOut(), list[News]()

    async def main() -> None:
        seat = InlineSeat(EchoPartner())
        await Session(ScriptedListener(CALL), seat, [Dead(), out], news.append).run()
        out.finish()

    run(main())
    assert len(onsets(out.sent)) == 3
    assert out.sounding == set()


def test_a_program_held_up_plays_no_burst_of_notes_but_goes_on_where_it_was() -> None:
    answer = [
        event for k in range(20) for event in (NoteOn(k / 10, 60 + k, 80), NoteOff(k / 10 + 0.08, 60 + k))
    ]
    out, news = RecordingOut(), list[News]()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        seat = InlineSeat(EchoPartner(answer))
        session = Session(ScriptedListener(CALL), seat, [out], news.append, policy=Fixed(SILENCE))
        loop.call_at(3.5, lambda: sleep(loop, 2.0))
        await session.run()
        out.finish()

    run(main())
    times = [time for time, _, _ in onsets(out.sent)]
    gaps = [round(later - earlier, 3) for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= 0.1 - 0.031
    assert 1.9 < max(gaps) < 2.2
    assert sum(gap > 0.15 for gap in gaps) == 1
    moved = [item for item in news if isinstance(item, Moved)]
    assert [item.by for item in moved] == [pytest.approx(max(gaps) - 0.1, abs=0.031)]


def test_by_a_clock_what_is_late_waits_for_the_next_beat() -> None:
    answer = [NoteOn(0.0, 60, 80), NoteOff(0.2, 60), NoteOn(0.5, 62, 80), NoteOff(0.7, 62)]
    out = RecordingOut()

    async def main() -> None:
        seat = SlowSeat(answer, [0.0, 0.0, 1.2, 0.0])
        session = Session(ScriptedListener(CALL), seat, [out], ignore, policy=Fixed(SILENCE))
        session.follow(Tempo(60.0))
        await session.run()
        out.finish()

    run(main())
    assert [time for time, _, _ in onsets(out.sent)] == pytest.approx([3.0, 4.5])


def test_bars_are_traded_on_the_bar_line_and_last_as_long_as_agreed() -> None:
    answer = [event for k in range(40) for event in (NoteOn(k / 4, 60, 80), NoteOff(k / 4 + 0.2, 60))]
    out, partner, news = RecordingOut(), EchoPartner(answer), list[News]()
    call = [NoteOn(3.9, 60, 80), NoteOff(4.4, 60), NoteOn(7.0, 64, 80), NoteOff(8.1, 64)]
    resolve = [NoteOn(8.05, 67, 80), NoteOff(8.2, 67)]

    async def main() -> None:
        listener = ScriptedListener(sorted([*call, *resolve], key=lambda event: event.time))
        session = Session(listener, InlineSeat(partner), [out], news.append, policy=Bars(2))
        session.follow(Tempo(120.0))
        await session.run()
        out.finish()

    run(main())
    times = [time for time, _, _ in onsets(out.sent)]
    assert times[0] == pytest.approx(8.0, abs=1e-6), "two bars after the bar the pick-up led to"
    assert times[-1] == pytest.approx(11.75, abs=1e-6), "and two bars long"
    assert partner.requests[0].seconds == pytest.approx(4.0)
    assert partner.cuts == [4.0]
    assert [item.state for item in news if isinstance(item, Turned)] == ["CALL", "RESPONSE", "IDLE"]
    assert out.sounding == set()


def test_the_turn_taken_back_in_mid_bar_is_the_players() -> None:
    out, partner = RecordingOut(), EchoPartner([NoteOn(0.0, 50, 50), NoteOff(3.0, 50)])
    call = [NoteOn(0.1, 60, 80), NoteOff(1.0, 60), NoteOn(2.6, 62, 80), NoteOff(2.7, 62)]

    async def main() -> None:
        session = Session(ScriptedListener(call), InlineSeat(partner), [out], ignore, policy=Bars(1))
        session.follow(Tempo(120.0))
        await session.run()

    run(main())
    assert NoteOff(2.6, 50) in out.sent
    assert len(partner.requests) == 2


def test_an_answer_begins_on_the_beat_of_a_call_that_had_one() -> None:
    call = events_of([Note(1.0 + k * 0.5, 60 + k % 5, 80, 1.3 + k * 0.5) for k in range(12)])
    out, news = RecordingOut(), list[News]()

    async def main() -> None:
        seat = InlineSeat(EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.1, 50)]))
        await Session(ScriptedListener(call), seat, [out], news.append, policy=Fixed(0.4)).run()
        out.finish()

    run(main())
    ((time, _, _),) = onsets(out.sent)
    assert time == pytest.approx(7.25, abs=0.01), "6.8 + 0.4 s, then the next half beat"
    (answered,) = [item for item in news if isinstance(item, Answered)]
    assert answered.held == pytest.approx(7.25 - 7.21, abs=0.01)


class LateOut(RecordingOut):
    """An out that is heard 60 ms late."""

    delay = 0.06

    def __init__(self) -> None:
        super().__init__()
        self.spared: list[float] = []
        self.ahead: list[float] = []

    def advance(self, spare: float) -> None:
        self.spared.append(spare)

    def send(self, event: Event) -> None:
        self.ahead.append(event.time - asyncio.get_running_loop().time())
        super().send(event)


def test_on_a_bar_line_a_late_out_has_its_events_early_enough_and_in_free_time_it_is_told_there_is_no_time() -> (
    None
):
    call = [NoteOn(0.1, 60, 80), NoteOff(1.0, 60)]
    for tempo in (Tempo(120.0), None):
        out = LateOut()

        async def main(tempo: Tempo | None = tempo, out: LateOut = out) -> None:
            seat = InlineSeat(EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.5, 50)]))
            session = Session(ScriptedListener(call), seat, [out], ignore, policy=Bars(1, Fixed(0.5)))
            session.follow(tempo)
            await session.run()
            out.finish()

        run(main())
        ((time, _, _),) = onsets(out.sent)
        (spare,) = out.spared
        if tempo:
            assert time == pytest.approx(2.0)
            assert spare > out.delay
            assert min(out.ahead) > out.delay
        else:
            assert spare == pytest.approx(0.0)
            assert time == pytest.approx(1.5 + LEAD)


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
            policy=Fixed(SILENCE),
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


def test_a_kept_piece_is_heard_in_its_own_time_and_is_nobodys_playing() -> None:
    piece = [NoteOn(0.0, 50, 50), NoteOff(0.5, 50), NoteOn(40.0, 55, 60), NoteOff(40.5, 55)]
    out, partner, news = RecordingOut(), EchoPartner(), list[News]()
    told: list[tuple[float, float]] = []

    def observe(item: News) -> None:
        news.append(item)
        if isinstance(item, Played):
            told.append((asyncio.get_running_loop().time(), item.event.time))

    async def main() -> None:
        session = Session(ScriptedListener([NoteOff(60.0, 1)]), InlineSeat(partner), [out], observe)
        asyncio.get_running_loop().call_at(2.0, session.replay, piece)
        await session.run()
        out.finish()

    run(main())
    assert onsets(out.sent) == [(2.01, 50, 50), (42.01, 55, 60)]
    played = [item for item in news if isinstance(item, Played) and item.who is Who.PARTNER]
    assert len(played) == len(piece)
    assert not any(item.recorded for item in played)
    assert told[-2][0] > 30, "what comes much later is planned later"
    assert partner.requests == []
    assert not [item for item in news if isinstance(item, Message)]


def test_a_key_ends_a_kept_piece_at_once_and_is_answered() -> None:
    piece = [Pedal(0.0, 127), NoteOn(0.0, 50, 50), NoteOn(3.0, 55, 60), NoteOff(4.0, 50), NoteOff(4.0, 55)]
    out, partner, news = RecordingOut(), EchoPartner(), list[News]()

    async def main() -> None:
        session = Session(
            ScriptedListener([NoteOn(3.0, 72, 60), NoteOff(3.2, 72)]), InlineSeat(partner), [out], news.append,
            policy=Fixed(SILENCE),
        )  # fmt: skip
        asyncio.get_running_loop().call_at(1.0, session.replay, piece)
        asyncio.get_running_loop().call_at(3.1, session.replay, piece)  # in mid-phrase: no
        await session.run()
        out.finish()

    run(main())
    assert NoteOff(3.0, 50) in out.sent
    assert [pitch for _, pitch, _ in onsets(out.sent)] == [50, 72], "the rest of the piece is gone"
    assert [item.time for item in news if isinstance(item, Cut)] == [3.0]
    assert partner.cuts == [], "it was no answer of the partner's"
    assert len(partner.requests) == 1
    assert out.sounding == set()
    assert not out.pedal_down
