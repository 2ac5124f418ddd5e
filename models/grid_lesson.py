"""What the neural partner's kind learns `biaxial`'s grids by: windows of their events.

The same pieces, varied alike, on the same grid; a window is so many events, not so many steps.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.biaxial import grid_of_notes
from models.chord_symbols import notes_of_tokens
from models.events import OFF, PARTNER, PEDAL_DOWN
from models.grid_events import LONGEST, events_of_grid
from models.partner import PartnerNet
from models.partner_data import Tune, vary, weights_of
from models.partner_lesson import nats_where

AHEAD = 256
"""Key events read beyond a window, so that most of its notes end in what is read."""


class GridLesson:
    """Windows of grids as events, and their loss."""

    def __init__(self, tunes: Sequence[Tune]) -> None:
        self._tunes, self._weights = tunes, weights_of(tunes)

    def batch(
        self, shape: tuple[int, int], rng: np.random.Generator, told: bool = True
    ) -> dict[str, NDArray[Any]]:
        """gap, token and counts (1 where a step is to be learnt), each of the shape (windows, steps)."""
        windows, length = shape
        made = {field: np.zeros(shape, np.int64) for field in ("gap", "token", "counts")}
        made["token"][:] = PARTNER
        for window, index in enumerate(rng.choice(len(self._tunes), windows, p=self._weights)):
            tune = self._tunes[index]
            tokens = tune.tokens[tune.tokens["token"] < PEDAL_DOWN]
            start = int(rng.integers(0, max(1, len(tokens) - length // 2)))
            notes = notes_of_tokens(vary(tune, tokens[start : start + length + AHEAD], rng))
            if not len(notes):
                continue
            notes["onset"] -= notes["onset"][0]
            gap, token = (part[: length - 1] for part in events_of_grid(grid_of_notes(notes)))
            here = window, slice(1, len(token) + 1)
            made["gap"][here], made["token"][here] = np.minimum(gap, LONGEST), token
            made["counts"][here] = np.cumsum(gap) > 0
        return made

    def losses(self, net: PartnerNet, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Summed nats of a batch by kind (gap, token; velocity and end are nothing), steps and notes."""
        gap, token, counts = batch["gap"], batch["token"], batch["counts"][:, 1:] == 1
        even = torch.zeros_like(gap)
        logits = net(gap, token, even, even)
        gaps = nats_where(logits.gap, gap, counts)
        tokens = nats_where(logits.token, token.clamp(max=PEDAL_DOWN), counts)
        return {
            "gap": gaps,
            "token": tokens,
            "velocity": torch.zeros(()),
            "end": torch.zeros(()),
            "total": gaps + tokens,
            "steps": counts.sum(),
            "notes": ((token[:, 1:] < OFF) & counts).sum(),
        }
