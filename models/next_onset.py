"""When the next key is expected to be struck, as far as the network can tell from what it has heard.

The network says when the next event comes and what it is; a release or the pedal may come before the next
stroke. So each moment's hazard of a stroke (the chance that one comes now, if nothing has happened yet) is
taken by itself, as in the survival analysis of competing causes: an event of another kind ends the wait
without a verdict, and hearing it makes a new expectation.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.events import GAPS, OFF, PEDAL_DOWN
from models.partner import Hands, PartnerNet

INSTANTS = len(GAPS) - 1
"""The last gap stands for all that are longer, so nothing is known of it."""


@dataclass(frozen=True, slots=True)
class NextOnset:
    """The wait for the next stroke, counted from the event heard last."""

    waiting: NDArray[np.float32]
    """(127,), falling: the chance that no key has been struck by GAPS[i] seconds, to 7.7 s."""
    phrase_end: float
    """The chance, by the network's own count, that a phrase ended with that event."""

    def chance(self, within: float, waited: float = 0.0) -> float:
        """How likely a key is struck in the next `within` seconds, `waited` seconds having gone by."""
        still, later = self._waiting_at(waited), self._waiting_at(waited + within)
        return 1 - later / still if still > 0 else 0.0

    def quantile(self, share: float, waited: float = 0.0) -> float:
        """Seconds from the last event by which a stroke has come with a chance of `share`; may be infinite.

        waited: seconds already gone by without one.
        """
        wanted = (1 - share) * self._waiting_at(waited)
        reached = np.flatnonzero((self.waiting <= wanted) & (GAPS[:INSTANTS] >= waited))
        return float(GAPS[reached[0]]) if len(reached) else float("inf")

    def _waiting_at(self, seconds: float) -> float:
        return float(np.interp(seconds, GAPS[:INSTANTS], self.waiting))


@torch.inference_mode()
def next_onset(net: PartnerNet, h: Tensor, hands: Hands) -> NextOnset:
    """The expectation after one step. h: (1, 1, W) what the heads read; hands: after that step."""
    chances = net.gap_logits(h)[0, 0].softmax(-1)
    strokes = chances * after_each_gap(net, h, hands)[:, :OFF].sum(-1)
    still = chances.flip(0).cumsum(0).flip(0)
    hazard = (strokes / still.clamp(min=1e-12))[:INSTANTS].clamp(0, 1)
    end = float(torch.sigmoid(net.end_head(h)))
    return NextOnset((1 - hazard).cumprod(0).numpy(), end)


def after_each_gap(net: PartnerNet, h: Tensor, hands: Hands) -> Tensor:
    """How likely each token is if the next step comes after each gap. -> (128, 178)."""
    gaps = torch.arange(len(GAPS))[None]
    everywhere = Hands(*(part.expand(1, len(GAPS), *part.shape[2:]) for part in hands))
    return net.token_logits(h.expand(1, len(GAPS), -1), gaps, everywhere)[0].softmax(-1)


def releases(net: PartnerNet, h: Tensor, hands: Hands) -> Tensor:
    """How likely the next step is a key let go, if it comes after each gap. -> (128,), above 0."""
    return after_each_gap(net, h, hands)[:, OFF:PEDAL_DOWN].sum(-1).clamp(min=1e-9)
