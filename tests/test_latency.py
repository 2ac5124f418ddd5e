"""Playing early by an instrument's own delay."""

import pytest

from duet.latency import Early, Latency
from duet.note import Event, NoteOff, NoteOn, Pedal


class Kept:
    def __init__(self) -> None:
        self.sent: list[Event] = []
        self.silenced = 0

    def send(self, event: Event) -> None:
        self.sent.append(event)

    def silence(self) -> None:
        self.silenced += 1


TABLE = Latency.read("20:150,100:50")


def test_between_the_measured_velocities_lie_straight_lines_and_beyond_it_is_level() -> None:
    assert [round(TABLE.of(velocity), 4) for velocity in (1, 20, 60, 100, 127)] == [
        0.15,
        0.15,
        0.1,
        0.05,
        0.05,
    ]
    assert TABLE.longest == 0.15
    assert Latency.read("50").of(3) == Latency.read("50").of(120) == 0.05


def test_a_table_written_and_read_again_is_the_same() -> None:
    assert Latency.read(str(TABLE)) == TABLE


@pytest.mark.parametrize("text", ["", "x", "20:1,20:2", "100:1,20:2", "0:10", "20:-1", "20:5000", "20:"])
def test_a_table_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Latency.read(text)


def test_a_soft_and_a_loud_note_meant_together_are_sent_apart_and_keep_their_lengths() -> None:
    out = Kept()
    early = Early(out, TABLE)
    for event in (NoteOn(10.0, 60, 20), NoteOn(10.0, 64, 100), NoteOff(10.5, 60), NoteOff(10.5, 64)):
        early.send(event)
    assert [round(event.time, 3) for event in out.sent] == [9.85, 9.95, 10.35, 10.45]
    early.send(Pedal(11.0, 127))
    assert round(out.sent[-1].time, 3) == round(11.0 - TABLE.of(64), 3)


def test_a_key_struck_again_softly_is_not_sent_before_its_own_release() -> None:
    out = Kept()
    early = Early(out, TABLE)
    for event in (NoteOn(10.0, 60, 120), NoteOff(10.2, 60), NoteOn(10.21, 60, 10), NoteOff(10.5, 60)):
        early.send(event)
    times = [event.time for event in out.sent]
    assert times == sorted(times)
    assert times[2] > times[1]
    early.silence()
    assert out.silenced == 1
