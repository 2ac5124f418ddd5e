"""The likelihood of chord symbols: any causal network over symbols, with heads that say the next one part by part.

p(wait) p(lowest key | wait) p(shape | wait, key), then for each key of the shape, from the lowest up,
p(delay) p(velocity | delay) p(length | delay, velocity), given the key and the one below it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.chord_symbols import BEGIN, DELAYS, LENGTHS, MOST, SYMBOL, VELOCITIES, WAITS, Shape
from models.events import KEYS

State = Any
"""What a trunk remembers; None before the first symbol."""
Symbols = dict[str, Tensor]
"""The fields of SYMBOL, int64: (B, T), the last three (B, T, MOST)."""


def as_symbols(rows: NDArray[np.void]) -> Symbols:
    """Symbols, (T,) or (B, T), as tensors with a batch dimension."""
    rows = rows if rows.ndim == 2 else rows[None]
    return {field: torch.from_numpy(rows[field].astype(np.int64)) for field in SYMBOL.names or ()}


class ChordNet(nn.Module):
    """A trunk between the reading of symbols and the saying of the next.

    trunk: a causal network, (B, T, width) and the state before it -> the same and the state after it.
    """

    def __init__(self, trunk: nn.Module, width: int, shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.trunk, self.shapes = trunk, [tuple(shape) for shape in shapes]
        self.wait, self.root = nn.Embedding(WAITS, width), nn.Embedding(KEYS, width)
        self.shape = nn.Embedding(len(shapes), width)
        self.velocity, self.length = nn.Embedding(VELOCITIES, width), nn.Embedding(LENGTHS, width)
        self.say_wait = nn.Linear(width, LENGTHS)
        self.for_root, self.say_root = nn.Linear(width, width), nn.Linear(width, KEYS)
        self.wait_for_root = nn.Embedding(WAITS, width)
        self.for_shape, self.say_shape = nn.Linear(width, width), nn.Linear(width, len(shapes))
        self.root_for_shape = nn.Embedding(KEYS, width)
        self.for_touch, self.key_for_touch = nn.Linear(width, width), nn.Embedding(2 * KEYS, width)
        self.below_velocity = nn.Embedding(VELOCITIES + 1, width)
        self.below_length = nn.Embedding(LENGTHS + 1, width)
        self.delay_for_touch = nn.Embedding(DELAYS, width)
        self.velocity_for_length = nn.Embedding(VELOCITIES, width)
        self.say_delay, self.say_velocity = nn.Linear(width, DELAYS), nn.Linear(width, VELOCITIES)
        self.say_length = nn.Linear(width, LENGTHS)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.1)
        sizes = torch.tensor([len(shape) for shape in self.shapes])
        steps = torch.tensor([[*shape, *[0] * (MOST - len(shape))] for shape in self.shapes])
        self.register_buffer("sizes", sizes, persistent=False)
        self.register_buffer("steps", steps, persistent=False)

    def read(self, symbols: Symbols, state: State = None) -> tuple[Tensor, State]:
        """What is known after each symbol. -> (B, T, width), and the state after the last."""
        there = (torch.arange(MOST) < self.sizes[symbols["shape"]][..., None]).float()  # type: ignore[index]
        touch = self.velocity(symbols["velocity"]) + self.length(symbols["length"])
        touch = (touch * there[..., None]).sum(-2) / there.sum(-1, keepdim=True)
        x = self.wait(symbols["wait"]) + self.root(symbols["root"]) + self.shape(symbols["shape"])
        return self.trunk(x + touch, state)

    def root_logits(self, h: Tensor, wait: Tensor) -> Tensor:
        """(..., width), (...) -> (..., 88)."""
        return self.say_root(functional.relu(self.for_root(h) + self.wait_for_root(wait)))

    def shape_logits(self, h: Tensor, wait: Tensor, root: Tensor) -> Tensor:
        """-> (..., shapes)."""
        known = self.for_shape(h) + self.wait_for_root(wait) + self.root_for_shape(root)
        return self.say_shape(functional.relu(known))

    def touch_logits(
        self, h: Tensor, key: Tensor, below: tuple[Tensor, Tensor], delay: Tensor, velocity: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What one key of a symbol does: delays; velocities, given the delay; lengths, given both.

        h: (N, width), the rest (N,). below: velocity and length of the key under it, VELOCITIES and LENGTHS
        if there is none.
        """
        known = self.for_touch(h) + self.key_for_touch(key)
        known = known + self.below_velocity(below[0]) + self.below_length(below[1])
        delayed = known + self.delay_for_touch(delay)
        struck = delayed + self.velocity_for_length(velocity)
        return (
            self.say_delay(functional.relu(known)),
            self.say_velocity(functional.relu(delayed)),
            self.say_length(functional.relu(struck)),
        )

    def nats(self, symbols: Symbols, h: Tensor) -> dict[str, Tensor]:
        """Nats of each symbol by part, given h before it; a wait of BEGIN costs nothing. Each (B, T)."""
        wait, root, shape = symbols["wait"], symbols["root"], symbols["shape"]
        begins = wait == BEGIN
        there = torch.arange(MOST) < self.sizes[shape][..., None]  # type: ignore[index]
        key = (root[..., None] + self.steps[shape])[there]  # type: ignore[index]
        none = torch.full_like(root, VELOCITIES)[..., None]
        below_velocity = torch.cat([none, symbols["velocity"][..., :-1]], -1)[there]
        below_length = torch.cat([none + LENGTHS - VELOCITIES, symbols["length"][..., :-1]], -1)[there]
        delay, velocity = symbols["delay"][there], symbols["velocity"][there]
        rows = torch.arange(wait.numel()).view(wait.shape)[..., None].expand_as(there)[there]
        said = self.touch_logits(h.flatten(0, 1)[rows], key, (below_velocity, below_length), delay, velocity)
        touch = dict(zip(("delay", "velocity", "length"), said, strict=True))
        parts = {part: _nats(logits, symbols[part][there]) for part, logits in touch.items()}
        waiting = _nats(self.say_wait(h), wait.clamp(max=LENGTHS - 1))
        return {
            "wait": waiting.masked_fill(begins, 0.0),
            "key": _nats(self.root_logits(h, wait), root) + _nats(self.shape_logits(h, wait, root), shape),
            **{
                part: torch.zeros(wait.numel()).index_add(0, rows, nats).view(wait.shape)
                for part, nats in parts.items()
            },
        }


def _nats(logits: Tensor, true: Tensor) -> Tensor:
    """-log p, of the shape of `true`."""
    flat = functional.cross_entropy(logits.float().flatten(0, -2), true.flatten(), reduction="none")
    return flat.view(true.shape)


def draw(logits: Tensor, temperature: float, floor: float, generator: torch.Generator) -> int:
    """Sample an index, leaving out what is less likely than `floor` times the likeliest (min-p)."""
    odds = ((logits - logits.max()) / temperature).exp()
    return int(torch.multinomial(odds * (odds >= floor), 1, generator=generator))
