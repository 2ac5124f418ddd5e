"""What a frame's past says about it, key by key: how long keys sound, and what came the last time.

The planes of frame t are made of the frames before t alone, without learning. Three of them remember the
piece itself: where the last frames have come before, they show the frame that followed then.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.benchmark_sets import Frames, Rolls

PLANES = ("last", "before last", "repeat", "likeness", "vote", "lately", "of late", "so far", "on", "off")
"""repeat: what followed the longest exact repeat; likeness: what followed the best soft match; vote: all
exact matches, longer ones counting more; lately, of late, so far: averages that halve in 2, 8 and 32 frames;
on, off: for how long the key has sounded or been silent."""
SCALARS = ("repeat", "likeness", "matches", "notes", "struck", "let go", "time")
LONGEST_LOOK = 1500
"""Frames back that matches are looked for."""
FADE = 0.8
"""How much less each frame further back counts in a soft match."""


@njit(cache=True)
def _past_of(roll, planes, scalars):  # type: ignore[no-untyped-def]
    length, keys = roll.shape
    # exact[lag], soft[lag]: how well the frames up to t - 1 agree with those up to t - 1 - lag
    exact = np.zeros(LONGEST_LOOK + 1, np.int32)
    soft = np.zeros(LONGEST_LOOK + 1, np.float32)
    sums = np.zeros(length + 1, np.int32)
    averages = np.zeros((3, keys), np.float32)
    rates = (0.7071, 0.917, 0.9786)
    age = np.zeros(keys, np.int32)
    vote = np.zeros(keys, np.float32)
    for t in range(length):
        sums[t] = roll[t].sum()
    for t in range(1, length):
        last = roll[t - 1]
        best_exact = best_soft = 0
        top_soft = np.float32(0)
        weights = np.float32(0)
        matches = 0
        vote[:] = 0
        for lag in range(1, min(t, LONGEST_LOOK + 1)):
            other = roll[t - 1 - lag]
            common = np.int32(0)
            for k in range(keys):
                common += last[k] & other[k]
            union = sums[t - 1] + sums[t - 1 - lag] - common
            exact[lag] = exact[lag] + 1 if common == union else 0
            alike = common / union if union else 1.0
            soft[lag] = FADE * soft[lag] + alike
            if exact[lag] > (exact[best_exact] if best_exact else 0):
                best_exact = lag
            if soft[lag] > top_soft + 1e-4:
                top_soft, best_soft = soft[lag], lag
            if exact[lag]:
                matches += 1
                weight = np.float32(1.5 ** min(exact[lag], 16))
                weights += weight
                for k in range(keys):
                    vote[k] += weight * roll[t - lag, k]
        struck = let_go = 0
        for k in range(keys):
            before = roll[t - 2, k] if t > 1 else 0
            struck += last[k] > before
            let_go += last[k] < before
            age[k] = age[k] + 1 if last[k] == before else 1
            for rate in range(3):
                averages[rate, k] = rates[rate] * averages[rate, k] + (1 - rates[rate]) * last[k]
                planes[t, k, 5 + rate] = np.uint8(255 * averages[rate, k] + 0.5)
            planes[t, k, 0] = 255 * last[k]
            planes[t, k, 1] = 255 * before
            planes[t, k, 2] = 255 * roll[t - best_exact, k] if best_exact else 0
            planes[t, k, 3] = 255 * roll[t - best_soft, k] if best_soft else 0
            planes[t, k, 4] = np.uint8(255 * vote[k] / weights + 0.5) if weights else 0
            how_long = np.uint8(min(255.0, 40 * math.log(1.0 + age[k])))
            planes[t, k, 8 if last[k] else 9] = how_long
            planes[t, k, 9 if last[k] else 8] = 0
        scalars[t, 0] = math.log(1.0 + (exact[best_exact] if best_exact else 0)) / 3
        scalars[t, 1] = top_soft * (1 - FADE)
        scalars[t, 2] = math.log(1.0 + matches) / 4
        scalars[t, 3] = sums[t - 1] / 8
        scalars[t, 4] = struck / 4
        scalars[t, 5] = let_go / 4
        scalars[t, 6] = math.log(1.0 + t) / 5


def past_of(roll: Frames) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Planes (T, keys, PLANES), 0..255, and scalars (T, SCALARS) of one piece's frames; frame 0 knows nothing."""
    planes = np.zeros((*roll.shape, len(PLANES)), np.uint8)
    scalars = np.zeros((len(roll), len(SCALARS)), np.float32)
    _past_of(roll, planes, scalars)
    return planes, scalars


def past_of_pieces(rolls: Rolls) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The same for every piece of a split, one after another."""
    parts = [past_of(piece) for piece in rolls.pieces()]
    return np.concatenate([planes for planes, _ in parts]), np.concatenate([scalars for _, scalars in parts])
