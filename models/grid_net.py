"""The neural partner's network taught on the grids of `biaxial`, to compare like with like; it cannot be played.

The same network of the same size; its gaps are whole steps, its velocities say nothing, and what is out of turn
(`models/grid_events.py`) has probability 0. What it then gives a grid is a likelihood of just that: of every step
after the first, as `biaxial_lesson.nats_of_tune` counts, the silence after the last event included.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.biaxial import STEP, Grid, grid_of_notes
from models.biaxial_lesson import JUDGED
from models.chord_symbols import notes_of_tokens
from models.events import PARTNER, TOKENS
from models.grid_events import LONGEST, events_of_grid, out_of_turn
from models.nats import nats_of_net
from models.partner import Hands, Logits, PartnerConfig, PartnerNet, hands_of
from models.partner_data import Tune

LATER = JUDGED + 1 - LONGEST
"""What the last gap bin may mean, all alike: LONGEST steps .. JUDGED, or none in what is judged."""


class GridNet(PartnerNet):
    """`PartnerNet` whose gap bins are steps of the grid, 0..127, and whose tokens keep their turn."""

    kind = "partner on a grid"

    def __init__(self, config: PartnerConfig) -> None:
        super().__init__(config)
        self.seconds = STEP * torch.arange(LONGEST + 1, dtype=torch.float32)
        self.early: Tensor
        self.register_buffer("early", torch.from_numpy(out_of_turn(np.arange(TOKENS))), persistent=False)

    def forward(
        self,
        gap: Tensor,
        token: Tensor,
        velocity: Tensor,
        style: Tensor,
        hands: Hands | None = None,
        wish: Tensor | None = None,
    ) -> Logits:
        """As `PartnerNet.forward`, without pedal, and with what the order within a step forbids left out."""
        logits = super().forward(gap, token, velocity, style, hands, wish)
        within = functional.pad(gap[:, 1:], (0, 1)) == 0
        never = self.early[PARTNER]
        barred = torch.where(within[..., None], self.early[token], never)
        return logits._replace(token=logits.token.masked_fill(barred, -torch.inf))


def nats_of_grid(net: GridNet, grid: Grid) -> float:
    """-log p of all steps of a grid after its first, given that. (T, 88, 2), T at most JUDGED."""
    gap, token = events_of_grid(grid)
    steps = np.cumsum(gap)
    nothing = np.zeros(1, np.int64)
    bins = np.concatenate([nothing, np.minimum(gap, LONGEST)])
    tokens = np.concatenate([nothing + PARTNER, token])
    nats = nats_of_net(net, (bins, tokens, np.zeros_like(bins)))
    later = np.concatenate([[False], steps > 0])
    long = int((gap >= LONGEST).sum())
    said = float((nats["gap"] + nats["token"])[later].sum()) + long * np.log(LATER)
    return said + _nats_of_silence(net, bins, tokens, len(grid) - 1 - int(steps[-1]))


@torch.inference_mode()
def _nats_of_silence(net: GridNet, gap: NDArray[np.int64], token: NDArray[np.int64], steps: int) -> float:
    """-log p of nothing in so many more steps, nor in this one."""
    whole = [torch.from_numpy(part)[None] for part in (gap, token, np.zeros_like(gap), np.zeros_like(gap))]
    hands = hands_of(*whole[:2], net.seconds)
    last = slice(max(0, len(gap) - 2 * net.config.window), None)
    logits = net(*(part[:, last] for part in whole), Hands(*(part[:, last] for part in hands)))
    chances = logits.gap[0, -1].double().softmax(-1)
    chances[LONGEST] *= min(1.0, (JUDGED - steps) / LATER)
    return -float(chances[min(steps + 1, LONGEST) :].sum().log())


def nats_of_tune(net: GridNet, tune: Tune) -> dict[str, float]:
    """Nats of a piece's first JUDGED steps on the grid, the very first left out, and its notes there."""
    notes = notes_of_tokens(tune.tokens)
    notes["onset"] -= notes["onset"][0]
    grid = grid_of_notes(notes)[:JUDGED]
    return {
        "nats": nats_of_grid(net, grid),
        "notes": float(grid[1:, :, 1].sum()),
        "seconds": STEP * (len(grid) - 1),
    }
