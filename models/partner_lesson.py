"""What the partner learns by: batches of windows of its tunes, and the nats it needs for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.events import OFF, PLAYED
from models.knobs import encode
from models.partner import Logits, PartnerNet
from models.partner_data import Tune, make_batch, weights_of


def nats_where(said: Tensor, true: Tensor, where: Tensor) -> Tensor:
    """The sum of -log p of what came after each step. (B, T, classes), (B, T), (B, T - 1) bool -> ()."""
    return functional.cross_entropy(said[:, :-1][where], true[:, 1:][where], reduction="sum")


def to_be_learnt(logits: Logits, batch: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """By kind what was said after each step, what was true, and where it counts, as `nats_where` takes them."""
    counts, velocity_counts = batch["counts"][:, 1:], batch["velocity_counts"][:, 1:]
    return {
        "gap": (logits.gap, batch["gap"], counts == 1),
        "token": (logits.token, batch["token"].clamp(max=PLAYED - 1), counts > 0),
        "velocity": (logits.velocity, batch["velocity"], velocity_counts > 0),
    }


def nats_of_steps(net: PartnerNet, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The nats of what came after each step of a batch, pedal and all, and where that was a key stroke.

    -> (B, T - 1) float, 0 where nothing is to be learnt; (B, T - 1) bool.
    """
    wish = encode(batch["knobs"], batch["scale"])
    logits = net(batch["gap"], batch["token"], batch["velocity"], batch["style"], wish=wish)
    counts = batch["counts"][:, 1:]
    nats = torch.zeros(counts.shape)
    for said, true, where in to_be_learnt(logits, batch).values():
        nats[where] += functional.cross_entropy(said[:, :-1][where], true[:, 1:][where], reduction="none")
    return nats, (batch["token"][:, 1:] < OFF) & (counts > 0)


class PartnerLesson:
    """Windows that look like a duet (`models/partner_data.py`), and their loss."""

    def __init__(self, tunes: Sequence[Tune], styles: Sequence[str], filled: bool = False) -> None:
        """filled: a window that its tune does not fill goes on with another."""
        self._tunes, self._styles, self._weights = tunes, styles, weights_of(tunes)
        self._filled = filled

    def batch(
        self, shape: tuple[int, int], rng: np.random.Generator, told: bool = True
    ) -> dict[str, NDArray[Any]]:
        """`partner_data.FIELDS`, each of the shape (windows, steps), knobs of (windows, steps, 5)."""
        return make_batch(self._tunes, self._weights, self._styles, shape, rng, told, self._filled)

    def losses(self, net: PartnerNet, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Summed nats of a batch by kind (gap, token, velocity, end), and how many steps and notes counted.

        total: what is to become less.
        """
        wish = encode(batch["knobs"], batch["scale"])
        logits = net(batch["gap"], batch["token"], batch["velocity"], batch["style"], wish=wish)
        counts = batch["counts"][:, 1:]
        end = batch["phrase_end"].float()
        said_end = functional.binary_cross_entropy_with_logits(logits.end, end, reduction="none")
        parts = {
            **{kind: nats_where(*what) for kind, what in to_be_learnt(logits, batch).items()},
            "end": (said_end * (batch["counts"] > 0)).sum(),
        }
        return {
            **parts,
            "total": parts["gap"] + parts["token"] + parts["velocity"] + 0.2 * parts["end"],
            "steps": (counts > 0).sum(),
            "notes": ((batch["token"][:, 1:] < 88) & (counts > 0)).sum(),
        }
