"""What closeness to a call is made of: how near an answer is to be, and how a phrase went on from its strokes."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

NEAR = (0.0, 0.25, 0.5, 0.75, 1.0), (0.2, 0.37, 0.5, 0.6, 0.9)
"""Where the knob is, and the closeness that an answer is to have there, as `models/partner_overlap.py` measures it."""
Stroke = tuple[float, int, int]
"""Seconds, pitch, velocity."""


def kinship_at(closeness: float) -> float:
    """How much of the lean to the call's pitch classes is left; below the middle it soon turns away from them."""
    return 8 * closeness**2 - 1 if closeness < 0.5 else 4 * closeness - 0.6


def wait_class(seconds: float) -> int:
    """Half octaves above 25 ms, 0 .. 15."""
    return int(np.clip(np.ceil(2 * np.log2(max(seconds, 1e-4) / 0.025)), 0, 15))


def continuations(strokes: Sequence[Stroke]) -> dict[tuple[int, ...], set[int]]:
    """What was struck after each stroke and each two in a row, and at all."""
    pitches = [pitch for _, pitch, _ in strokes]
    found: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for place in range(1, len(pitches)):
        for back in (0, 1, 2):
            if place >= back:
                found[tuple(pitches[place - back : place])].add(pitches[place])
    return dict(found)
