"""The player's keyboard: a thread polls its ports every millisecond, stamps, routes, hands over, and that is all.

Polling costs 0.4 ms in the median and is immune to what the callback suffers from: a close that never
returns and a busy interpreter that stalls JACK (`docs/live.md`).
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from duet.note import Event
from duet.plug import Plug
from duet.route import Bytes, Call, Moved, Router, Thru, Way
from duet.turn import HandOver

POLL = 0.001
"""Seconds between looks at the ports."""
IS_CLOCK = frozenset((0xF2, 0xF8, 0xFA, 0xFB, 0xFC))
"""Song position, clock, start, continue, stop."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who is told, besides the session. `thru` is called at once on the keyboard's thread, the others on the loop."""

    thru: Callable[[Bytes], None]
    moved: Callable[[Bytes, float], None]
    """A bound knob or pad, and when."""
    clock: Callable[[Bytes, float], None]
    """A message of the clock, and when."""


class Keyboard:
    """MIDI inputs as one `Listener`: `keys` are played on, `clock` only tells the time."""

    def __init__(
        self,
        keys: Sequence[Plug],
        clock: Plug | None,
        router: Router,
        ears: Ears,
        latency: float = 0.0,
        clock_on_keys: bool = False,
    ) -> None:
        """latency: seconds from a key's touching down to its message, taken off each stamp.

        clock_on_keys: the time is told on the ports that are played on.
        """
        self.keys = tuple(keys)
        self.clock = clock
        self._router = router
        self._ears = ears
        self._latency = latency
        self._clock_on_keys = clock_on_keys
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Event | HandOver | None] = asyncio.Queue()
        self._pressed: deque[Bytes] = deque()
        self._let_go = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="keyboard", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The port that is played on; empty while it is awaited."""
        names = [plug.name for plug in self.keys if plug.name]
        return names[-1] if names else ""

    async def __aiter__(self) -> AsyncIterator[Event | HandOver]:
        while (event := await self._inbox.get()) is not None:
            yield event

    def press(self, message: Bytes) -> None:
        """Take a message as if a key of the keyboard had sent it (the computer's keys do so)."""
        self._pressed.append(message)

    def play_on(self, keys: Sequence[Plug]) -> None:
        """Take other ports; what is down on the old ones comes up."""
        self.keys, self._let_go = tuple(keys), True

    def close(self) -> None:
        """End the listening; the iteration ends too."""
        self._closing.set()
        self._thread.join(timeout=2.0)
        self._inbox.put_nowait(None)

    def _poll(self) -> None:
        losses = 0
        while not self._closing.is_set():
            keys, clock = self.keys, self.clock
            busy = False
            for plug in keys:
                if message := plug.receive():
                    busy = True
                    self._take(message, self._clock_on_keys)
            if clock and (message := clock.receive()):
                busy = True
                self._tell_clock(message)
            if self._pressed:
                self._take(self._pressed.popleft(), False)
            if (lost := sum(plug.losses for plug in keys)) != losses or self._let_go:
                losses, self._let_go = lost, False
                self._go(self._router.let_go(time.monotonic()))
            if not busy:
                time.sleep(POLL)

    def _take(self, message: Sequence[int], with_clock: bool) -> None:
        if message[0] in IS_CLOCK:
            if with_clock:
                self._tell_clock(message)
            return
        self._go(self._router.take(message, time.monotonic() - self._latency))

    def _tell_clock(self, message: Sequence[int]) -> None:
        if message[0] in IS_CLOCK:
            self._hop(self._ears.clock, tuple(message), time.monotonic())

    def _go(self, ways: Sequence[Way]) -> None:
        for way in ways:
            match way:
                case Thru(message):
                    self._ears.thru(message)
                case Call(event):
                    self._hop(self._inbox.put_nowait, event)
                case Moved(message):
                    self._hop(self._ears.moved, message, time.monotonic())

    def _hop(self, call: Callable[..., None], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call, *values)
