"""Every state meets every event."""

import pytest

from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.phrase_end import Fixed
from duet.turn import HandOver, Hear, Respond, Sounded, State, Stop, Turn

DOWN, UP = NoteOn(10.0, 60, 80), NoteOff(10.5, 60)
CALL = (DOWN, UP)


def turn_in(state: State) -> Turn:
    """A turn whose first call was one note from 10 to 10.5 s; its silence is 0.8 s."""
    turn = Turn(Fixed(0.8))
    if state is State.IDLE:
        return turn
    turn.feed(DOWN)
    turn.feed(UP)
    if state is State.RESPONSE:
        turn.tick(11.3)
    assert turn.state is state
    return turn


KEY, RELEASE, PRESS, LIFT = NoteOn(12.0, 64, 70), NoteOff(12.0, 64), Pedal(12.0, 127), Pedal(12.0, 0)

TABLE = [
    (State.IDLE, KEY, State.CALL, [Hear(1, KEY)]),
    (State.IDLE, RELEASE, State.IDLE, []),
    (State.IDLE, PRESS, State.IDLE, []),
    (State.IDLE, LIFT, State.IDLE, []),
    (State.IDLE, HandOver(12.0), State.IDLE, []),
    (State.IDLE, Sounded(0), State.IDLE, []),
    (State.IDLE, Sounded(7), State.IDLE, []),
    (State.CALL, KEY, State.CALL, [Hear(1, KEY)]),
    (State.CALL, RELEASE, State.CALL, [Hear(1, RELEASE)]),
    (State.CALL, PRESS, State.CALL, [Hear(1, PRESS)]),
    (State.CALL, LIFT, State.CALL, [Hear(1, LIFT)]),
    (State.CALL, HandOver(12.0), State.RESPONSE, [Respond(1, CALL)]),
    (State.CALL, Sounded(1), State.CALL, []),
    (State.CALL, Sounded(0), State.CALL, []),
    (State.RESPONSE, KEY, State.CALL, [Stop(1), Hear(2, KEY)]),
    (State.RESPONSE, RELEASE, State.RESPONSE, []),
    (State.RESPONSE, PRESS, State.RESPONSE, []),
    (State.RESPONSE, LIFT, State.RESPONSE, []),
    (State.RESPONSE, HandOver(12.0), State.RESPONSE, []),
    (State.RESPONSE, Sounded(1), State.IDLE, []),
    (State.RESPONSE, Sounded(0), State.RESPONSE, []),
]


@pytest.mark.parametrize(("state", "event", "after", "effects"), TABLE)
def test_each_state_takes_each_event_as_the_table_says(
    state: State, event: Event | HandOver | Sounded, after: State, effects: list[object]
) -> None:
    turn = turn_in(state)
    assert turn.feed(event) == effects
    assert turn.state is after


def test_silence_ends_the_call() -> None:
    turn = turn_in(State.CALL)
    assert turn.deadline() == pytest.approx(11.3)
    assert turn.tick(11.2) == []
    assert turn.tick(11.3) == [Respond(1, CALL)]


def test_time_passing_means_nothing_when_nobody_plays() -> None:
    for state in (State.IDLE, State.RESPONSE):
        turn = turn_in(state)
        assert turn.deadline() is None
        assert turn.tick(1e6) == []
        assert turn.state is state


def test_a_held_key_vetoes_the_end_of_the_call() -> None:
    turn = turn_in(State.CALL)
    turn.feed(NoteOn(10.6, 67, 80))
    assert turn.tick(18.5) == []
    turn.feed(NoteOff(18.5, 67))
    assert turn.deadline() == pytest.approx(19.3)


def test_a_held_pedal_vetoes_the_end_of_the_call() -> None:
    turn = turn_in(State.CALL)
    turn.feed(Pedal(10.6, 127))
    assert Respond(1, CALL) not in turn.tick(60.0)
    assert turn.state is State.CALL
    turn.feed(Pedal(60.0, 0))
    assert turn.tick(60.8) != []


def test_half_a_pedal_counts_from_the_value_midi_says() -> None:
    turn = turn_in(State.CALL)
    turn.feed(Pedal(10.6, 63))
    assert turn.tick(11.4) != []
    turn = turn_in(State.CALL)
    turn.feed(Pedal(10.7, 64))
    assert turn.tick(11.6) == []


def test_a_pedal_put_down_before_the_first_key_is_heard_with_it() -> None:
    turn = turn_in(State.IDLE)
    turn.feed(Pedal(9.0, 100))
    assert turn.feed(DOWN) == [Hear(1, Pedal(10.0, 100)), Hear(1, DOWN)]


def test_an_explicit_hand_over_works_with_keys_down() -> None:
    turn = turn_in(State.IDLE)
    turn.feed(DOWN)
    assert turn.feed(HandOver(10.2)) == [Respond(1, (DOWN,))]


def test_a_key_held_through_the_answer_still_vetoes_the_next_end() -> None:
    turn = turn_in(State.IDLE)
    turn.feed(DOWN)
    turn.feed(HandOver(10.2))
    turn.feed(NoteOn(11.0, 72, 80))
    turn.feed(NoteOff(11.2, 72))
    assert turn.tick(11.49) == [] and turn.deadline() > 19, "key 60 is still down"
    turn.feed(NoteOff(11.5, 60))
    assert turn.deadline() == pytest.approx(12.3)


def test_the_end_of_an_interrupted_answer_is_recognised_as_late() -> None:
    turn = turn_in(State.RESPONSE)
    turn.feed(NoteOn(12.0, 64, 70))
    turn.feed(NoteOff(12.1, 64))
    turn.tick(13.0)
    assert turn.state is State.RESPONSE
    turn.feed(Sounded(1))
    assert turn.state is State.RESPONSE
    turn.feed(Sounded(2))
    assert turn.state is State.IDLE
