"""Whatever is added and whenever it is cut, each note-on let out has exactly one note-off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.plan import LONGEST_NOTE, Plan

times = st.floats(0, 20)
events = st.one_of(
    st.builds(NoteOn, times, st.integers(58, 62), st.integers(1, 127)),
    st.builds(NoteOff, times, st.integers(58, 62)),
    st.builds(Pedal, times, st.integers(0, 127)),
)


def ends_quietly(let_out: list[Event]) -> bool:
    """Each key pressed is released once before it is pressed again; the pedal is up at the end."""
    down: set[int] = set()
    pedal = 0
    for event in let_out:
        match event:
            case NoteOn(_, pitch, _):
                assert pitch not in down
                down.add(pitch)
            case NoteOff(_, pitch):
                assert pitch in down
                down.remove(pitch)
            case Pedal(_, value):
                pedal = value
    return not down and pedal < 64


@given(st.lists(events, max_size=40), st.lists(times, max_size=10), st.one_of(st.none(), times))
def test_no_sequence_leaves_a_note_sounding(
    added: list[Event], takes: list[float], stop: float | None
) -> None:
    plan = Plan(0.0)
    let_out: list[Event] = []
    now = 0.0
    moments = sorted(takes)
    for event in added:
        plan.add(event, now)
        if moments:
            now = moments.pop(0)
            let_out += plan.take(now)
    if stop is None:
        plan.finish()
        let_out += plan.take(1e9)
    else:
        let_out += plan.take(max(now, stop))
        let_out += plan.stop(max(now, stop))
    assert ends_quietly(let_out)
    assert plan.over
    assert plan.take(1e9) == []


@given(st.lists(events, max_size=40))
def test_times_never_fall(added: list[Event]) -> None:
    plan = Plan(5.0)
    for event in added:
        plan.add(event, 5.0)
    plan.finish()
    let_out = [event.time for event in plan.take(1e9)]
    assert let_out == sorted(let_out)


def test_what_is_due_is_let_out_and_no_more() -> None:
    plan = Plan(100.0)
    plan.add(NoteOn(0.0, 60, 80), 100.0)
    plan.add(NoteOff(0.5, 60), 100.0)
    assert plan.take(100.1) == [NoteOn(100.0, 60, 80)]
    assert plan.take(100.5) == []
    assert plan.next_time() == pytest.approx(100.5)
    assert plan.take(100.6) == [NoteOff(100.5, 60)]


def test_a_pitch_struck_again_ends_first() -> None:
    plan = Plan(0.0)
    for event in (NoteOn(0.0, 60, 80), NoteOn(1.0, 60, 90), NoteOff(2.0, 60)):
        plan.add(event, 0.0)
    assert plan.take(3.0) == [NoteOn(0.0, 60, 80), NoteOff(1.0, 60), NoteOn(1.0, 60, 90), NoteOff(2.0, 60)]


def test_a_note_nobody_ends_is_ended() -> None:
    plan = Plan(0.0)
    plan.add(NoteOn(0.0, 60, 80), 0.0)
    assert plan.take(LONGEST_NOTE + 1) == [NoteOn(0.0, 60, 80), NoteOff(LONGEST_NOTE, 60)]


def test_a_little_late_plays_in_its_place_and_more_shifts_the_rest() -> None:
    plan = Plan(0.0)
    assert plan.add(NoteOn(1.0, 60, 80), 1.02).time == pytest.approx(1.0)
    assert plan.add(NoteOn(1.5, 62, 80), 2.0).time == pytest.approx(2.0)
    assert plan.add(NoteOn(2.0, 64, 80), 2.0).time == pytest.approx(2.5), "the rhythm after it is kept"


def test_stopping_ends_what_sounds_and_drops_the_rest() -> None:
    plan = Plan(0.0)
    for event in (Pedal(0.0, 127), NoteOn(0.0, 60, 80), NoteOff(1.0, 60), NoteOn(1.0, 64, 80)):
        plan.add(event, 0.0)
    plan.take(0.5)
    assert plan.stop(0.6) == [NoteOff(0.6, 60), Pedal(0.6, 0)]
    assert plan.over
    assert plan.take(9.0) == []
