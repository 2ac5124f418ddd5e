"""A network in training, whichever form of the voice it is, and all that is needed to go on with it.

Adam under a warm-up and a cosine, the gradient's norm held at 1, bf16 where autocast has it, and an exponential
moving average of the weights, which is what is kept. Under `torchrun` each process draws its own crops and the
gradients are averaged.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.company import Company
from models.precision import learning


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to learn."""

    rate: float = 1e-3
    """Adam's learning rate, at its peak."""
    final_rate: float = 1e-5
    """And at the end of its cosine."""
    warm_up: int = 100
    """Iterations to the peak."""
    average: float = 0.999
    """Decay of the moving average of the weights."""
    compiled: bool = False
    """Fuse the network's operations first: twice as fast after three minutes, and needs a C++ compiler."""
    half: bool = True
    """Compute in bf16 where autocast does."""


class Trainer:
    """The network in training."""

    def __init__(
        self,
        lesson: Any,
        config: TrainConfig,
        company: Company,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """lesson: has `student()`, a fresh network; `loss(forward, rng, device)`; `seconds` of sound in a step.

        clock: what the time spent is counted by, in seconds.
        """
        self.lesson, self.config, self.company, self.device = lesson, config, company, company.device
        self.clock = clock
        device = company.device
        torch.manual_seed(seed)
        self.net: nn.Module = lesson.student().to(device)
        self.average: nn.Module = lesson.student().to(device)
        self.average.load_state_dict(self.net.state_dict())
        self.forward = torch.compile(self.net) if config.compiled else self.net
        self.optimizer = torch.optim.Adam(self.net.parameters(), config.rate, betas=(0.9, 0.99))
        torch.manual_seed(seed + 1000 * company.rank)
        self.rng = np.random.default_rng(seed + 1 + 1000 * company.rank)
        self.iteration = 0
        self.seconds = 0.0
        self.sound = 0.0

    def step(self, progress: float) -> float:
        """One step of Adam. progress: 0..1, how much of the time is spent. Returns the loss."""
        begin = self.clock()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(progress)
        loss = self.lesson.loss(self._hear, self.rng, self.device)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.company.average_gradients(self.net)
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self._follow()
        self.iteration += 1
        self.sound += self.lesson.seconds * self.company.size
        said = float(loss.detach())
        # the mean over all, so that all of them end at the same step
        self.seconds = self.company.mean(self.seconds + self.clock() - begin)
        return said

    def _hear(self, *heard: Tensor) -> Tensor:
        with learning(self.device, self.config.half):
            said: Tensor = self.forward(*heard)
        return said

    def _rate(self, progress: float) -> float:
        c = self.config
        cosine = 0.5 + 0.5 * np.cos(np.pi * min(progress, 1.0))
        warm = min(1.0, (self.iteration + 1) / c.warm_up)
        return float(warm * (c.final_rate + (c.rate - c.final_rate) * cosine))

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights after the trained ones, faster while they are young."""
        decay = min(self.config.average, (1 + self.iteration) / (10 + self.iteration))
        for kept, new in zip(self.average.parameters(), self.net.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)

    def weights(self) -> dict[str, np.ndarray]:
        """The averaged weights by name."""
        return {name: value.cpu().numpy() for name, value in self.average.state_dict().items()}

    def save(self, path: Path) -> None:
        """Write everything that going on needs; each process beside the first has a file of its own."""
        path = self._mine(path)
        partial = path.with_suffix(".part")
        torch.save(
            {
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "counts": [self.iteration, self.seconds, self.sound],
                "torch": torch.get_rng_state(),
                "numpy": json.dumps(self.rng.bit_generator.state),
            },
            partial,
        )
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on from `save`."""
        state = torch.load(self._mine(path), map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.iteration, self.seconds, self.sound = state["counts"]
        torch.set_rng_state(state["torch"].cpu())
        self.rng.bit_generator.state = json.loads(state["numpy"])

    def _mine(self, path: Path) -> Path:
        return path.with_suffix(f".{self.company.rank}.pt") if self.company.rank else path
