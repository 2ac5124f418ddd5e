"""Sends MIDI on time: one thread that sleeps until a millisecond before an event is due and spins the rest.

Measured against sleeping all the way it is five times as punctual (`docs/live.md`). It keeps the list of
what really sounds at the other end, for each of the two hands that play there, the partner's and the
player's own (thru), so `silence` ends exactly what the partner began.
"""

import contextlib
import heapq
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from duet.midi import SUSTAIN, message_of
from duet.note import Event, order
from duet.route import Echoes

logger = logging.getLogger(__name__)

SPIN = 0.001
"""Seconds before an event is due from which the thread no longer sleeps."""
KEPT = 10_000
"""How many latenesses are kept for the benchmark."""
PARTNER, PLAYER = 0, 1
"""The hands."""


class Hand:
    """What one hand has down at the other end."""

    def __init__(self) -> None:
        self.keys: set[tuple[int, int]] = set()
        """(channel, pitch) of each."""
        self.pedals: dict[int, int] = {}
        """The sustain pedal's value on each channel where it is not up."""


class Sender:
    """A `MidiOut` over any function that sends the bytes of one message at once. channel: 0..15."""

    def __init__(
        self, write: Callable[[Sequence[int]], None], channel: int = 0, echoes: Echoes | None = None
    ) -> None:
        """What leaves is told to `echoes`, so that it is known if it comes back."""
        self._port = write
        self._refused = False
        self.channel = channel
        self._echoes = echoes
        self._waiting: list[tuple[float, int, int, Any]] = []
        """(time, rank, count, an Event or the bytes of a message)."""
        self._count = count()
        self._condition = threading.Condition()
        self._hands = (Hand(), Hand())
        self._closed = False
        self.lateness: list[float] = []
        """Seconds by which each event left late, for `duet bench live`."""
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def send(self, event: Event) -> None:
        """Send the event at its time (`time.monotonic()`); at once if that is past."""
        self._wait(*order(event), event)

    def schedule(self, message: Sequence[int], time: float) -> None:
        """Send a message that is nobody's note (the clock's) at that time; `silence` lets it be."""
        self._wait(time, -1, tuple(message))

    def unschedule(self) -> None:
        """Drop the clock's messages that have not left."""
        with self._condition:
            self._waiting = [item for item in self._waiting if not _is_clock(item[3])]
            heapq.heapify(self._waiting)

    def through(self, message: Sequence[int]) -> None:
        """Send what the player plays, now, from the calling thread."""
        with self._condition:
            if not self._closed:
                self._emit(PLAYER, message)

    def silence(self) -> None:
        """Drop what waits of the answer; end what sounds of it, now, from the calling thread."""
        with self._condition:
            self._waiting = [item for item in self._waiting if isinstance(item[3], tuple)]
            heapq.heapify(self._waiting)
            self._lift(PARTNER)

    def panic(self) -> None:
        """Silence both hands, and tell the other end so in every way MIDI has, on all channels."""
        self.silence()
        with self._condition:
            self._lift(PLAYER)
            for channel in range(16):
                for controller in (64, 120, 123):
                    self._out((0xB0 | channel, controller, 0))

    def close(self) -> None:
        """Silence both hands, and say so on our channel (CC 64, CC 123); end the thread."""
        self.silence()
        with self._condition:
            self._lift(PLAYER)
            self._closed = True
            self._condition.notify()
            self._out((0xB0 | self.channel, 64, 0))
            self._out((0xB0 | self.channel, 123, 0))
        self._thread.join(timeout=2.0)

    def _wait(self, time: float, rank: int, item: object) -> None:
        with self._condition:
            heapq.heappush(self._waiting, (time, rank, next(self._count), item))
            self._condition.notify()

    def _run(self) -> None:
        with contextlib.suppress(AttributeError, PermissionError, OSError):  # real time where it is allowed
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))
        with self._condition:
            while not self._closed:
                if not self._waiting:
                    self._condition.wait()
                    continue
                due = self._waiting[0][0]
                ahead = due - time.monotonic()
                if ahead > SPIN:
                    self._condition.wait(ahead - SPIN)
                    continue
                item = heapq.heappop(self._waiting)[3]
                while time.monotonic() < due:
                    pass
                if isinstance(item, tuple):
                    self._write(list(item))
                    continue
                self._emit(PARTNER, message_of(item, self.channel))
                if len(self.lateness) < KEPT:
                    self.lateness.append(time.monotonic() - due)

    def _emit(self, hand: int, message: Sequence[int]) -> None:
        """Send a hand's message as on one keyboard: a key is down until both let go; struck again it comes up first."""
        mine, other = self._hands[hand], self._hands[1 - hand]
        status, channel = message[0] & 0xF0, message[0] & 0x0F
        if status in (0x80, 0x90):
            key = (channel, message[1])
            if status == 0x90:
                if key in mine.keys or key in other.keys:
                    self._out((0x80 | channel, message[1], 64))
                mine.keys.add(key)
            else:
                mine.keys.discard(key)
                if key in other.keys:
                    return
        elif status == 0xB0 and message[1] == SUSTAIN:
            mine.pedals[channel] = message[2]
            message = (message[0], SUSTAIN, max(message[2], other.pedals.get(channel, 0)))
        self._out(message)

    def _lift(self, hand: int) -> None:
        """Let go of all a hand has down."""
        mine = self._hands[hand]
        for channel, pitch in sorted(mine.keys):
            self._emit(hand, (0x80 | channel, pitch, 64))
        for channel, value in mine.pedals.items():
            if value:
                self._emit(hand, (0xB0 | channel, SUSTAIN, 0))

    def _write(self, message: Sequence[int]) -> None:
        try:
            self._port(message)
            self._refused = False
        except Exception:  # a port may go at any moment; the thread that keeps time must not go with it
            if not self._refused:
                logger.exception("a MIDI message could not be sent")
            self._refused = True

    def _out(self, message: Sequence[int]) -> None:
        if self._echoes:
            self._echoes.sent(message, time.monotonic())
        self._write(list(message))


def _is_clock(item: object) -> bool:
    return isinstance(item, tuple) and item[0] >= 0xF0
