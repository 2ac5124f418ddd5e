"""What leaves the sender, in real time but with no clock asserted closer than its promise needs."""

import threading
import time

from duet.note import NoteOff, NoteOn, Pedal
from duet.sender import Sender


class Wire:
    def __init__(self, expect: int) -> None:
        self.sent: list[tuple[float, list[int]]] = []
        self.done = threading.Event()
        self.expect = expect

    def write(self, message: list[int]) -> None:
        self.sent.append((time.monotonic(), message))
        if len(self.sent) >= self.expect:
            self.done.set()


def test_events_leave_in_time_order_and_never_early() -> None:
    wire = Wire(3)
    sender = Sender(wire.write)
    now = time.monotonic()
    due = [now + 0.03, now + 0.01, now + 0.02]
    for time_due, pitch in zip(due, (62, 60, 61), strict=True):
        sender.send(NoteOn(time_due, pitch, 80))
    assert wire.done.wait(5)
    assert [message[1] for _, message in wire.sent[:3]] == [60, 61, 62]
    assert all(at >= time_due for (at, _), time_due in zip(wire.sent, sorted(due), strict=False))
    sender.close()


def test_a_release_leaves_before_a_press_of_the_same_moment() -> None:
    wire = Wire(2)
    sender = Sender(wire.write)
    moment = time.monotonic() + 0.02
    sender.send(NoteOn(moment, 60, 80))
    sender.send(NoteOff(moment, 60))
    assert wire.done.wait(5)
    assert [message[0] & 0xF0 for _, message in wire.sent] == [0x80, 0x90]
    sender.close()


def test_silence_drops_what_waits_and_ends_what_sounds() -> None:
    wire = Wire(2)
    sender = Sender(wire.write)
    now = time.monotonic()
    sender.send(Pedal(now, 127))
    sender.send(NoteOn(now, 60, 80))
    sender.send(NoteOn(now + 60, 64, 80))
    assert wire.done.wait(5)
    sender.silence()
    assert [message for _, message in wire.sent[2:]] == [[0x80, 60, 64], [0xB0, 64, 0]]
    sender.silence()
    assert len(wire.sent) == 4, "what is silent stays silent"
    sender.close()


def test_closing_silences_and_says_so_in_every_way_midi_has() -> None:
    wire = Wire(1)
    sender = Sender(wire.write)
    sender.send(NoteOn(time.monotonic(), 60, 80))
    assert wire.done.wait(5)
    sender.close()
    assert [message for _, message in wire.sent[1:]] == [[0x80, 60, 64], [0xB0, 64, 0], [0xB0, 123, 0]]
