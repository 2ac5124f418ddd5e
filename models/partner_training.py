"""How the partner is trained: budgets, windows, learning rates over a run, and the optimizers that follow them."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from duet.errors import DuetError
from models.muon import Muon
from models.partner import PartnerConfig, PartnerNet

FAR = 2048
"""Steps that a layer which hears far looks back on: one to two minutes of a performance."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train; the defaults suit one CPU core and an hour."""

    tokens: int = 4096
    """Steps in a batch."""
    short: int = 256
    """Steps in a window at first ..."""
    long: int = 512
    """... and in the last part of the training."""
    long_from: float = 0.6
    """Share of the budget after which windows are long."""
    lengths: tuple[tuple[int, float], ...] = ()
    """Windows' lengths, and in what share of the iterations, in place of `short` and `long`; `long` is judged by."""
    filled: bool = False
    """A window that its tune does not fill goes on with another."""
    look_back: tuple[int, ...] = ()
    """Steps that the layers look back on from now on: one number for all, or each layer's; (): as many as before."""
    matrix_rate: float = 4e-3
    """Muon's learning rate."""
    rate: float = 3e-3
    """AdamW's learning rate."""
    warm_up: int = 100
    """Iterations until the learning rates are full."""
    hold: float = 0.3
    """Share of the budget after which they fall."""
    average: float = 0.998
    """Decay of the moving average, per iteration."""
    checkpoint: float = 180.0
    """Seconds between checkpoints."""
    iterations: int = 0
    """If positive, the budget in place of minutes: the same numbers on any machine."""
    rehearse: float = 0.0
    """The share of the windows by which is kept what weights gone on from know (`models/rehearsal.py`)."""
    remembered: tuple[int, int] = (128, 384)
    """How many tunes these compose for it before, and of how many events."""
    kept: tuple[float, ...] = (0.0,)
    """Shares of the weights gone on from that are tried in what is written: the best on the held-out windows is."""
    pieces: int = 0
    """If positive, the last of these choices is made on so many whole held-out pieces, once the budget is spent."""
    attention_held: bool = False
    """What the layers listen for, and what they make of it, stays as weights gone on from have it."""
    compiled: bool = False
    """Fuse the network's operations first: a fifth off every step after two minutes, and needs a C++ compiler."""


TUNING = TrainingConfig(
    short=1024,
    long=1024,
    matrix_rate=2e-3,
    rate=1.2e-3,
    warm_up=30,
    hold=0.2,
    rehearse=0.25,
    remembered=(64, 1024),
    filled=True,
    kept=(0.5,),
    attention_held=True,
)
"""To go on from weights on a player's files: what is learnt is half believed, which keeps most of the gain and forgets
a quarter (docs/results-partner.md)."""
FURTHER = TrainingConfig(
    tokens=8192,
    long=2 * FAR,
    lengths=((2 * FAR, 0.6), (1024, 0.25), (256, 0.15)),
    filled=True,
    look_back=(FAR, 512, 512, FAR, 512, 512),
    matrix_rate=1e-3,
    rate=6e-4,
    warm_up=40,
    hold=0.4,
    checkpoint=480.0,
    kept=(0.0, 0.3, 0.6),
    pieces=128,
)
"""To go on from weights for hours, on the music they have learnt from: larger batches, windows of all lengths, nothing
to rehearse. Two of the six layers look back far: the shipped weights had no use for the others' far past. In the
longest windows half of the steps hear all of it, as every live step does: in shorter ones it is forgotten
(docs/results-trainings.md)."""
ON_GPU = TrainingConfig(tokens=32_768, short=512, long=2048, look_back=(2048,), filled=True, warm_up=300)
PRESETS = {"tuning": TUNING, "further": FURTHER}
"""Ways to go on from weights, as `duet train partner --from WEIGHTS --config NAME` has them, the usual one first."""
GPU_SIZE = PartnerConfig(width=256, layers=8, heads=4)
"""6.8 M parameters: what a GPU has time to teach; one CPU core steps it in 1.9 ms (320 wide: 2.9 ms)."""


def build_optimizers(net: PartnerNet, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest."""
    matrices = [p for p in net.layers.parameters() if p.ndim == 2 and p.requires_grad]
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if id(p) not in chosen and p.requires_grad]
    return [
        Muon(matrices, lr=config.matrix_rate, weight_decay=0.05),
        torch.optim.AdamW(rest, lr=config.rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def looking_back(net: PartnerConfig, training: TrainingConfig) -> PartnerConfig:
    """A network's config once its layers look back as far as the training has them."""
    steps = training.look_back
    if not steps:
        return net
    if len(steps) not in {1, net.layers}:
        raise DuetError(
            f"the training is for a network of {len(steps)} layers; these weights have {net.layers}"
        )
    return replace(net, window=max(steps), spans=steps if len(steps) > 1 else ())


def length_at(progress: float, seed: int, iteration: int, config: TrainingConfig) -> int:
    """Steps of an iteration's windows: the same in every process that shares it."""
    if not config.lengths:
        return config.short if progress < config.long_from else config.long
    lengths, shares = zip(*config.lengths, strict=True)
    return int(np.random.default_rng([seed, iteration]).choice(lengths, p=shares))


def rate_at(progress: float, iteration: int, config: TrainingConfig) -> float:
    """The factor on the learning rates: warm-up, hold, then a cosine to 0 at progress 1."""
    falling = max(0.0, min(1.0, (progress - config.hold) / (1 - config.hold)))
    return min(1.0, (iteration + 1) / config.warm_up) * (0.5 + 0.5 * float(np.cos(np.pi * falling)))
