"""What others expect of the grids that `biaxial` hears: an upper bound of their nats.

Of a grid of 125 ms many performances can be the original, and a composer of performances gives the grid the sum of
all their likelihoods. One of them is the one that was played: the likelihood of its keys, pressed and released when
they were, without pedals and with velocities that say nothing, is a part of that sum. So a composer needs for the
grid at most the nats it needs for those, which say each moment to about 10 ms. Like `biaxial` it is asked of the
first 64 s of a piece but its first step, and the nats are divided by the notes that are struck on the grid.
"""

from dataclasses import replace

import numpy as np
import torch

from models.biaxial import STEP, grid_of_notes
from models.biaxial_lesson import JUDGED
from models.chord_net import ChordNet, as_symbols
from models.chord_symbols import notes_of_tokens, symbols_of
from models.eval_notes import steps_of_tune
from models.events import GAPS, OFF, PEDAL_DOWN
from models.nats import nats_of_net
from models.partner import PartnerNet
from models.partner_data import Tune


def opening(tune: Tune) -> Tune:
    """A tune's keys in JUDGED steps from its first note on, and the event after, which says that it is all."""
    tokens = tune.tokens[tune.tokens["token"] < PEDAL_DOWN].copy()
    tokens["time"] -= tokens["time"][0]
    count = int((np.round(tokens["time"] / STEP) < JUDGED).sum())
    return replace(tune, tokens=tokens[: count + 1], real_velocity=False)


def _sums(tune: Tune, nats: float) -> dict[str, float]:
    notes = notes_of_tokens(tune.tokens)
    notes["onset"] -= notes["onset"][0]
    grid = grid_of_notes(notes)[:JUDGED]
    return {"nats": nats, "notes": float(grid[1:, :, 1].sum()), "seconds": STEP * (len(grid) - 1)}


def bound_of_net(net: PartnerNet, tune: Tune) -> dict[str, float]:
    """At most so many nats the neural partner needs for a tune's grid."""
    begun = opening(tune)
    nats = nats_of_net(net, steps_of_tune(begun))
    later = np.round(begun.tokens["time"] / STEP) > 0
    return _sums(tune, float((nats["gap"] + nats["token"])[1:][later].sum()))


@torch.inference_mode()
def bound_of_chords(net: ChordNet, tune: Tune) -> dict[str, float]:
    """At most so many nats a composer of chord symbols needs for a tune's grid."""
    begun = opening(tune)
    strokes = int((begun.tokens["token"] < OFF).sum())
    notes = notes_of_tokens(tune.tokens)[:strokes]
    notes["onset"] -= notes["onset"][0]
    notes["velocity"] = 64
    known = {shape: place for place, shape in enumerate(net.shapes)}
    rows = symbols_of(notes, known)
    symbols = as_symbols(rows)
    h, _ = net.read(symbols)
    before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], 1)
    said = net.nats(symbols, before)
    waits = np.concatenate([[0.0], np.asarray(GAPS)[rows["wait"][1:]]])
    later = torch.from_numpy(np.round(np.cumsum(waits) / STEP) > 0)
    nats = sum(said[part][0] for part in ("wait", "key", "delay", "length"))
    assert isinstance(nats, torch.Tensor)
    return _sums(tune, float(nats.double()[later].sum()))
