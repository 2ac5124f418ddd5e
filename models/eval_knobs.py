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
) -> dict[str, Any]:
    """Adherence of each knob over some calls.

    surprise: how surprising an answer is after a call, which temperature is measured by; None leaves that out.
    """
    outcomes = {name: how for name, how in OUTCOMES.items() if how[0] in knobs}
    if surprise and "temperature" in knobs:
        outcomes["temperature"] = "temperature", lambda it: surprise(it.call, it.answer)
    found: dict[str, list[tuple[int, float, float]]] = {name: [] for name in outcomes}
    inside: dict[str, list[float]] = {scale: [] for scale in SCALES}
    for number, heard in enumerate(calls):
        call = notes_of(heard)
        partner.forget()
        for event in heard:
            partner.hear(event)

        def say(seconds: float, number: int = number, **settings: Any) -> list[Event]:
            request = Request(1, seconds, Character(**settings), seed + number)
            events = list(partner.respond(request))
            partner.cut(0.0)
            return events

        for knob in knobs:
            for value in PLACES[knob]:
                events = say(value) if knob == "length" else say(SECONDS, **{knob: value})
                it = Answered(heard, events, call, notes_of(events))
                if len(it.notes) >= 3:
                    for name, (by, outcome) in outcomes.items():
                        if by == knob:
                            found[name].append((number, value, outcome(it)))
        for scale in SCALES:
            name = key_of_pitches(note.pitch for note in call[-100:]) if scale == "call" else scale
            allowed = pitch_classes(name)
            inside[scale] += [note.pitch % 12 in allowed for note in notes_of(say(SECONDS, key=scale))]
    return {
        "adherence": {name: _adherence(rows, PLACES[outcomes[name][0]]) for name, rows in found.items()},
        "in_scale": {scale: round(float(np.mean(hits)), 4) for scale, hits in inside.items()},
    }


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
