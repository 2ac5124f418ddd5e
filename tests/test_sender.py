"""What leaves the sender, in real time but with no clock asserted closer than its promise needs."""

import threading
import time

from duet.note import NoteOff, NoteOn, Pedal
from duet.route import Echoes
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


def test_a_key_that_both_hands_hold_sounds_until_both_let_go() -> None:
    wire = Wire(3)
    sender = Sender(wire.write)
    sender.through((0x90, 60, 50))
    sender.send(NoteOn(time.monotonic(), 60, 80))
    assert wire.done.wait(5)
    sender.silence()
    assert [message for _, message in wire.sent] == [[0x90, 60, 50], [0x80, 60, 64], [0x90, 60, 80]]
    sender.through((0x80, 60, 64))
    assert wire.sent[-1][1] == [0x80, 60, 64]
    sender.close()


def test_silence_ends_the_answer_and_not_what_the_player_holds_or_the_clock() -> None:
    wire = Wire(4)
    sender = Sender(wire.write, channel=3)
    now = time.monotonic()
    sender.through((0x90, 40, 50))
    sender.schedule((0xF8,), now + 0.1)
    sender.send(NoteOn(now, 60, 80))
    sender.send(NoteOn(now + 0.05, 64, 80))
    while len(wire.sent) < 2:
        time.sleep(0.001)
    sender.silence()
    assert wire.done.wait(5)
    assert [message for _, message in wire.sent] == [[0x90, 40, 50], [0x93, 60, 80], [0x83, 60, 64], [0xF8]]
    sender.panic()
    assert [0x80, 40, 64] in [message for _, message in wire.sent]
    assert [0xBF, 120, 0] in [message for _, message in wire.sent]
    sender.close()


def test_what_leaves_is_known_when_it_comes_back() -> None:
    echoes = Echoes()
    wire = Wire(1)
    sender = Sender(wire.write, echoes=echoes)
    sender.send(NoteOn(time.monotonic(), 60, 80))
    assert wire.done.wait(5)
    assert echoes.is_echo((0x90, 60, 80), time.monotonic())
    sender.close()
