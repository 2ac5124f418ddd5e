"""Whether the knobs do what they say: each is turned on held-out calls, and its outcome measured.

For each call and each place of a knob one answer, all else unset. Adherence is Spearman's rank correlation
of the knob with the outcome over all answers, and, beside it, its mean within a call. For the scale it is
the share of notes that lie in it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, Note, notes_of
from duet.request import Character, Request
from duet.scale import key_of_pitches, pitch_classes
from models.partner_overlap import closeness_of, histograms

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


def surprise(notes: Sequence[Note]) -> float:
    """How varied the pitches are: the entropy of their classes, in nats."""
    shares = histograms(notes)["pitch_class"]
    return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())


OUTCOMES: dict[str, Callable[[Sequence[Note], Sequence[Note]], float]] = {
    "density": lambda call, notes: density_of(notes),
    "loudness": lambda call, notes: float(np.mean([note.velocity for note in notes])),
    "register": lambda call, notes: float(np.mean([note.pitch for note in notes])),
    "closeness": closeness_of,
    "temperature": lambda call, notes: surprise(notes),
    "length": lambda call, notes: max(note.offset for note in notes),
}


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """The correlation of ranks; equal values share theirs."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def judge_knobs(
    partner: Any, calls: Sequence[Sequence[Event]], seed: int = 0, knobs: Sequence[str] = tuple(PLACES)
) -> dict[str, Any]:
    """Adherence of each knob over some calls."""
    found: dict[str, list[tuple[int, float, float]]] = {knob: [] for knob in knobs}
    inside: dict[str, list[float]] = {scale: [] for scale in SCALES}
    for number, heard in enumerate(calls):
        call = notes_of(heard)
        partner.forget()
        for event in heard:
            partner.hear(event)

        def say(seconds: float, number: int = number, **settings: Any) -> list[Note]:
            request = Request(1, seconds, Character(**settings), seed + number)
            notes = notes_of(list(partner.respond(request)))
            partner.cut(0.0)
            return notes

        for knob in knobs:
            for value in PLACES[knob]:
                notes = say(value) if knob == "length" else say(SECONDS, **{knob: value})
                if len(notes) >= 2:
                    found[knob].append((number, value, OUTCOMES[knob](call, notes)))
        for scale in SCALES:
            name = key_of_pitches(note.pitch for note in call[-100:]) if scale == "call" else scale
            allowed = pitch_classes(name)
            inside[scale] += [note.pitch % 12 in allowed for note in say(SECONDS, key=scale)]
    return {
        "adherence": {
            knob: {
                "spearman": round(spearman(*_columns(rows)), 3),
                "within_a_call": round(_within(rows), 3),
                "median_by_place": {
                    f"{value:g}": round(float(np.median([row[2] for row in rows if row[1] == value])), 2)
                    for value in PLACES[knob]
                },
            }
            for knob, rows in found.items()
        },
        "in_scale": {scale: round(float(np.mean(hits)), 4) for scale, hits in inside.items()},
    }


def _columns(rows: Sequence[tuple[int, float, float]]) -> tuple[list[float], list[float]]:
    return [row[1] for row in rows], [row[2] for row in rows]


def _within(rows: Sequence[tuple[int, float, float]]) -> float:
    calls = sorted({row[0] for row in rows})
    each = [spearman(*_columns([row for row in rows if row[0] == call])) for call in calls]
    return float(np.nanmean(each))
