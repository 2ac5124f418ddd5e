"""The training of a rival: the partner's data and splits, a time budget, checkpoints, weights.

All rivals learn from the same windows of the same varied pieces (`models/partner_data.py`); the rate warms
up, holds and falls to nothing as the time runs out. What is written is the moving average of the weights.
"""

import copy
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from duet.errors import FileError
from duet.piece import Piece
from models.chord_lesson import shapes_of_tunes
from models.partner_data import read_tunes, write_tunes
from models.rivals import Rival, fresh_rival, load_rival, save_rival

logger = logging.getLogger(__name__)

WARM_UP, HOLD = 50, 0.3
"""Iterations until the rate is full; the share of the budget after which it falls."""
AVERAGE = 0.995
CHECKPOINT = 60.0
"""Seconds between checkpoints."""
CHECKS = 6
"""Held-out batches."""


def train_rival(
    name: str,
    pieces: Iterable[Piece],
    out: Path,
    minutes: float,
    run: Path,
    *,
    resume: bool = False,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    **sizes: Any,
) -> Path:
    """Train on the pieces of split "train" for some minutes in all; write the weights to `out`, return it.

    clock: what the minutes are counted by, in seconds; `time.process_time` makes equal budgets on a busy machine.
    run: folder for tokens and state; with `resume` the run there goes on and `pieces` is not read.
    """
    run.mkdir(parents=True, exist_ok=True)
    cache, state_file = run / "tokens.npz", run / f"{name}.pt"
    if not (resume and cache.exists()):
        write_tunes(cache, pieces)
    tunes = read_tunes(cache)
    learnt = [tune for tune in tunes if tune.split == "train"]
    held_out = [tune for tune in tunes if tune.split == "valid"] or learnt
    if not learnt:
        raise FileError(f"{cache}: no piece to train on; --data takes a folder of MIDI files")
    state = torch.load(state_file) if resume and state_file.exists() else None
    rng = np.random.default_rng(seed)
    if state:
        rival = load_rival(out)
        rival.net.train().requires_grad_(True).load_state_dict(state["net"])
    else:
        rival = fresh_rival(name, shapes_of_tunes(learnt, rng), seed, **sizes)
    lesson = rival.lesson(learnt)
    average = copy.deepcopy(rival.net).eval().requires_grad_(False)
    optimizer = lesson.optimizer()
    iteration, spent = 0, 0.0
    if state:
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        iteration, spent = state["iteration"], state["spent"]
        rng = np.random.default_rng([seed, iteration])
    full = optimizer.param_groups[0]["lr"] if not state else state["rate"]
    checker = rival.lesson(held_out)
    checks = [checker.batch(np.random.default_rng(place)) for place in range(CHECKS)]
    began, next_checkpoint, recent = clock() - spent, spent + CHECKPOINT, []
    while True:
        spent = clock() - began
        progress = min(1.0, spent / (60 * minutes))
        if progress >= 1 or spent >= next_checkpoint:
            figure = judge(average, checker, checks)
            logger.info("iteration %d, %.0f %%, held out %.3f nats a note", iteration, 100 * progress, figure)
            kept = {"net": rival.net.state_dict(), "average": average.state_dict()}
            kept |= {"optimizer": optimizer.state_dict(), "rate": full}
            torch.save({**kept, "iteration": iteration, "spent": spent}, state_file)
            notes = {"iterations": str(iteration), "seconds": str(round(spent)), "held_out": f"{figure:.3f}"}
            save_rival(Rival(name, rival.config, average), out, **notes)
            next_checkpoint = spent + CHECKPOINT
        if progress >= 1:
            return out
        falling = max(0.0, (progress - HOLD) / (1 - HOLD))
        rate = min(1.0, (iteration + 1) / WARM_UP) * (0.5 + 0.5 * float(np.cos(np.pi * falling)))
        optimizer.param_groups[0]["lr"] = full * rate
        nats, notes_in_batch = lesson.loss(lesson.batch(rng), rival.net)  # type: ignore[arg-type]
        optimizer.zero_grad()
        (nats / notes_in_batch).backward()
        nn.utils.clip_grad_norm_(rival.net.parameters(), 1.0)
        optimizer.step()
        iteration += 1
        keep = min(AVERAGE, 1 - 1 / (1 + iteration / 5))
        torch._foreach_lerp_(list(average.parameters()), list(rival.net.parameters()), 1 - keep)
        recent.append(float(nats.detach() / notes_in_batch))
        if iteration % 50 == 0:
            logger.info("iteration %d, %.0f s, %.3f nats a note", iteration, spent, np.mean(recent[-50:]))


@torch.no_grad()
def judge(net: nn.Module, lesson: Any, checks: list[Any]) -> float:
    """Nats a note on fixed held-out batches."""
    parts = [lesson.loss(batch, net) for batch in checks]
    return float(sum(nats for nats, _ in parts)) / float(sum(notes for _, notes in parts))
