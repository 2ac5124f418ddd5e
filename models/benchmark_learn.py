"""How a benchmark model learns one of the four sets, and what it makes of the test split.

Weights learn in bfloat16 and are judged in float32; what is judged, and never shipped, is their moving average, taken
where the valid split liked it best.
"""

import copy
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from models import precision
from models.benchmark_net import LAGS, FrameConfig, FrameNet, Moment, nats_of
from models.benchmark_past import PLANES, past_of_pieces
from models.benchmark_sets import Rolls, nats_of_marginals

logger = logging.getLogger(__name__)

STRETCH = 64
"""Frames that are asked about together: one stretch of the summary."""
EVEN = 64
"""Batches are filled up to a multiple of this: kernels are compiled for each shape."""

JUDGED = 15_000
"""About how many frames of the valid split are asked at each check."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How one set is learnt."""

    epochs: int
    rate: float = 3e-3
    stretches: int = 10
    """In a batch."""
    decay: float = 0.05
    """AdamW's weight decay."""
    average: float = 0.995
    """Decay of the weights' moving average, an iteration."""
    checks: int = 8
    """How often the valid split is asked."""
    net: FrameConfig = field(default_factory=FrameConfig)


SMALL = FrameConfig(dropout=0.2, context_dropout=0.5)
LEARNING = {
    "jsb": Learning(20, net=SMALL),
    "nottingham": Learning(1, checks=3),
    "piano_midi": Learning(3, checks=4, net=SMALL),
    "musedata": Learning(1, checks=3),
}
"""About a minute of one CPU core each; on the big sets that is one epoch."""


