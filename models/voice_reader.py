"""The small network that reads the notes, frame by frame, as both kernels have it.

Its channels are made whole vectors by zeros, which stay zeros from layer to layer.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.columns import multiply, pack_columns, whole
from models.piano_ar_config import PianoArConfig
from models.piano_voice_config import QUIETEST, PianoVoiceConfig
from models.voice_features import FEATURES, fadings, next_features

Array = NDArray[np.float32]


def pack_reader(config: PianoVoiceConfig | PianoArConfig, weights: dict[str, Array]) -> dict[str, Array]:
    """The reader's tensors of a state dict, by the names that `read_notes` knows them by."""
    size, taps = whole(config.context), config.kernel
    wider = size - config.context
    layers = range(len(config.context_dilations))
    context = [weights[f"context.{layer}.weight"] for layer in layers]
    context_bias = np.zeros((len(layers), taps, size), np.float32)
    for layer in layers:
        context_bias[layer, 0, : config.context] = weights[f"context.{layer}.bias"]
    condition = weights["condition.weight"][:, :, 0]
    told = len(condition)
    return {
        "fading": fadings(config.sample_rate / config.hop_length),
        "read": np.pad(weights["read.weight"][:, :, 0].T, ((0, 0), (0, wider))),
        "read_bias": weights["read.bias"],
        "context": np.stack(
            [np.stack([pack_columns(_square(w[:, :, tap], size)) for tap in range(taps)]) for w in context]
        ),
        "context_bias": context_bias,
        "context_dilations": np.array(config.context_dilations),
        "condition": pack_columns(np.pad(condition, ((0, 0), (0, wider)))),
        "condition_bias": np.pad(weights["condition.bias"], (0, whole(told) - told)),
    }


def _square(weights: Array, size: int) -> Array:
    return np.pad(weights, ((0, size - len(weights)), (0, size - weights.shape[1])))


@njit(nogil=True, fastmath=True)
def read_notes(w, s, frame, steps, onset, release, pedal):
    """The context network for one frame: what every layer is told, into s.told[frame]."""
    code, heard = s.code[0], s.code[1]
    size = len(code)
    next_features(s.features, onset, release, pedal, w.fading, s.row[:FEATURES])
    for row in range(len(s.row) - FEATURES):
        power = np.float32(0)
        for step in range(frame * steps, (frame + 1) * steps):
            power += s.heard[row, step] * s.heard[row, step]
        s.row[FEATURES + row] = np.float32(0.1) * np.log(
            power / np.float32(steps) + np.float32(QUIETEST)
        ) + np.float32(1)
    for i in range(len(w.read_bias)):
        code[i] = w.read_bias[i]
    for feature in range(len(s.row)):
        value = s.row[feature]
        if value != 0:
            for i in range(size):
                code[i] += w.read[feature, i] * value
    for i in range(size):
        code[i] = max(code[i], np.float32(0))
    newest = s.context.shape[1] - 1
    taps = w.context.shape[1]
    weights, bias = w.context.ctypes.data, w.context_bias.ctypes.data
    for layer in range(len(w.context_dilations)):
        past = s.context[layer]
        for row in range(newest):
            for i in range(size):
                past[row, i] = past[row + 1, i]
        for i in range(size):
            past[newest, i] = code[i]
        for tap in range(taps):
            before = newest - (taps - 1 - tap) * w.context_dilations[layer]
            column = past.ctypes.data + before * past.strides[0]
            multiply(weights, column, bias, heard.ctypes.data, size, size, tap > 0)
            weights += w.context.strides[1]
            bias += w.context_bias.strides[1]
        for i in range(size):
            code[i] += max(heard[i], np.float32(0))
    told = s.told[frame]
    multiply(
        w.condition.ctypes.data, code.ctypes.data, w.condition_bias.ctypes.data, told.ctypes.data, len(told), size,
        False,
    )  # fmt: skip
