"""Keeps the beat: follows a MIDI clock or makes its own, and tells it to the session, the outs and the face.

Runs on the loop and only plans: ticks leave from the sender's thread, clicks sound in the audio callback, both
at the times written here a little ahead.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from duet.clock import CLOCK, CONTINUE, POSITION, START, STOP, TICKS, ClockIn, Stopped, Taps, ticks_between
from duet.news import Beat, Message, News
from duet.tempo import FASTEST, SLOWEST, Tempo

AHEAD = 0.12
"""Seconds ahead of their time that ticks and clicks are planned."""
WAKE = 0.03
"""Seconds between plannings."""
LEAD_IN = 0.5
"""Seconds from starting our own clock to its first beat."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where the beat goes."""

    follow: Callable[[Tempo | None], None]
    """The session takes the tempo; None when there is none."""
    stop: Callable[[], None]
    """The transport has stopped: end the answer."""
    observe: Callable[[News], None]
    schedule: Callable[[Sequence[int], float], None] | None
    """Clock messages to the MIDI out, if it is to have them."""
    unschedule: Callable[[], None]
    """Drop those not sent yet."""
    click: Callable[[float, bool], None]
    """A metronome's click: when, and whether it is a bar's first."""


class Conductor:
    """The beat of one session. source: the clock that is followed; None is our own, at `bpm`."""

    def __init__(
        self,
        source: ClockIn | None,
        bpm: float | None,
        metronome: bool,
        outlets: Outlets,
        beats_in_bar: int = 4,
    ) -> None:
        self.metronome = metronome
        self.tempo: Tempo | None = None
        self._source = source
        self._bpm = bpm
        self._beats_in_bar = beats_in_bar
        self._outlets = outlets
        self._taps = Taps()
        self._next_tick = 0
        self._next_beat = 0
        if source is None and (bpm or metronome):
            self._start_own()

    @property
    def follows(self) -> bool:
        """Whether somebody else's clock is followed."""
        return self._source is not None

    async def run(self) -> None:
        """Plan for ever."""
        while True:
            self._plan(_now())
            await asyncio.sleep(WAKE)

    def hear(self, message: Sequence[int], when: float) -> None:
        """A message of the clock that is followed."""
        if self._source:
            for news in self._source.take(message, when):
                self._transport(news, when)
            self._follow_source()

    def set_metronome(self, on: bool) -> None:
        """Click, or not; our own clock starts with it."""
        self.metronome = on
        if on and self._source is None and self.tempo is None:
            self._start_own()

    def set_bpm(self, bpm: float) -> None:
        """Our own clock's tempo, from now on. Raises ValueError."""
        if not SLOWEST <= bpm <= FASTEST:
            raise ValueError(f"a tempo must be {SLOWEST:.0f} .. {FASTEST:.0f} bpm, got {bpm:g}")
        if self._source:
            raise ValueError("the tempo is the clock's that Duet follows (--clock)")
        self._bpm = bpm
        if self.tempo is None:
            self._start_own()
        else:
            self._follow(self.tempo.changed(bpm, _now()))

    def tap(self, when: float) -> None:
        """One tap of the tempo; from the second on the beats fall on them."""
        if self._source:
            self._outlets.observe(Message("the tempo is the clock's that Duet follows (--clock)", True))
            return
        tapped = self._taps.tap(when, self._beats_in_bar)
        if tapped is None:
            return
        self._bpm = tapped.bpm
        if self.tempo is None:
            self._begin(tapped, when)
            return
        beat = round(self.tempo.beat_at(when))  # the count of beats goes on, the nearest falls on the tap
        self._follow(replace(tapped, start=when - beat * tapped.beat_s))

    def close(self) -> None:
        """The last message of the clock."""
        if self.tempo:
            self._stop_clock()

    def _start_own(self) -> None:
        now = _now()
        self._begin(Tempo(self._bpm or 100.0, now + LEAD_IN, self._beats_in_bar), now)

    def _begin(self, tempo: Tempo, now: float) -> None:
        """The transport rolls: the slaves start where we are."""
        self._next_tick = max(0, math.ceil(tempo.beat_at(now) * TICKS))
        self._next_beat = math.ceil(self._next_tick / TICKS)
        if self._outlets.schedule:
            if self._next_tick == 0:
                self._outlets.schedule((START,), tempo.time_of(0) - 0.001)
            else:
                sixteenth = -(-self._next_tick // 6)
                self._next_tick = 6 * sixteenth
                when = tempo.time_of(self._next_tick / TICKS) - 0.002
                self._outlets.schedule((POSITION, sixteenth & 0x7F, sixteenth >> 7 & 0x7F), when)
                self._outlets.schedule((CONTINUE,), when + 0.001)
        self._follow(tempo)

    def _follow(self, tempo: Tempo | None) -> None:
        self.tempo = tempo
        self._outlets.follow(tempo)

    def _follow_source(self) -> None:
        assert self._source
        tempo = self._source.tempo
        if tempo and self.tempo is None:
            self._begin(tempo, _now())
        elif tempo != self.tempo and tempo:
            self._follow(tempo)

    def _transport(self, news: object, when: float) -> None:
        if isinstance(news, Stopped):
            if self.tempo:
                self._stop_clock()
                self._follow(None)
            self._outlets.stop()
            self._outlets.observe(Message("the clock has stopped"))
        else:
            if self.tempo:  # started anew while rolling
                self._stop_clock()
                self._follow(None)
            self._outlets.observe(Message("the clock is running"))

    def _stop_clock(self) -> None:
        self._outlets.unschedule()
        if self._outlets.schedule:
            self._outlets.schedule((STOP,), _now())

    def _plan(self, now: float) -> None:
        if self._source:
            for news in self._source.check(now):
                self._transport(news, now)
        tempo = self.tempo
        if tempo is None:
            return
        if self._outlets.schedule:
            for number, when in ticks_between(tempo, self._next_tick, now + AHEAD):
                self._outlets.schedule((CLOCK,), when)
                self._next_tick = number + 1
        while (when := tempo.time_of(self._next_beat)) < now + AHEAD:
            if when > now - WAKE:
                self._outlets.observe(Beat(self._next_beat, tempo.bpm, when))
                if self.metronome:
                    self._outlets.click(when, self._next_beat % tempo.beats_in_bar == 0)
            self._next_beat += 1


def _now() -> float:
    return asyncio.get_running_loop().time()
