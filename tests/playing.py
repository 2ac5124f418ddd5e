"""Calls to play to a partner, and what every answer must keep to."""

from hypothesis import strategies as st

from duet.note import NoteOff, NoteOn, Pedal, order


def melody(pitches, apart=0.35, velocity=70):
    """One finger: each note begins as the one before has just ended."""
    events = []
    for place, pitch in enumerate(pitches):
        events.append(NoteOn(place * apart, pitch, velocity))
        events.append(NoteOff((place + 0.9) * apart, pitch))
    return events


any_event = st.one_of(
    st.builds(NoteOn, st.floats(0, 6), st.integers(0, 127), st.integers(1, 127)),
    st.builds(NoteOff, st.floats(0, 6), st.integers(0, 127)),
    st.builds(Pedal, st.floats(0, 6), st.integers(0, 127)),
)
calls = st.lists(any_event, max_size=40).map(lambda events: sorted(events, key=order))
"""Anything at all that can come from a keyboard."""


def assert_good_manners(events):
    """What `duet.ports.Partner.respond` promises."""
    held, pedal, time = set(), False, 0.0
    for event in events:
        assert event.time >= time
        time = event.time
        match event:
            case NoteOn(_, pitch, _):
                assert pitch not in held
                held.add(pitch)
            case NoteOff(_, pitch):
                held.remove(pitch)
            case Pedal():
                pedal = event.down
    assert not held
    assert not pedal
    onsets = [event.time for event in events if isinstance(event, NoteOn)]
    assert not onsets or min(onsets) == 0
