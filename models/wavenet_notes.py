"""The partner `wavenet-notes`: dilated causal convolutions over note and chord symbols.

After van den Oord et al. 2016 ("Gated activation units", "Residual and skip connections") as the tutorials use it
for symbols rather than samples: an embedding, a stack of causal convolutions of kernel 2 whose dilation doubles,
each a gated unit with a residual and a skip path, and a softmax from the sum of the skips. Different
here: as `models/lstm_partner.py` says of its symbols, and no global pooling, so that every symbol is learnt at once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.chord_net import State


@dataclass(frozen=True, slots=True)
class WavenetConfig:
    """Sizes."""

    width: int = 160
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)

    @property
    def receptive_field(self) -> int:
        """Symbols, the newest included, that a prediction sees."""
        return sum(self.dilations) + 1


class GatedLayer(nn.Module):
    """tanh(W_f * x) sigmoid(W_g * x), then 1x1 convolutions to the residual and to the skip."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.conv = nn.Conv1d(width, 2 * width, 2, dilation=dilation)
        self.out = nn.Conv1d(width, 2 * width, 1)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: (B, C, T), past: the (B, C, dilation) before it -> residual, skip, and the past after it."""
        seen = torch.cat([past, x], -1)
        signal, gate = self.conv(seen).chunk(2, 1)
        residual, skip = self.out(torch.tanh(signal) * torch.sigmoid(gate)).chunk(2, 1)
        return x + residual, skip, seen[..., -self.dilation :]


class WavenetTrunk(nn.Module):
    """Reads symbols with gated dilated causal convolutions; its state is what each layer saw last."""

    def __init__(self, config: WavenetConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(GatedLayer(config.width, dilation) for dilation in config.dilations)
        self.out = nn.Conv1d(config.width, config.width, 1)

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """(B, T, width) and the state before -> the same and the state after."""
        x = x.transpose(1, 2)
        pasts = state or [x.new_zeros(*x.shape[:2], layer.dilation) for layer in self.layers]  # type: ignore[misc]
        total, kept = torch.zeros_like(x), []
        for layer, past in zip(self.layers, pasts, strict=True):
            x, skip, seen = layer(x, past)
            total = total + skip
            kept.append(seen)
        return functional.relu(self.out(functional.relu(total))).transpose(1, 2), kept
