"""What each layer's far past is worth: nats a note where one layer after another is held to fewer steps.

No training is needed to ask. That is how it was found which layers of the shipped network have a use for a long past
(docs/results-trainings.md).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.kept_rows import Desk
from models.partner import PartnerConfig, PartnerNet
from models.partner_data import Tune
from models.partner_lesson import PartnerLesson, nats_of_steps

WINDOWS = 24
"""Of the length that the network looks back on, told nothing."""
EDGES = (0, 128, 512, 1024, 2048, 4096, 8192)
"""Steps before the steps that are counted together."""


def judge_spans(net: PartnerNet, tunes: Sequence[Tune], span: int, seed: int, desk: Desk) -> dict[str, Any]:
    """Nats a note as the network is ("all") and with each layer, from 1 on, held to `span` steps.

    Each is of all steps, and by how many are before them: "0 to 128" and so on.
    """
    whole = net.config
    length = whole.window
    lesson = PartnerLesson(tunes, whole.styles)
    rng = np.random.default_rng(seed)
    batches = [
        {field: torch.from_numpy(values) for field, values in lesson.batch((1, length), rng, False).items()}
        for _ in range(WINDOWS)
    ]
    held = [whole, *(_held(whole, layer, span) for layer in range(whole.layers))]

    def row(number: int) -> dict[str, float]:
        net.config = held[number]
        try:
            return _by_place(net, batches, length)
        finally:
            net.config = whole

    rows = desk.rows("spans", "models.eval_spans", row, len(held), f"{span} {seed}")
    return {"span": span, "layers": dict(zip(["all", *map(str, range(1, len(held)))], rows, strict=True))}


def _held(config: PartnerConfig, layer: int, span: int) -> PartnerConfig:
    """The same with one layer that looks back on no more than `span` steps."""
    spans = tuple(min(steps, span) if place == layer else steps for place, steps in enumerate(config.windows))
    return replace(config, window=max(spans), spans=spans)


@torch.inference_mode()
def _by_place(net: PartnerNet, batches: Sequence[dict[str, Tensor]], length: int) -> dict[str, float]:
    nats: NDArray[np.float64] = np.zeros(length - 1)
    notes: NDArray[np.float64] = np.zeros(length - 1)
    for batch in batches:
        said, struck = nats_of_steps(net, batch)
        nats += said.sum(0).double().numpy()
        notes += struck.sum(0).double().numpy()
    edges = [edge for edge in EDGES if edge < length] + [length]
    found = {"nats_per_note": nats.sum() / notes.sum()}
    for begin, end in pairwise(edges):
        here = slice(begin, end)
        found[f"{begin} to {end}"] = nats[here].sum() / max(1.0, notes[here].sum())
    return {name: round(float(value), 4) for name, value in found.items()}
