"""Whether the knobs do what they say: each is turned on held-out calls, and its outcome measured.

For each call and each place of a knob one answer, all else unset. Adherence is Spearman's rank correlation
of the knob with the outcome over all answers, and, beside it, its mean within a call. For the scale it is
the share of notes that lie in it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, Note, notes_of
from duet.request import Character, Request
from duet.scale import key_of_pitches, pitch_classes
from models.kept_rows import Desk, Row
from models.partner_overlap import closeness_of

PLACES: dict[str, tuple[float, ...]] = {
    "density": (1.0, 2.0, 4.0, 8.0, 14.0),
    "loudness": (30, 45, 60, 75, 95),
    "register": (45, 52, 60, 68, 76),
    "closeness": (0.0, 0.25, 0.5, 0.75, 1.0),
    "temperature": (0.3, 0.6, 1.0, 1.5, 2.0),
    "length": (3.0, 5.0, 8.0, 12.0, 16.0),
}
SCALES = ("C major", "F# minor", "Bb major", "A natural minor", "Eb minor pentatonic", "call")
SECONDS = 8.0


def density_of(notes: Sequence[Note]) -> float:
    """Notes a second, from the first onset to the last release."""
    return len(notes) / max(0.5, max(note.offset for note in notes) - notes[0].onset)


def variety(notes: Sequence[Note]) -> float:
    """How little repeats: the entropy of pairs of step and wait, as a share of the most there can be."""
    waits = np.diff([note.onset for note in notes])
    classes = np.clip(np.round(2 * np.log2(np.maximum(waits, 0.025) / 0.025)), 0, 15).astype(int)
    steps = np.diff([note.pitch for note in notes])
    counts = np.array(list(Counter(zip(steps.tolist(), classes.tolist(), strict=True)).values()))
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(max(2, len(steps))))


def inner_closeness(call: Sequence[Note]) -> float:
    """How close a call's second half is to its first: how alike anything can be to it."""
    middle = (call[0].onset + call[-1].onset) / 2
    halves = [[note for note in call if (note.onset < middle) == first] for first in (True, False)]
    return closeness_of(*halves) if min(map(len, halves)) >= 4 else 0.5


@dataclass(frozen=True, slots=True)
class Answered:
    """A call and its answer."""

    call: Sequence[Event]
    answer: Sequence[Event]
    heard: Sequence[Note]
    """The call's notes."""
    notes: Sequence[Note]
    """The answer's."""


Outcome = Callable[[Answered], float]
OUTCOMES: dict[str, tuple[str, Outcome]] = {
    "density": ("density", lambda it: density_of(it.notes)),
    "loudness": ("loudness", lambda it: float(np.mean([note.velocity for note in it.notes]))),
    "register": ("register", lambda it: float(np.mean([note.pitch for note in it.notes]))),
    "closeness": ("closeness", lambda it: closeness_of(it.heard, it.notes)),
    "closeness_for_its_call": (
        "closeness",
        lambda it: closeness_of(it.heard, it.notes) / max(0.05, inner_closeness(it.heard)),
    ),
    "temperature_variety": ("temperature", lambda it: variety(it.notes)),
    "length": ("length", lambda it: max(note.offset for note in it.notes)),
}
"""What each knob is measured by; a knob may have more than one outcome."""


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """The correlation of ranks; equal values share theirs."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def judge_knobs(
    partner: Any,
    calls: Sequence[Sequence[Event]],
    seed: int = 0,
    knobs: Sequence[str] = tuple(PLACES),
    surprise: Callable[[Sequence[Event], Sequence[Event]], float] | None = None,
    desk: Desk | None = None,
) -> dict[str, Any]:
    """Adherence of each knob over some calls.

    surprise: how surprising an answer is after a call, which temperature is measured by; None leaves that out. desk:
    where the rows are kept, those of the first calls for more calls, too.
    """
    bench = Bench(partner, calls, seed, knobs, surprise)
    options = f"{seed} {knobs} {bool(surprise)}"
    rows = (desk or Desk()).rows("knobs", __name__, bench.row, len(calls), options)
    found: dict[str, list[tuple[int, float, float]]] = {name: [] for name in bench.outcomes}
    for number, row in enumerate(rows):
        for name, seen in row["outcomes"].items():
            found[name] += [(number, value, outcome) for value, outcome in seen]
    return {
        "calls": len(calls),
        "adherence": {
            name: _adherence(seen, PLACES[bench.outcomes[name][0]]) for name, seen in found.items() if seen
        },
        "in_scale": {
            scale: round(float(np.mean([hit for row in rows for hit in row["in_scale"][scale]])), 4)
            for scale in SCALES
        },
    }


@dataclass(frozen=True, slots=True)
class Bench:
    """What is turned on which calls."""

    partner: Any
    calls: Sequence[Sequence[Event]]
    seed: int
    knobs: Sequence[str]
    surprise: Callable[[Sequence[Event], Sequence[Event]], float] | None

    @property
    def outcomes(self) -> dict[str, tuple[str, Outcome]]:
        """What the knobs that are turned are measured by."""
        outcomes = {name: how for name, how in OUTCOMES.items() if how[0] in self.knobs}
        if (surprise := self.surprise) and "temperature" in self.knobs:
            outcomes["temperature"] = "temperature", lambda it: surprise(it.call, it.answer)
        return outcomes

    def row(self, number: int) -> Row:
        """By outcome, its value at each place of its knob; by scale, which notes lie in it."""
        heard = self.calls[number]
        call = notes_of(heard)
        self.partner.forget()
        for event in heard:
            self.partner.hear(event)
        outcomes = self.outcomes
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in outcomes}
        for knob in self.knobs:
            for value in PLACES[knob]:
                events = self._say(number, value) if knob == "length" else self._say(number, **{knob: value})
                it = Answered(heard, events, call, notes_of(events))
                if len(it.notes) >= 3:
                    for name, (by, outcome) in outcomes.items():
                        if by == knob:
                            found[name].append((value, float(outcome(it))))
        inside = {}
        for scale in SCALES:
            name = key_of_pitches(note.pitch for note in call[-100:]) if scale == "call" else scale
            allowed = pitch_classes(name)
            inside[scale] = [note.pitch % 12 in allowed for note in notes_of(self._say(number, key=scale))]
        return {"outcomes": found, "in_scale": inside}

    def _say(self, number: int, seconds: float = SECONDS, **settings: Any) -> list[Event]:
        """One answer to the call heard last, which is then taken back."""
        events = list(self.partner.respond(Request(1, seconds, Character(**settings), self.seed + number)))
        self.partner.cut(0.0)
        return events


def _adherence(rows: Sequence[tuple[int, float, float]], places: Sequence[float]) -> dict[str, Any]:
    medians = {value: [row[2] for row in rows if row[1] == value] for value in places}
    return {
        "spearman": round(spearman(*_columns(rows)), 3),
        "within_a_call": round(_within(rows), 3),
        "median_by_place": {
            f"{value:g}": round(float(np.median(seen)), 2) for value, seen in medians.items() if seen
        },
    }


def _columns(rows: Sequence[tuple[int, float, float]]) -> tuple[list[float], list[float]]:
    return [row[1] for row in rows], [row[2] for row in rows]


def _within(rows: Sequence[tuple[int, float, float]]) -> float:
    calls = sorted({row[0] for row in rows})
    each = [spearman(*_columns([row for row in rows if row[0] == call])) for call in calls]
    return float(np.nanmean(each))
