"""What the network thinks of music that is there already: nats of every step, teacher-forced."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from duet.note import Event
from models.events import OFF, PARTNER, PLAYER, steps_of
from models.partner import Hands, PartnerNet, hands_of

Steps = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Gaps, tokens and velocities of a piece."""
FRESH = 2
"""Windows' lengths of steps that are judged at once, after one that is their past."""


@torch.inference_mode()
def nats_of_net(net: PartnerNet, steps: Steps) -> dict[str, NDArray[np.float64]]:
    """Nats of each part of each step of one piece. (T,) each; the first step costs nothing.

    Each is given as many steps before it as a layer looks back on, or all there are, as it is live.
    """
    gap, token, velocity = (torch.from_numpy(part)[None] for part in steps)
    hands = hands_of(gap, token, net.seconds)
    result = {part: np.zeros(token.shape[1]) for part in ("gap", "token", "velocity")}
    past = net.config.window
    for start in range(0, token.shape[1] - 1, FRESH * past):
        window = slice(start, start + (1 + FRESH) * past)
        here = Hands(*(part[:, window] for part in hands))
        parts = [part[:, window] for part in (gap, token, velocity, torch.zeros_like(gap))]
        logits = net(*parts, here)
        for part, said, true in zip(
            result, (logits.gap, logits.token, logits.velocity), parts[:3], strict=False
        ):
            chances = said[0, :-1].log_softmax(-1)
            nats = -chances.gather(-1, true[0, 1:, None].clamp(max=chances.shape[-1] - 1))[:, 0]
            heard = past - 1 if start else 0
            result[part][start + 1 + heard : start + 1 + len(nats)] = nats[heard:].numpy()
    result["velocity"][(steps[1] >= OFF)] = 0
    return result


def surprisal(net: PartnerNet, call: Sequence[Event], answer: Sequence[Event]) -> float:
    """Mean nats of the answer's steps after the call, of a network told nothing: how surprising it is."""
    heard, said = steps_of(call, PLAYER), steps_of(answer, PARTNER)
    steps = [*heard, *said]
    gap, token, velocity = (
        np.array([getattr(step, part) for step in steps], np.int64) for part in ("gap", "token", "velocity")
    )
    nats = nats_of_net(net, (gap, token, velocity))
    return float(sum(part[len(heard) + 1 :].sum() for part in nats.values()) / max(1, len(said) - 1))
