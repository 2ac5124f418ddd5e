"""A voice's training run: the way through it that all forms of the voice share.

What is measured and sounded beforehand, and what is written, differs and is handed in. Under `torchrun` every process
is a student of the same network, on crops of its own; the leader judges and writes.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from duet.piece import Piece
from models.company import Company
from models.piano_ar_config import PianoArConfig
from models.piano_voice_config import PianoVoiceConfig
from models.training_bar import bar
from models.voice_cost import multiplications, peak_macs
from models.voice_curve import add_row, draw_curve
from models.voice_trainer import TrainConfig, Trainer

logger = logging.getLogger(__name__)

Measured = TypeVar("Measured")
"""What an instrument, or several, were found to be."""
Keep = Callable[[dict[str, float]], dict[str, float]]
"""Is given a report whenever a checkpoint is due, writes the weights, and returns their scores."""

REPORT_EVERY = 10.0
"""Seconds of training between reports."""
SAVE_EVERY = 180.0
"""Seconds of training between checkpoints, each with a free-running check."""
JUDGED = 4
"""Pieces that the check is on: of one alone, chance decides which checkpoint is best."""


@dataclass(frozen=True, slots=True)
class VoiceRun:
    """Where and how long."""

    folder: Path
    """The curve and the checkpoints to resume from."""
    train: TrainConfig
    """How to learn."""
    shape: PianoVoiceConfig | PianoArConfig
    """Of the network, or of an ensemble's trunk."""
    minutes: float
    """Of training in all; what is done before is not counted."""
    resume: bool
    """Go on with the run in the folder as if it had never stopped."""
    device: str
    """cpu or cuda."""
    seed: int
    clock: Callable[[], float] = time.monotonic
    """Seconds; of the minutes."""

    def learn(
        self,
        pieces: Iterable[Piece],
        begin: Callable[[Company, Iterator[Piece]], tuple[Any, Measured]],
        keeper: Callable[[Trainer, Measured, Sequence[Piece]], Keep],
    ) -> dict[str, float]:
        """Train with reports and checkpoints; what the last report said.

        begin: makes a lesson (for `Trainer`) of pieces. keeper: for the leader, with the pieces that are held out.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.device == "cpu":
            torch.set_num_threads(1)
        with Company(self.device) as company:
            held_out: list[Piece] = []
            watched = _watch(pieces, held_out)
            lesson, measured = begin(company, watched)
            trainer = Trainer(lesson, self.train, company, self.seed, self.clock)
            if self.resume and (self.folder / "state.pt").exists():
                trainer.load(self.folder / "state.pt")
            if not company.leads:
                return self._teach(trainer, lambda report: {})
            while len(held_out) < JUDGED and next(watched, None):
                pass
            return self._teach(trainer, keeper(trainer, measured, held_out))

    def _teach(self, trainer: Trainer, keep: Keep) -> dict[str, float]:
        state = self.folder / "state.pt"
        cost = 3 * multiplications(self.shape) / peak_macs(trainer.device)
        report: dict[str, float] = {}
        reported = saved = trainer.seconds
        losses: list[float] = []
        with bar(trainer.company.leads) as show:
            while trainer.seconds < self.minutes * 60:
                losses.append(trainer.step(trainer.seconds / (self.minutes * 60)))
                rate = trainer.sound / trainer.seconds
                words = f"loss {np.mean(losses[-50:]):.3f}, {rate * self.shape.sample_rate:,.0f} samples/s"
                show(trainer.seconds / (self.minutes * 60), words)
                done = trainer.seconds >= self.minutes * 60
                saves = done or trainer.seconds - saved > SAVE_EVERY
                if saves or trainer.seconds - reported > REPORT_EVERY:
                    reported = trainer.seconds
                    report = {
                        "iteration": trainer.iteration,
                        "minutes": trainer.seconds / 60,
                        "minutes_left": max(0.0, self.minutes - trainer.seconds / 60),
                        "loss": float(np.mean(losses)),
                        "samples_per_second": rate * self.shape.sample_rate,
                        "matmul_share": rate * cost,
                        "onset_f1_ratio": float("nan"),
                        "logmel_rmse_db": float("nan"),
                    }
                    losses.clear()
                if saves:
                    saved = trainer.seconds
                    trainer.save(state)
                    if trainer.company.leads:
                        report |= keep(report)
                if reported == trainer.seconds and trainer.company.leads:
                    add_row(self.folder / "curve.csv", report)
                    report = {name: value for name, value in report.items() if not np.isnan(value)}
                    logger.info(", ".join(f"{name} {value:.4g}" for name, value in report.items()))
                if saves and trainer.company.leads:
                    draw_curve(self.folder / "curve.csv", self.folder / "curve.png")
        return report


def _watch(pieces: Iterable[Piece], held_out: list[Piece]) -> Iterator[Piece]:
    """All pieces; the first of the validation split that a person played are kept for the checks."""
    for piece in pieces:
        played = piece.split == "valid" and piece.expressive and piece.real_velocity
        if played and len(held_out) < JUDGED:
            held_out.append(piece)
        yield piece
