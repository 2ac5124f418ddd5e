"""How the partner is trained: budgets, windows, learning rates over a run, and the optimizers that follow them."""

from dataclasses import dataclass

import numpy as np
import torch

from models.partner import PartnerConfig, PartnerNet

LONGEST = 2048
"""Steps of a longest window: one to two minutes of a performance."""


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
    look_back: int = 0
    """Steps that a layer looks back on from now on (`PartnerConfig.window`); 0: as many as before."""
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
)
"""To go on from weights."""
FURTHER = TrainingConfig(
    tokens=8192, short=LONGEST, long=LONGEST, look_back=LONGEST, matrix_rate=1.5e-3, rate=9e-4
)
"""To go on from weights for hours, on the music they have learnt from: larger batches, a longer past, nothing to
rehearse."""
ON_GPU = TrainingConfig(tokens=32_768, short=512, long=LONGEST, look_back=LONGEST, warm_up=300)
PRESETS = {"tuning": TUNING, "further": FURTHER}
"""Ways to go on from weights, as `duet train partner --from WEIGHTS --config NAME` has them, the usual one first."""
GPU_SIZE = PartnerConfig(width=256, layers=8, heads=4)
"""6.8 M parameters: what a GPU has time to teach; one CPU core steps it in 1.9 ms (320 wide: 2.9 ms)."""


def build_optimizers(net: PartnerNet, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest."""
    matrices = [p for p in net.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if id(p) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=config.matrix_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=config.rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def rate_at(progress: float, iteration: int, config: TrainingConfig) -> float:
    """The factor on the learning rates: warm-up, hold, then a cosine to 0 at progress 1."""
    falling = max(0.0, min(1.0, (progress - config.hold) / (1 - config.hold)))
    return min(1.0, (iteration + 1) / config.warm_up) * (0.5 + 0.5 * float(np.cos(np.pi * falling)))
