"""What the network is told of the notes, frame by frame: dense, causal, without look-ahead.

Sparse onsets alone are the hardest conditioning there is (the known failure of piano-roll WaveNets), so each
key says in every frame how it was struck, how long ago, and whether it still sounds.

Features of a frame: for each of 88 keys the onset velocity, the velocity while it rings (held by hand or
pedal), that velocity fading since the onset with 60 ms and with 1 s, and the velocity fading with 80 ms since
the damper fell; then the pedal. Velocities are in 0..1.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from duet.roll import Frame
from models.partials import KEYS, LOWEST, key_of

KINDS = 5
FEATURES = KINDS * KEYS + 1
_TIMES = (0.060, 1.0, 0.080)
_FORGOTTEN = 1e-4


def fold(frame: Frame) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Onset and release (KEYS,) of a frame; pitches beyond the keyboard go to their nearest octave on it."""
    keyboard = slice(LOWEST, LOWEST + KEYS)
    onset, release = frame.onset[keyboard].copy(), frame.release[keyboard].copy()
    for pitch in np.flatnonzero(frame.onset + frame.release):
        if not LOWEST <= pitch < LOWEST + KEYS:
            key = key_of(int(pitch))
            onset[key] = max(onset[key], frame.onset[pitch])
            release[key] = max(release[key], frame.release[pitch])
    return onset, release


def fold_all(frames: Sequence[Frame]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Onset, release (frames, KEYS) and pedal (frames,) of a whole roll."""
    pairs = [fold(frame) for frame in frames]
    onset = np.array([pair[0] for pair in pairs], np.float32).reshape(-1, KEYS)
    release = np.array([pair[1] for pair in pairs], np.float32).reshape(-1, KEYS)
    return onset, release, np.array([frame.pedal for frame in frames], np.float32)


def fadings(frame_rate: float) -> NDArray[np.float32]:
    """What each fading feature is multiplied by from frame to frame: (3,)."""
    return np.exp(-1 / (np.array(_TIMES) * frame_rate)).astype(np.float32)


def silent_features() -> NDArray[np.float32]:
    """The state of a keyboard at rest: (KINDS, KEYS), the last features of each key."""
    return np.zeros((KINDS, KEYS), np.float32)


@njit(nogil=True)
def next_features(state, onset, release, pedal, fading, out):
    """Move `state` on by one frame in place and write the frame's features.

    onset, release: (KEYS,); pedal: 0..1; fading: (3,) -> out: (FEATURES,).
    """
    for key in range(KEYS):
        state[0, key] = onset[key]
        for kind in range(3):
            state[2 + kind, key] *= fading[kind]
            if state[2 + kind, key] < _FORGOTTEN:
                state[2 + kind, key] = 0
        struck_before = state[1, key]
        if onset[key] > 0:
            state[1, key] = onset[key]
            state[2, key] = onset[key]
            state[3, key] = onset[key]
        if release[key] > 0:
            state[4, key] = max(struck_before, onset[key])
            state[1, key] = 0
            state[2, key] = 0
            state[3, key] = 0
    for kind in range(KINDS):
        for key in range(KEYS):
            out[kind * KEYS + key] = state[kind, key]
    out[KINDS * KEYS] = pedal


@njit(cache=True, nogil=True)
def _fill(state, onset, release, pedal, fading, out):
    row = np.empty(FEATURES, np.float32)
    for frame in range(onset.shape[0]):
        next_features(state, onset[frame], release[frame], pedal[frame], fading, row)
        out[frame] = row


def features_of(
    onset: NDArray[np.float32], release: NDArray[np.float32], pedal: NDArray[np.float32], frame_rate: float
) -> NDArray[np.float32]:
    """The features of a whole roll: (frames, FEATURES)."""
    out = np.empty((len(onset), FEATURES), np.float32)
    _fill(silent_features(), onset, release, pedal, fadings(frame_rate), out)
    return out
