"""The partner's network one event at a time: `step` gives what `PartnerNet.forward` gives, with a cache.

A `State` is a value: stepping an older one again is going back, and forgets what came after it. The cache
behind it has room for some thousand steps; when it is full, steps that nothing looks back on are dropped.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.events import Step
from models.partner import Hands, PartnerNet, hands_after, no_hands
from models.partner_kernel import matrices_of, step_layers

Floats = NDArray[np.float32]
BACK = 1536
"""Steps of the player's and the partner's that may be taken back."""


@dataclass(frozen=True, slots=True)
class State:
    """The conversation after some number of steps."""

    length: int
    """Steps so far."""
    hands: Hands
    """B = T = 1."""
    h: Tensor
    """(1, 1, W): what the heads read."""
    bare: Tensor | None = None
    """The same of the network told neither style nor wish, where that is followed too."""


class Stepper:
    """A network with the cache of one conversation.

    back: steps that one can always go back.
    """

    def __init__(self, net: PartnerNet, back: int = BACK) -> None:
        self.net = net
        config = net.config
        size = config.width // config.heads
        self._back, self._keep = back, config.window + back
        shape = (config.layers, config.heads, 2 * self._keep, size)
        self._keys, self._values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._dropped = 0
        self._matrices = matrices_of(net)
        self._windows = np.array(config.windows)
        self._rates = 10000.0 ** (-np.arange(size // 2) / (size // 2))

    def start(self) -> State:
        """The state before any step."""
        self._dropped = 0
        return State(0, no_hands(), torch.zeros(1, 1, self.net.config.width))

    def follow(self, other: "Stepper", length: int) -> None:
        """Take over another one's conversation up to a length, as far as it is looked back on."""
        end = other._row(length)
        kept = min(length, self.net.config.window)
        for layer, window in enumerate(self._windows):
            back = min(kept, int(window))
            for mine, its in ((self._keys, other._keys), (self._values, other._values)):
                mine[layer, :, kept - back : kept] = its[layer, :, end - back : end]
        self._dropped = length - kept

    @torch.inference_mode()
    def step(self, state: State, event: Step, style: int = 0, wish: Tensor | None = None) -> State:
        """Take one event. style: the label's number, 0 for none; wish: (knobs.SIZE,), if anything is asked."""
        row = self._row(state.length)
        hands = hands_after(state.hands, event.gap, event.token)
        numbers = torch.tensor([[[event.gap]], [[event.token]], [[event.velocity]], [[style]]])
        asked = None if wish is None else wish[None, None]
        x = self.net.describe(*numbers, state.hands.last, hands, asked)[0, 0].numpy()
        angle = state.length * self._rates
        cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
        y = step_layers(x, self._matrices, self._keys, self._values, self._windows, row, cos, sin)
        return State(state.length + 1, hands, self.net.norm(torch.from_numpy(y))[None, None])

    def rows(self, begin: int, end: int) -> tuple[Floats, Floats]:
        """What the cache holds of the steps from one length of the conversation to another, to be put back."""
        first, last = begin - self._dropped, end - self._dropped
        return self._keys[:, :, first:last].copy(), self._values[:, :, first:last].copy()

    def put_back(self, begin: int, rows: tuple[Floats, Floats]) -> None:
        """Go on from steps that were taken back meanwhile."""
        first = begin - self._dropped
        for cache, kept in zip((self._keys, self._values), rows, strict=True):
            cache[:, :, first : first + kept.shape[2]] = kept

    def _row(self, length: int) -> int:
        """The cache's row for the next step, making room if there is none."""
        row = length - self._dropped
        assert row >= min(length, self.net.config.window), "a state too old to go back to"
        if row == self._keys.shape[2]:
            for layer, window in enumerate(self._windows):
                kept = int(window) + self._back
                for cache in (self._keys[layer], self._values[layer]):
                    cache[:, self._keep - kept : self._keep] = cache[:, -kept:].copy()
            self._dropped += row - self._keep
            row = self._keep
        return row
