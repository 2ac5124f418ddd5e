"""How the weights that a training might write are judged: on fixed windows as it goes, on whole pieces at its end.

Windows say less: few of a window's steps have all the past that a live one has, so what a training loses by
forgetting the far past they do not see (docs/results-trainings.md, the eighth).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.company import Company
from models.eval_notes import steps_of_tune, sums_of
from models.grid_lesson import GridLesson
from models.nats import nats_of_net
from models.partner import PartnerNet
from models.partner_data import Tune
from models.partner_lesson import PartnerLesson
from models.partner_training import TrainingConfig
from models.precision import learning
from models.rehearsal import RehearsedLesson

Lesson = PartnerLesson | GridLesson | RehearsedLesson


def windows_to_judge_by(lesson: Lesson, training: TrainingConfig, device: str) -> list[dict[str, Tensor]]:
    """Fixed windows to judge by: half told nothing of the partner's turns, half the same told some of it."""
    made = []
    for told in (False, True):
        rng = np.random.default_rng(1)
        windows = max(2, 4096 // training.long)
        made += [lesson.batch((windows, training.long), rng, told) for _ in range(4)]
    return [{field: torch.from_numpy(values).to(device) for field, values in batch.items()} for batch in made]


@torch.no_grad()
def judge(net: PartnerNet, lesson: Lesson, checks: list[dict[str, Tensor]]) -> dict[str, float]:
    """Nats a note on fixed held-out windows, in all and by kind; `told`: of the windows told what they are."""
    with learning(checks[0]["gap"].device.type):
        parts = [lesson.losses(net, batch) for batch in checks]
    half = len(parts) // 2
    figures = {**figures_of(parts[:half]), "told": figures_of(parts[half:])["nats_per_note"]}
    return {name: round(value, 4) for name, value in figures.items()}


def figures_of(parts: Sequence[dict[str, Tensor]]) -> dict[str, float]:
    """Nats a note of some batches' losses, in all and by kind."""
    sums = {kind: sum(float(part[kind].detach()) for part in parts) for kind in parts[0]}
    found = {kind: sums[kind] / max(1.0, sums["notes"]) for kind in ("gap", "token", "velocity", "end")}
    return {"nats_per_note": found["gap"] + found["token"] + found["velocity"], **found}


def some_pieces(tunes: Sequence[Tune], count: int) -> list[Tune]:
    """So many of them, drawn the same way every time: performances, or scores if there are no performances."""
    pieces = [tune for tune in tunes if tune.expressive] or list(tunes)
    chosen = np.random.default_rng(1).permutation(len(pieces))[:count]
    return [pieces[number] for number in sorted(chosen)]


def nats_of_pieces(nets: Sequence[PartnerNet], pieces: Sequence[Tune], company: Company) -> list[float]:
    """Nats a note of each network (on the CPU) on the pieces, told nothing; the company shares them."""
    sums = np.zeros((len(nets), 2))
    for tune in pieces[company.rank :: company.size]:
        steps = steps_of_tune(tune)
        for place, net in enumerate(nets):
            row = sums_of(tune, steps, nats_of_net(net, steps))
            sums[place] += row["nats"], row["notes"]
    return [company.mean(nats) / max(1e-9, company.mean(notes)) for nats, notes in sums.tolist()]