class Known:
    """A split made ready: its frames within the keys that are modelled, and their past."""

    def __init__(self, rolls: Rolls, low: int, high: int) -> None:
        """low, high: the first key and the one after the last; keys outside are the caller's to judge."""
        inside = Rolls(rolls.frames[:, low:high], rolls.starts)
        self.planes, self.scalars = past_of_pieces(inside)
        self.starts = rolls.starts
        silence = np.zeros((1, high - low), np.uint8)
        self._rows = np.concatenate([inside.frames, silence])  # the last row is before any beginning
        changed = np.flatnonzero(np.diff(rolls.starts)) + 1
        self.edges = np.concatenate([[0], changed, [len(rolls.frames)]])

    def stretches(self, shift: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Where stretches begin, and in which piece, to cover every frame once. (M, 2).

        shift: how many frames before each piece its first stretch begins; the piece's beginning if None.
        """
        found = []
        for piece, (begin, end) in enumerate(zip(self.edges[:-1], self.edges[1:], strict=True)):
            begins = np.arange(begin - (0 if shift is None else shift[piece]), end, STRETCH)
            found.append(np.stack([begins, np.full(len(begins), piece)], 1))
        return np.concatenate(found)

    def moment(self, stretches: NDArray[np.int64], reach: int) -> Moment:
        """The frames of some stretches with all that the network is told of them."""
        begin, end = self.edges[stretches[:, 1], None], self.edges[stretches[:, 1] + 1, None]
        rows = stretches[:, :1] + np.arange(-reach, STRETCH)
        inside = (rows >= begin) & (rows < end)
        asked = np.flatnonzero(inside[:, reach:])
        number = len(asked)
        asked = np.append(asked, np.repeat(asked[-1:], -number % EVEN))
        chosen = rows[:, reach:].reshape(-1)[asked]
        place = np.where(inside, rows, -1)
        last = np.where(inside & (rows > begin), rows - 1, -1)
        planes = self.planes[place] * inside[..., None, None]
        summary = np.concatenate(
            [
                self._rows[last],
                planes[..., PLANES.index("likeness")] / np.float32(255),
                planes[..., PLANES.index("vote")] / np.float32(255),
                self.scalars[place] * inside[..., None],
            ],
            -1,
            dtype=np.float32,
        )
        back = chosen[:, None] - np.array(LAGS)
        lags = self._rows[np.where(back >= self.starts[chosen][:, None], back, -1)]
        return Moment(
            torch.from_numpy(self._rows[chosen]).float(),
            torch.from_numpy(self.planes[chosen]).float() / 255,
            torch.from_numpy(lags).float().transpose(1, 2),
            torch.from_numpy(summary).transpose(1, 2),
            torch.from_numpy(asked),
            number,
        )


def modelled_keys(train: NDArray[np.uint8]) -> tuple[int, int]:
    """The lowest key that sounds in training and the one after the highest."""
    sounding = np.flatnonzero(train.any(0))
    return int(sounding[0]), int(sounding[-1]) + 1


@torch.no_grad()
def nats_of_known(net: FrameNet, known: Known, every: int = 1) -> tuple[float, int]:
    """Nats of all frames (or of every so many stretches) within the modelled keys, and how many frames."""
    stretches = known.stretches()[::every]
    total, frames = 0.0, 0
    for first in range(0, len(stretches), 16):
        moment = known.moment(stretches[first : first + 16], net.config.reach)
        total += float(nats_of(net(moment), moment.frame)[: moment.number].double().sum())
        frames += moment.number
    return total, frames


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set whose past is worked out."""

    known: dict[str, Known]
    """By split."""
    keys: int
    """How many keys are modelled: from the lowest to the highest that sounds in training."""
    rest: float
    """Nats a test frame of the other keys, each by itself."""


def prepare(splits: dict[str, Rolls]) -> Prepared:
    """Work out the past of a set."""
    low, high = modelled_keys(splits["train"].frames)
    outside = np.r_[0:low, high : splits["train"].frames.shape[1]]
    rest = nats_of_marginals(splits["train"].frames[:, outside], splits["test"].frames[:, outside])
    return Prepared({split: Known(rolls, low, high) for split, rolls in splits.items()}, high - low, rest)


def learn_set(
    prepared: Prepared, learning: Learning, seed: int, say: Callable[[str], None] = logger.info
) -> dict[str, float]:
    """Learn a set's train split and judge the test split, in nats a frame."""
    known = prepared.known
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = FrameNet(replace(learning.net, keys=prepared.keys)).to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(
        net.parameters(), learning.rate, betas=(0.9, 0.98), weight_decay=learning.decay
    )
    batches = list(_batches(known["train"], learning, rng))
    every = 1 + len(known["valid"].starts) // JUDGED
    checks = {len(batches) * check // learning.checks for check in range(1, learning.checks + 1)}
    best, chosen, recent = np.inf, average.state_dict(), 0.0
    for iteration, stretches in enumerate(batches, 1):
        falling = 0.5 + 0.5 * np.cos(np.pi * iteration / len(batches))
        optimizer.param_groups[0]["lr"] = learning.rate * min(1, iteration / 50) * falling
        moment = known["train"].moment(stretches, net.config.reach)
        with precision.learning("cpu"):
            logits = net(moment)
        loss = nats_of(logits, moment.frame)[: moment.number].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        keep = min(learning.average, 1 - 1 / (1 + iteration / 5))
        torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - keep)
        recent += (float(loss.detach()) - recent) / min(iteration, 50)
        if iteration in checks:
            total, frames = nats_of_known(average, known["valid"], every)
            say(
                f"seed {seed}, {iteration} of {len(batches)}: learnt {recent:.3f}, valid {total / frames:.3f}"
            )
            if total / frames < best:
                best, chosen = total / frames, copy.deepcopy(average.state_dict())
    average.load_state_dict(chosen)
    total, frames = nats_of_known(average, known["test"])
    return {"test": total / frames + prepared.rest, "valid": best, "iterations": len(batches)}


def _batches(known: Known, learning: Learning, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Stretches for every iteration: each epoch has all frames, cut and mixed anew."""
    for _ in range(learning.epochs):
        stretches = rng.permutation(known.stretches(rng.integers(0, STRETCH, len(known.edges) - 1)))
        number = max(1, len(stretches) // learning.stretches)
        yield from np.array_split(stretches, number)
