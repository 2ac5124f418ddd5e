"""What the biaxial network learns from: segments of 128 steps of varied pieces; what it expects of whole ones."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.biaxial import STEP, BiaxialNet, Grid, grid_of_notes, nats_of_grid
from models.chord_symbols import notes_of_tokens
from models.events import KEYS
from models.partner_data import Tune, vary, weights_of

STEPS, SEGMENTS = 128, 4
"""Steps of a segment, and segments of a batch."""
JUDGED = 512
"""Steps of each piece that it is judged on: 64 s, for the time it takes."""


class BiaxialLesson:
    """Batches for the biaxial network, and their loss."""

    def __init__(self, net: BiaxialNet, tunes: Sequence[Tune]) -> None:
        self._net, self._tunes = net, tunes
        self._weights = weights_of(tunes)

    def optimizer(self) -> torch.optim.Optimizer:
        """What the weights learn by."""
        return torch.optim.Adadelta(self._net.parameters(), 1.0, rho=0.95)

    def batch(self, rng: np.random.Generator) -> Grid:
        """Segments of grids. (SEGMENTS, STEPS + 1, 88, 2)."""
        grids = np.zeros((SEGMENTS, STEPS + 1, KEYS, 2), np.uint8)
        for segment, index in enumerate(rng.choice(len(self._tunes), SEGMENTS, p=self._weights)):
            tune = self._tunes[index]
            start = int(rng.integers(0, max(1, len(tune.tokens) // 2)))
            window = tune.tokens[start : start + 1200]
            window = window[window["time"] < window["time"][0] + 1.3 * STEPS * STEP]
            notes = notes_of_tokens(vary(tune, window, rng))
            if len(notes):
                notes["onset"] -= notes["onset"][0]
                grids[segment] = grid_of_notes(notes, STEPS + 1)
        return grids

    def loss(self, batch: Grid, net: BiaxialNet) -> tuple[Tensor, Tensor]:
        """The sum of the nats, and how many notes they are of."""
        grid = torch.from_numpy(batch)
        return nats_of_grid(net(grid), grid).sum(), grid[:, 1:, :, 1].sum()


@torch.inference_mode()
def nats_of_tune(net: BiaxialNet, tune: Tune) -> dict[str, float]:
    """Nats of a piece's first JUDGED steps on the grid, the very first left out, and its notes there."""
    notes = notes_of_tokens(tune.tokens)
    notes["onset"] -= notes["onset"][0]
    grid = torch.from_numpy(grid_of_notes(notes)[:JUDGED])[None]
    nats = float(nats_of_grid(net(grid), grid).double().sum())
    return {"nats": nats, "notes": float(grid[:, 1:, :, 1].sum()), "seconds": STEP * (grid.shape[1] - 1)}
