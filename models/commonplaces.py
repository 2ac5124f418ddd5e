"""Runs of eight pitches that the training set has: an answer avoids them a little.

Broken chords, scales, a pattern of the left hand: what many pieces have, a network finds likeliest, so that its
answers have more of it than any one piece has. The runs are kept as a Bloom filter (Bloom 1970): 2 ** 25 bits
say "never" or "very likely" of any run, and give no music back.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from models.events import KEYS

LENGTH = 8
BITS = 25
FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F],
    np.uint64,
)
"""Odd numbers, one for each bit that a run sets."""
ALL_KEYS = np.arange(KEYS, dtype=np.uint64)


def _places(runs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Which bits runs stand for. (...) -> (..., 5)."""
    mixed = runs ^ (runs >> np.uint64(29))
    return (mixed[..., None] * FACTORS) >> np.uint64(64 - BITS)


class Commonplaces:
    """The runs that are known."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        """bits: (2 ** 22,), eight to a byte, the first the highest."""
        self._bits = bits

    def after(self, keys: Sequence[int]) -> NDArray[np.bool_]:
        """For each next key, whether it would complete a known run. keys: struck last, 0..87 -> (88,)."""
        if len(keys) < LENGTH - 1:
            return np.zeros(KEYS, bool)
        run = 0
        for key in keys[1 - LENGTH :]:
            run = run << 7 | key
        places = _places(np.uint64(run << 7) | ALL_KEYS)
        bits = self._bits[places >> np.uint64(3)] >> (7 - (places & np.uint64(7))).astype(np.uint8) & 1
        found: NDArray[np.bool_] = bits.all(-1)
        return found


def save_commonplaces(runs: NDArray[np.uint64], path: Path) -> None:
    """Write the filter of some runs."""
    bits = np.zeros(2**BITS, bool)
    bits[_places(runs).ravel()] = True
    save_file({"bits": np.packbits(bits)}, path, {"kind": "commonplaces"})


def load_commonplaces(path: Path) -> Commonplaces | None:
    """The filter of a file, None if there is no such file."""
    if not path.exists():
        return None
    with safe_open(path, "np") as file:
        return Commonplaces(file.get_tensor("bits"))
