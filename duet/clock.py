"""MIDI clock: 24 ticks a beat in, a smooth tempo out. Pure; after the MIDI 1.0 specification, "System Real Time".

A tick arrives some milliseconds early or late (a JACK period, a USB frame). The filter of time and period is the
alpha-beta filter: with gains that shrink it is exactly the straight line of least squares through the ticks so
far; once they are MEMORY ticks old the gains stay, so old ticks fade and a tempo that changes is followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from duet.tempo import FASTEST, SLOWEST, Tempo

TICKS = 24
"""Ticks a beat."""
MEMORY = 96
"""Ticks after which the gains stay: four beats, so a new tempo is settled into within two bars."""
SETTLED = 12
"""Ticks after which the period is believed: half a beat."""
PAUSE = 60 / SLOWEST / TICKS * 2
"""Seconds without a tick after which the clock has paused."""
ASTRAY = 3
"""Ticks in a row far from where they should be, after which the tempo has jumped and is measured anew."""
CLOCK, START, CONTINUE, STOP, POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2


@dataclass(frozen=True, slots=True)
class Started:
    """The transport rolls; the next tick is this many beats into the song."""

    beat: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """The transport has stopped."""


class ClockIn:
    """Follows a clock. `tempo` is where its beats lie, None while that is not known."""

    def __init__(self, beats_in_bar: int = 4) -> None:
        self.rolling = False
        self.tempo: Tempo | None = None
        self._beats_in_bar = beats_in_bar
        self._position = 0
        """Ticks into the song of the next tick, while rolling."""
        self._heard_transport = False
        self._forget()

    def take(self, message: Sequence[int], time: float) -> list[Started | Stopped]:
        """Take one message of the clock, at the moment it came."""
        match message[0]:
            case 0xF8:
                return self._tick(time)
            case 0xFA | 0xFB:
                if message[0] == START:
                    self._position = 0
                self._heard_transport = self.rolling = True
                return [Started(self._position / TICKS)]
            case 0xFC:
                return self._stop(True)
            case 0xF2 if len(message) >= 3:  # in sixteenths, and only while stopped by the specification
                self._position = (message[1] | message[2] << 7) * TICKS // 4
        return []

    def check(self, now: float) -> list[Started | Stopped]:
        """Time has passed: a clock that no longer ticks has stopped, whether it says so or not."""
        return self._stop(False) if self._count and now - self._last > PAUSE else []

    def _stop(self, said: bool) -> list[Started | Stopped]:
        was_rolling, self.rolling, self.tempo = self.rolling, False, None
        if said:
            self._heard_transport = True
        else:
            self._forget()
        return [Stopped()] if was_rolling else []

    def _forget(self) -> None:
        self._count = 0
        """Ticks the filter has taken."""
        self._astray = 0
        self._last = self._smooth = self._period = 0.0

    def _tick(self, time: float) -> list[Started | Stopped]:
        news: list[Started | Stopped] = []
        if self._count and time - self._last > PAUSE:
            self._forget()
        self._last = time
        self._filter(time)
        if not self.rolling and not self._heard_transport and self._count > TICKS:
            self.rolling, self._position = (
                True,
                0,
            )  # a drum machine that never says start: bars count from here
            news.append(Started(0.0))
        if self.rolling:
            self._settle()
            self._position += 1
        return news

    def _filter(self, time: float) -> None:
        self._count += 1
        if self._count == 1:
            self._smooth = time
            return
        if self._count == 2:
            self._period, self._smooth = time - self._smooth, time
            return
        expected = self._smooth + self._period
        error = time - expected
        far = abs(error) > self._period / 3 + 0.01 and self._count > SETTLED
        self._astray = self._astray + 1 if far else 0
        if self._astray >= ASTRAY:
            self._count, self._astray, self._smooth = 1, 0, time
            return
        n = min(self._count, MEMORY)
        alpha = 2 * (2 * n - 1) / (n * (n + 1))
        beta = 6 / (n * (n + 1))
        if far:  # one tick late by chance says little
            alpha, beta = alpha / 4, beta / 4
        self._smooth = expected + alpha * error
        self._period += beta * error

    def _settle(self) -> None:
        """State the tempo, with this tick at its place in the song."""
        if self._count < SETTLED or self._period <= 0:
            return
        bpm = 60 / (TICKS * self._period)
        if SLOWEST <= bpm <= FASTEST:
            start = self._smooth - self._position * self._period
            self.tempo = Tempo(bpm, start, self._beats_in_bar)


def ticks_between(tempo: Tempo, first: int, until: float) -> list[tuple[int, float]]:
    """(tick number, when) of the ticks from number `first` on that are due before `until`."""
    ticks = []
    while (due := tempo.time_of(first / TICKS)) < until:
        ticks.append((first, due))
        first += 1
    return ticks


class Taps:
    """A tempo tapped by hand."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def tap(self, time: float, beats_in_bar: int = 4) -> Tempo | None:
        """One more tap; the tempo of the last few, with its beats on them; None until there are two."""
        if self._times and time - self._times[-1] > 60 / SLOWEST / 1.5:
            self._times.clear()
        self._times = [*self._times[-7:], time]
        if len(self._times) < 2:
            return None
        gaps = sorted(b - a for a, b in zip(self._times, self._times[1:], strict=False))
        bpm = 60 / gaps[len(gaps) // 2]
        return Tempo(bpm, self._times[0], beats_in_bar) if SLOWEST <= bpm <= FASTEST else None
