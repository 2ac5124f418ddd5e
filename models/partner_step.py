"""The partner's network one event at a time: `step` gives what `PartnerNet.forward` gives, with a cache.

A `State` is a value: stepping an older one again is going back, and forgets what came after it. The cache
behind it has room for some thousand steps; when it is full, steps that nothing looks back on are dropped.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.events import Step
from models.partner import Hands, PartnerNet, hands_after, no_hands

BACK = 1536
"""Steps that one can always go back."""


@dataclass(frozen=True, slots=True)
class State:
    """The conversation after some number of steps."""

    length: int
    """Steps so far."""
    hands: Hands
    """B = T = 1."""
    h: Tensor
    """(1, 1, W): what the heads read."""


class Stepper:
    """A network with the cache of one conversation."""

    def __init__(self, net: PartnerNet) -> None:
        self.net = net
        config = net.config
        self._keep = config.window + BACK
        shape = (config.layers, 1, config.heads, 2 * self._keep, config.width // config.heads)
        self._keys, self._values = torch.zeros(shape), torch.zeros(shape)
        self._dropped = 0

    def start(self) -> State:
        """The state before any step."""
        self._dropped = 0
        return State(0, no_hands(), torch.zeros(1, 1, self.net.config.width))

    @torch.inference_mode()
    def step(self, state: State, event: Step, style: int = 0) -> State:
        """Take one event. style: the label's number, 0 for none."""
        row = self._row(state.length)
        first = max(0, row + 1 - self.net.config.window)
        hands = hands_after(state.hands, event.gap, event.token)
        numbers = [torch.tensor([[n]]) for n in (event.gap, event.token, event.velocity, style)]
        x = self.net.describe(*numbers, state.hands.last, hands)
        position = torch.tensor([state.length])
        for layer, keys, values in zip(self.net.layers, self._keys, self._values, strict=True):
            q, k, v = layer.split(x, position)
            keys[:, :, row], values[:, :, row] = k[:, :, 0], v[:, :, 0]
            near = slice(first, row + 1)
            heard = functional.scaled_dot_product_attention(q, keys[:, :, near], values[:, :, near])
            x = layer.join(x, heard)
        return State(state.length + 1, hands, self.net.norm(x))

    def _row(self, length: int) -> int:
        """The cache's row for the next step, making room if there is none."""
        row = length - self._dropped
        assert row >= min(length, self.net.config.window), "a state too old to go back to"
        if row == self._keys.shape[3]:
            for cache in (self._keys, self._values):
                cache[:, :, :, : self._keep] = cache[:, :, :, -self._keep :].clone()
            self._dropped += row - self._keep
            row = self._keep
        return row
