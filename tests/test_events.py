from hypothesis import given
from hypothesis import strategies as st

from duet.note import NoteOff, NoteOn, Pedal, notes_of, order
from models.events import (
    GAPS,
    LOWEST,
    OFF,
    PARTNER,
    PEDAL_DOWN,
    PEDAL_UP,
    PLAYED,
    Metre,
    Step,
    bin_of,
    events_of_steps,
    key_of,
    steps_of,
    tokens_of,
    velocity_of,
)

any_event = st.one_of(
    st.builds(NoteOn, st.floats(0, 30), st.integers(0, 127), st.integers(1, 127)),
    st.builds(NoteOff, st.floats(0, 30), st.integers(0, 127)),
    st.builds(Pedal, st.floats(0, 30), st.integers(0, 127)),
)
playing = st.lists(any_event, max_size=60).map(lambda events: sorted(events, key=order))


@given(st.floats(0, 8))
def test_a_gap_is_kept_to_5_ms_or_to_1_8_percent(seconds):
    assert abs(GAPS[bin_of(seconds)] - seconds) <= max(0.00501, 0.018 * seconds)


def test_a_gap_beyond_8_seconds_is_8_seconds():
    assert GAPS[bin_of(1000.0)] == 8.0


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=200))
def test_times_do_not_drift_while_the_playing_goes_on(gaps):
    metre, time, told = Metre(), 0.0, 0.0
    metre.gap(0.0)
    for gap in gaps:
        time += gap
        told += GAPS[metre.gap(time)]
        assert abs(told - time) <= 0.0051


@given(st.integers(1, 127))
def test_a_velocity_is_kept_to_2(velocity):
    assert abs(velocity_of(velocity // 4) - velocity) <= 2


@given(st.integers(0, 127))
def test_a_pitch_beyond_the_piano_is_moved_by_octaves(pitch):
    key = key_of(pitch)
    assert 0 <= key < 88
    assert (key + LOWEST - pitch) % 12 == 0
    if LOWEST <= pitch <= 108:
        assert key + LOWEST == pitch


@given(playing)
def test_only_what_a_piano_can_do_comes_out(events):
    held, pedal = set(), False
    for _, token, velocity in tokens_of(events).tolist():
        if token < OFF:
            assert token not in held
            assert 1 <= velocity <= 127
            held.add(token)
        elif token < PEDAL_DOWN:
            held.remove(token - OFF)
        else:
            assert pedal != (token == PEDAL_DOWN)
            pedal = token == PEDAL_DOWN
    assert not held
    assert not pedal


def test_pedal_noise_becomes_two_movements():
    events = [Pedal(i / 100, value) for i, value in enumerate([3, 30, 63, 64, 90, 127, 100, 64, 40, 12, 0])]
    assert [token for _, token, _ in tokens_of(events).tolist()] == [PEDAL_DOWN, PEDAL_UP]


def test_two_voices_on_one_key_are_one_note():
    together = [NoteOn(1.0, 60, 70), NoteOn(1.0, 60, 50), NoteOff(1.001, 60), NoteOff(1.5, 60)]
    assert tokens_of(together).tolist() == [(1.0, 39, 70), (1.5, OFF + 39, 0)]
    again = [NoteOn(1.0, 60, 70), NoteOn(1.2, 60, 50), NoteOff(1.5, 60)]
    assert [token for _, token, _ in tokens_of(again).tolist()] == [39, OFF + 39, 39, OFF + 39]


def test_a_phrase_survives_being_steps():
    times = [0.0, 0.41, 0.79, 1.22]
    events = [
        event
        for time, pitch in zip(times, [60, 64, 67, 72], strict=True)
        for event in (NoteOn(time, pitch, 70), NoteOff(time + 0.3, pitch))
    ]
    steps = steps_of(events, PARTNER)
    assert steps[0] == Step(0, PARTNER)
    assert steps[1].gap == 0
    assert all(step.token < PLAYED for step in steps[1:])
    again = notes_of(events_of_steps(steps))
    for note, time, pitch in zip(again, times, [60, 64, 67, 72], strict=True):
        assert note.pitch == pitch
        assert abs(note.onset - time) < 0.0051
        assert abs(note.duration - 0.3) < 0.0101
        assert abs(note.velocity - 70) <= 2
