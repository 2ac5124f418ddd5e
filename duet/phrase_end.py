"""When a phrase is over: policies, all pure, chosen by name with `--turn`.

A policy looks at the phrase so far and says when it will be over if nothing more is played. Silence counts
from the moment that no key and no pedal is held: those veto every policy but the bar line. Handing over
explicitly works whatever the policy, and so does taking the turn back by playing; both are the turn's business
(`duet/turn.py`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from duet.beat import LATELY, beat_of, strokes_of
from duet.entry import entry
from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.tempo import Tempo

CHORD = 0.03
"""Onsets closer than this many seconds are one chord."""
SHORTEST = 0.36
"""Seconds that every policy but a fixed silence waits at least: within less, too many players play on."""
FEW = 4
"""Chords that a phrase must have before it says much about its player."""
PAUSE, REST = 0.35, 1.5
"""Seconds: what a silence must have lasted for a partner to be asked whether it will last so long."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a partner expects after the event it heard last."""

    time: float
    """That event's, seconds."""
    rest: float
    """The chance, 0..1, that no key is struck for REST seconds after it, if none is for PAUSE."""

    def __post_init__(self) -> None:
        if not 0 <= self.rest <= 1:
            raise ValueError(f"a chance is 0 .. 1, got {self.rest}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a policy is shown of a call."""

    events: Sequence[Event]
    """Key and pedal events in order; of a long call the last."""
    began: float
    """When its first key went down, seconds."""
    quiet_since: float | None
    """When the last of keys and pedal came up; None while something is held."""
    expected: Expectation | None = None
    """What the partner expects after that; None if it has no idea or has not said so yet."""
    tempo: Tempo | None = None
    """The clock's, if one runs."""


@dataclass(frozen=True, slots=True)
class Ending:
    """When a phrase will be over."""

    time: float
    """When the turn is given over if nothing more is played, seconds."""
    begin: float | None = None
    """When the answer is to begin; None is as soon as can be."""
    bars: int | None = None
    """How many bars the answer may last; None if that is free."""
    spared_until: float = float("-inf")
    """Keys struck before this are the phrase's last notes and interrupt nothing."""


Policy = Callable[[Phrase], Ending | None]


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same silence for everybody."""

    seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 0.05 <= self.seconds <= 60:
            raise ValueError(f"a fixed silence must last 0.05 .. 60 s, got {self.seconds:g}")

    def __str__(self) -> str:
        return f"fixed:{self.seconds:g}"

    def __call__(self, phrase: Phrase) -> Ending | None:
        """Over `seconds` after all is let go."""
        return _after(phrase, self.seconds)


@dataclass(frozen=True, slots=True)
class Gaps:
    """A silence fitted to this player: twice the longest they have left in this phrase so far.

    Silences between chords played without the pedal, that is; who plays legato or with the pedal leaves none,
    and is answered after `shortest` seconds. A phrase of fewer than FEW onsets says little about its
    player, so it gets `cautious` seconds or more. Chosen on the corpus's validation split, against rules from
    inter-onset intervals (docs/results.md, "Turn-taking").
    """

    shortest: float = SHORTEST
    longest: float = 1.2
    """Seconds; no silence is waited for longer."""
    cautious: float = 0.7

    def __call__(self, phrase: Phrase) -> Ending | None:
        """Over when the silence is twice as long as any before it in this phrase."""
        if phrase.quiet_since is None:
            return None
        gaps, onsets = silences(phrase.events)
        least = self.shortest if onsets >= FEW else max(self.shortest, self.cautious)
        return _after(phrase, min(self.longest, max(least, 2 * max(gaps[-12:], default=0.0))))


@dataclass(frozen=True, slots=True)
class Learned:
    """What the partner expects: the less a long rest would surprise it here, the sooner the phrase is over.

    The wait is `shortest` where the odds of a rest are those of `certainty`, and grows with the square of what
    they fall short of it: a phrase is as good as over, or goes on. Where the partner has no idea (not every
    partner has one, nor in time) it is the gaps that decide.
    """

    certainty: float = 0.25
    """The chance of a rest, 0..1, that is certainty enough to answer after `shortest` seconds."""
    shortest: float = SHORTEST
    longest: float = 1.4
    """Seconds."""
    gaps: Gaps = Gaps()

    def __str__(self) -> str:
        return "learned"

    def __call__(self, phrase: Phrase) -> Ending | None:
        """Over the sooner, the likelier a rest."""
        if phrase.quiet_since is None or phrase.expected is None:
            return self.gaps(phrase)
        odds = phrase.expected.rest / max(1e-9, 1.0 - phrase.expected.rest)
        wanted = self.certainty / (1.0 - self.certainty)
        silence = min(self.longest, self.shortest * max(1.0, wanted / max(odds, 1e-9)) ** 2)
        _, onsets = silences(phrase.events)
        return _after(phrase, silence if onsets >= FEW else max(silence, self.gaps.cautious))


@dataclass(frozen=True, slots=True)
class Adaptive:
    """The player's own gaps while a phrase is short, then what the partner expects; a clear beat beside both.

    A duet's calls are short and each is followed by a silence, so a short phrase is likelier over than
    going on and the gaps are enough; who plays on for longer is in the flow, and the partner's ear is the
    better judge. Where the strokes keep a clear beat, the phrase is over when the next is `overdue` times
    as late as any before, and the answer begins on it (`duet/entry.py`).
    """

    learned: Learned = Learned()
    short: int = 12
    """Strokes up to which a phrase is short."""
    overdue: float = 1.3

    def __str__(self) -> str:
        return "adaptive"

    def __call__(self, phrase: Phrase) -> Ending | None:
        """Over when the first of these says so, rounded to the beat if there is one."""
        ending = self._by_silence(phrase)
        if phrase.quiet_since is None or ending is None or not (beat := beat_of(phrase.events)):
            return ending
        found = entry(ending.time, phrase.quiet_since, strokes_of(phrase.events), phrase.tempo or beat)
        return Ending(*found) if found else ending

    def _by_silence(self, phrase: Phrase) -> Ending | None:
        ending = self.learned(phrase)
        if phrase.quiet_since is None or ending is None or phrase.expected is None:
            return ending
        strokes = strokes_of(phrase.events)
        least = phrase.quiet_since + self.learned.shortest
        if len(strokes) <= self.short:
            by_gaps = self.learned.gaps(phrase)
            return ending if by_gaps is None or ending.time < by_gaps.time else by_gaps
        if ending.time > least and beat_of(phrase.events):
            longest = max(later - earlier for earlier, later in pairwise(strokes[-LATELY:]))
            return Ending(min(ending.time, max(least, strokes[-1] + self.overdue * longest)))
        return ending


@dataclass(frozen=True, slots=True)
class Bars:
    """Trade bars: the turn passes on a bar line of the clock, whatever is held; without a clock, `otherwise`."""

    count: int
    otherwise: Policy = Adaptive()

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 64:
            raise ValueError(f"bars to trade must be 1 .. 64, got {self.count}")

    def __str__(self) -> str:
        return f"bars:{self.count}"

    def __call__(self, phrase: Phrase) -> Ending | None:
        """Over `count` bars after the line that the phrase began on or led up to."""
        tempo = phrase.tempo
        if tempo is None:
            return self.otherwise(phrase)
        pickup = min(PICKUP, tempo.beats_in_bar / 2)
        bar = math.floor((tempo.beat_at(phrase.began) + pickup) / tempo.beats_in_bar)
        line = tempo.time_of((bar + self.count) * tempo.beats_in_bar)
        return Ending(line - PREPARATION, line, self.count, line + tempo.beat_s / 2)


PICKUP = 1.1
"""Beats before a bar line that belong to the bar they lead up to."""
PREPARATION = 0.12
"""Seconds before the bar line at which composing begins, so that the first note is ready on it."""


@dataclass(frozen=True, slots=True)
class Explicit:
    """Only the player says when: with a pedal (a controller number), a key, or in the face."""

    controls: tuple[int, ...] = (67, 66)
    """MIDI controllers that hand over when they go down: the soft and the sostenuto pedal."""
    pitch: int | None = None
    """A key that hands over and is not music; None for none."""

    def __post_init__(self) -> None:
        if not all(0 <= control <= 119 and control != 64 for control in self.controls):
            raise ValueError(f"a hand-over pedal must be a controller 0..119 but 64, got {self.controls[0]}")
        if self.pitch is not None and not 0 <= self.pitch <= 127:
            raise ValueError(f"a hand-over key must be a pitch 0..127, got {self.pitch}")

    def __str__(self) -> str:
        if self.pitch is not None:
            return f"key:{self.pitch}"
        return "pedal" if self == Explicit() else f"pedal:{self.controls[0]}"

    @classmethod
    def usual(cls) -> "Explicit":
        """What hands over under the other policies: the sostenuto pedal, which the piano's music seldom needs."""
        return cls((66,))

    def __call__(self, phrase: Phrase) -> Ending | None:
        """Never by itself."""
        return None

    def uses(self, message: Sequence[int]) -> bool:
        """Whether the bytes of a MIDI message are of that pedal or key, and so none of the music's."""
        kind = message[0] & 0xF0
        return (kind == 0xB0 and message[1] in self.controls and self.pitch is None) or (
            kind in (0x80, 0x90) and message[1] == self.pitch
        )

    def gives(self, message: Sequence[int]) -> bool:
        """Whether a message that it uses gives the turn away: going down does, coming up does not."""
        return message[2] >= 64 if message[0] & 0xF0 == 0xB0 else message[0] & 0xF0 == 0x90 and message[2] > 0


def silences(events: Sequence[Event]) -> tuple[list[float], int]:
    """(the silences in which nothing was held, seconds; how many chords were struck)."""
    onsets, last_onset = 0, float("-inf")
    gaps: list[float] = []
    held: set[int] = set()
    pedal_down, quiet_since = False, None
    for event in events:
        match event:
            case NoteOn(time, pitch, _):
                if quiet_since is not None and not held and not pedal_down:
                    gaps.append(time - quiet_since)
                if time - last_onset > CHORD:
                    onsets, last_onset = onsets + 1, time
                held.add(pitch)
            case NoteOff(time, pitch):
                held.discard(pitch)
                quiet_since = time
            case Pedal(time, _):
                if pedal_down != event.down:
                    pedal_down, quiet_since = event.down, time
    return gaps, onsets


def _after(phrase: Phrase, seconds: float) -> Ending | None:
    return None if phrase.quiet_since is None else Ending(phrase.quiet_since + seconds)
