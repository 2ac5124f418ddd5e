"""The network of `biaxial`: Deep Jammer's, after Johnson's biaxial LSTM (2015).

Music is a grid of steps of 125 ms (a sixteenth at 120 a minute: live playing has no bars) by 88 keys, each
of which may sound and, if so, may be struck. An LSTM along time, shared by the keys, reads 128 steps x 88 keys
x 78 attributes; its output, transposed, and what the key below does in the next step go to an LSTM along
the keys; a dense layer and sigmoids say for each key how likely it sounds in the next step and, if it does, is struck.
The loss is the sum of both nats, the second only where a key sounds. It learns by Adadelta and generates by
feeding back what was drawn.

The 78 attributes of key k at step t, in their order:

    0        position: k / 88 (the original: k itself)
    1..12    pitch class of k, one of twelve
    13..62   vicinity: for each of the 25 keys k - 12 .. k + 12, whether it sounds, and whether it is held over
             from the step before rather than struck (the original: sounds, is struck)
    63..73   context: how many keys sound of each of the 11 other pitch classes, counted up from k's own (k's
             own is seen in the vicinity)
    74..77   beat: the last four binary digits of t, as -1 and 1

The published code has 80: all twelve classes in the context, and one that is always 0. It stacks two LSTMs on each
axis (300 and 300, 100 and 50) where its description and ours have one; ours are 128 and 64, to learn in minutes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.events import KEYS, LOWEST

STEP = 0.125
"""Seconds of a step."""
OCTAVE = 12
VICINITY = 2 * OCTAVE + 1
ATTRIBUTES = 1 + 12 + 2 * VICINITY + 11 + 4
Grid = NDArray[np.uint8]
"""(T, 88, 2): sounds, is struck."""


@dataclass(frozen=True, slots=True)
class BiaxialConfig:
    """Sizes."""

    time_width: int = 128
    key_width: int = 64
    dropout: float = 0.2


def grid_of_notes(notes: NDArray[np.void], steps: int | None = None) -> Grid:
    """Notes (`models.chord_symbols.NOTE`, from time 0) on the grid; a note sounds for one step at least.

    steps: how many, or as many as there are.
    """
    begins = np.round(notes["onset"] / STEP).astype(int)
    ends = np.maximum(begins + 1, np.round((notes["onset"] + notes["duration"]) / STEP).astype(int))
    grid = np.zeros((int(ends.max(initial=0)) if steps is None else steps, KEYS, 2), np.uint8)
    for begin, end, key in zip(begins, ends, notes["key"], strict=True):
        grid[begin:end, key, 0] = 1
        grid[begin : begin + 1, key, 1] = 1
    return grid


def attributes(grid: Tensor, first: int = 0) -> Tensor:
    """What the network is told of steps `first` on. (B, T, 88, 2) -> (B, T, 88, 78)."""
    batch, length = grid.shape[:2]
    sounds = grid[..., 0].float()
    held = sounds - grid[..., 1].float()
    keys = torch.arange(KEYS)
    classes = (keys + LOWEST) % 12
    shape = (batch, length, KEYS)
    position = (keys / KEYS).expand(shape)[..., None]
    pitch_class = functional.one_hot(classes, 12).float().expand(*shape, 12)
    both = functional.pad(torch.stack([sounds, held], -1), (0, 0, OCTAVE, OCTAVE))
    vicinity = both.unfold(2, VICINITY, 1).transpose(-1, -2).reshape(*shape, 2 * VICINITY)
    counts = sounds @ functional.one_hot(classes, 12).float()
    others = (classes[:, None] + torch.arange(1, 12)) % 12
    context = counts[..., others]
    digits = (torch.arange(first, first + length)[:, None] >> torch.arange(4)) & 1
    beat = (2.0 * digits - 1)[None, :, None].expand(*shape, 4)
    return torch.cat([position, pitch_class, vicinity, context, beat], -1)


class BiaxialNet(nn.Module):
    """An LSTM along time, then one along the keys."""

    def __init__(self, config: BiaxialConfig) -> None:
        super().__init__()
        self.time = nn.LSTM(ATTRIBUTES, config.time_width, batch_first=True)
        self.keys = nn.LSTM(config.time_width + 2, config.key_width, batch_first=True)
        self.out = nn.Linear(config.key_width, 2)
        self.drop = nn.Dropout(config.dropout)

    def along_time(self, grid: Tensor, first: int = 0, state: Any = None) -> tuple[Tensor, Any]:
        """(B, T, 88, 2) -> (B, T, 88, time_width), and the state after the last step."""
        batch, length = grid.shape[:2]
        rows = attributes(grid, first).transpose(1, 2).reshape(batch * KEYS, length, ATTRIBUTES)
        h, state = self.time(rows, state)
        return h.view(batch, KEYS, length, -1).transpose(1, 2), state

    def forward(self, grid: Tensor) -> Tensor:
        """Logits of every step after the first: sounds, is struck. (B, T, 88, 2) -> (B, T - 1, 88, 2)."""
        batch, length = grid.shape[0], grid.shape[1] - 1
        h, _ = self.along_time(grid[:, :-1])
        below = functional.pad(grid[:, 1:, :-1].float(), (0, 0, 1, 0))
        rows = torch.cat([self.drop(h), below], -1).view(batch * length, KEYS, -1)
        return self.out(self.drop(self.keys(rows)[0])).view(batch, length, KEYS, 2)

    def draw(
        self, h: Tensor, temperature: float, eager: float, generator: torch.Generator
    ) -> NDArray[np.uint8]:
        """The next step, key by key from the lowest. h: (88, time_width) -> (88, 2).

        eager: the power that the likelihoods of sounding are raised to; 1 is as learnt, 0 plays everything.
        """
        from_time, from_below = self.keys.weight_ih_l0.split([h.shape[1], 2], 1)
        given = h @ from_time.T + self.keys.bias_ih_l0 + self.keys.bias_hh_l0
        rows = (given, from_below.contiguous(), self.keys.weight_hh_l0, self.out.weight, self.out.bias)
        uniform = torch.rand(KEYS, 2, generator=generator)
        return _draw_keys(*(row.numpy() for row in rows), uniform.numpy(), temperature, eager)


@njit(cache=True)
def _draw_keys(given, from_below, from_last, out, out_bias, uniform, temperature, eager):  # type: ignore[no-untyped-def]
    """The LSTM along the keys, stepped and sampled from; its gates in torch's order: in, forget, cell, out."""
    keys, width = given.shape[0], from_last.shape[1]
    chosen = np.zeros((keys, 2), np.uint8)
    hidden, cell = np.zeros(width, np.float32), np.zeros(width, np.float32)
    below = np.zeros(2, np.float32)
    for key in range(keys):
        gates = given[key] + _apply(from_below, below) + _apply(from_last, hidden)
        enter, keep = _sigmoid(gates[:width]), _sigmoid(gates[width : 2 * width])
        cell = keep * cell + enter * np.tanh(gates[2 * width : 3 * width])
        hidden = _sigmoid(gates[3 * width :]) * np.tanh(cell)
        chances = _sigmoid((_apply(out, hidden) + out_bias) / np.float32(temperature))
        chosen[key, 0] = uniform[key, 0] < chances[0] ** eager
        chosen[key, 1] = chosen[key, 0] and uniform[key, 1] < chances[1]
        below[0], below[1] = chosen[key, 0], chosen[key, 1]
    return chosen


@njit(cache=True, fastmath=True)
def _apply(matrix, vector):  # type: ignore[no-untyped-def]
    """The product of a matrix and a vector, in loops: numba's own asks for SciPy, which Duet does without."""
    result = np.zeros(matrix.shape[0], np.float32)
    for row in range(matrix.shape[0]):
        total = np.float32(0)
        for column in range(matrix.shape[1]):
            total += matrix[row, column] * vector[column]
        result[row] = total
    return result


@njit(cache=True)
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return np.float32(1) / (np.float32(1) + np.exp(-x))


def nats_of_grid(logits: Tensor, grid: Tensor) -> Tensor:
    """-log p of every step after the first. (B, T - 1, 88, 2), (B, T, 88, 2) -> (B, T - 1)."""
    true = grid[:, 1:].float()
    nats = functional.binary_cross_entropy_with_logits(logits.float(), true, reduction="none")
    return (nats[..., 0] + nats[..., 1] * true[..., 0]).sum(-1)
