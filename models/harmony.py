"""What pitch classes go with those that were played: the keys they may be in, and themselves.

Each of the 24 keys expects pitch classes as in Temperley's count of the Kostka and Payne corpus (Music and
Probability, 2007); what was played says how likely each key is. A handful of notes fits several keys, and
then the expectation is broad.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
KEYS = np.array([np.roll(mode, tonic) / sum(mode) for mode in (MAJOR, MINOR) for tonic in range(12)])
"""(24, 12): the share of each pitch class in each key."""
CAUTION = 0.5
"""Notes come in chords and repeat: each counts for this much of independent evidence."""
OWN = 0.4
"""Share of what was played itself in the expectation."""


def expectation(pitches: Iterable[int]) -> NDArray[np.float64]:
    """The share that each pitch class is expected to have in what follows. -> (12,), sums to 1."""
    counts = np.bincount([pitch % 12 for pitch in pitches], minlength=12).astype(float)
    evidence = CAUTION * np.log(KEYS) @ counts
    keys = np.exp(evidence - evidence.max())
    expected = keys / keys.sum() @ KEYS
    own = (counts + 0.2) / (counts + 0.2).sum()
    return (1 - OWN) * expected + OWN * own
