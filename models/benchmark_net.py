"""A joint model of a frame's keys, low to high, each given the past and the keys below it.

One small network is shared by all keys (as the biaxial LSTM of Johnson 2017 is): it sees the past of the keys
an octave around its own (`models/benchmark_past.py`), what its own key did in many frames before, the keys
of this frame below its own, and a summary of all past frames from dilated causal convolutions. p(frame) is
the product over keys, as in NADE (Larochelle and Murray 2011), so it sums to one exactly. Factorised, the
same network is blind to the frame's other keys.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.benchmark_past import PLANES, SCALARS

LAGS = (*range(1, 33), 40, 48, 56, 64, 80, 96, 128)
"""Frames back in which a key sees itself."""
OCTAVE = 12
CHANGES = 5
"""What is seen of a key below: it sounds; it has begun in this frame; it has ended; it does not do what the
longest repeat and what the best soft match said."""
TALLIES = 4
"""The last frame's keys and the votes (`benchmark_past.PLANES`), added up above a key and below it."""


@dataclass(frozen=True, slots=True)
class FrameConfig:
    """Sizes, and how much is left out while learning."""

    keys: int = 88
    width: int = 64
    """Channels of each key."""
    blocks: int = 2
    """Residual layers of each key."""
    below: int = 30
    """How many keys down each key sees the frame it is in."""
    context: int = 128
    """Channels of the summary."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    dropout: float = 0.1
    """Of the keys' channels."""
    context_dropout: float = 0.3
    """Of the summary."""
    factorised: bool = False
    """Blind to the other keys of the frame."""

    @property
    def reach(self) -> int:
        """Frames before a frame that its summary sees."""
        return sum(self.dilations)


@dataclass(frozen=True, slots=True)
class Moment:
    """N frames that are asked about, in B stretches of the summary."""

    frame: Tensor
    """What sounds. (N, keys) float, 0 or 1."""
    planes: Tensor
    """`benchmark_past`. (N, keys, PLANES), 0 to 1."""
    lags: Tensor
    """Each key in the frames LAGS back. (N, keys, LAGS)."""
    summary: Tensor
    """The past in short, for frames and their `reach` before. (B, keys * 3 + SCALARS, reach + L)."""
    asked: Tensor
    """Which of the B x L frames the N are. (N,) int64."""
    number: int
    """How many of the N count; the rest fill the batch up."""


class FrameNet(nn.Module):
    """Logits of a frame's keys; the logit of key k has seen the frame's keys below k and no other."""

    def __init__(self, config: FrameConfig) -> None:
        super().__init__()
        self.config = config
        width, context = config.width, config.context
        self.around = nn.Conv2d(len(PLANES), width, (1, 2 * OCTAVE + 1), padding=(0, OCTAVE))
        self.own = nn.Linear(len(LAGS) + CHANGES + TALLIES, width)
        self.below = nn.Conv2d(CHANGES, width, (1, config.below), bias=False)
        self.place = nn.Parameter(torch.zeros(config.keys, width))
        self.enter = nn.Conv1d(3 * config.keys + len(SCALARS), context, 1)
        self.past = nn.ModuleList(nn.Conv1d(context, context, 2, dilation=d) for d in config.dilations)
        self.tell = nn.Linear(context, width)
        self.lean = nn.Linear(context, config.keys)
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(config.blocks))
        self.out = nn.Linear(width, 1)
        self.drop, self.drop_context = config.dropout, config.context_dropout
        for small in (self.lean.weight, self.out.weight):
            nn.init.zeros_(small)

    def summarise(self, summary: Tensor) -> Tensor:
        """(B, C, reach + L) -> (B, L, context)."""
        h = functional.relu(self.enter(summary))
        for layer, dilation in zip(self.past, self.config.dilations, strict=True):
            h = h[..., dilation:] + functional.relu(layer(self._drop(h, self.drop_context, 2)))
        return h.transpose(1, 2)

    def forward(self, moment: Moment) -> Tensor:
        """(N, keys) logits."""
        frame, last = moment.frame, moment.planes[..., 0]
        guesses = [
            (frame - moment.planes[..., PLANES.index(guess)]).abs() for guess in ("repeat", "likeness")
        ]
        changes = torch.stack([frame, frame * (1 - last), (1 - frame) * last, *guesses], -1)
        if self.config.factorised:
            changes = torch.zeros_like(changes)
        counts = changes.cumsum(1) - changes
        expected = torch.stack([last, moment.planes[..., PLANES.index("vote")]], -1)
        under = expected.cumsum(1) - expected
        over = expected.sum(1, keepdim=True) - expected - under
        own = torch.cat([moment.lags, counts / 4, under / 4, over / 4], -1)
        below = functional.pad(changes[:, :-1].transpose(1, 2)[:, :, None], (self.config.below, 0))
        context = self.summarise(moment.summary).flatten(0, 1)[moment.asked]
        context = self._drop(context, self.drop_context)
        z = _by_key(self.around(moment.planes.transpose(1, 2)[:, :, None])) + _by_key(self.below(below))
        z = z + self.own(own) + (self.place + self.tell(context)[:, None]).to(z.dtype)
        z = self._drop(functional.relu(z), self.drop, 1)
        for block in self.blocks:
            z = z + self._drop(functional.relu(block(z)), self.drop, 1)
        return self.out(z)[..., 0] + self.lean(context)

    def _drop(self, x: Tensor, share: float, along: int | None = None) -> Tensor:
        """Leave out that share of x, all along one dimension together: a draw is dear, and keys are alike."""
        if not (self.training and share):
            return x
        shape = [1 if dimension == along else size for dimension, size in enumerate(x.shape)]
        kept = torch.rand(shape, device=x.device) >= share
        return x * (kept / (1 - share)).to(x.dtype)


def _by_key(x: Tensor) -> Tensor:
    """(N, C, 1, keys) -> (N, keys, C)."""
    return x[:, :, 0].transpose(1, 2)


def nats_of(logits: Tensor, frame: Tensor) -> Tensor:
    """-log p of each frame. (N, keys), (N, keys) -> (N,)."""
    return functional.binary_cross_entropy_with_logits(logits.float(), frame, reduction="none").sum(-1)
