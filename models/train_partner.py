"""The training of the partner: tokens, windows, a time budget, checkpoints, weights.

Matrices between the layers learn by Muon (Jordan et al. 2024), everything else by AdamW; both warm up, hold,
and fall to nothing as the time budget runs out, so that any budget ends well. What is written is the moving
average of the weights. A run may be stopped and resumed; its folder holds tokens, state and curve.
"""

import copy
import csv
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from duet.errors import FileError
from duet.piece import Piece
from models.events import PLAYED
from models.partner import PartnerConfig, PartnerNet
from models.partner_data import Tune, make_batch, read_tunes, weights_of, write_tunes
from models.partner_file import fresh_net, load_net, save_partner

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train; the defaults suit one CPU core and an hour."""

    tokens: int = 4096
    """Steps in a batch."""
    short: int = 256
    """Steps in a window at first ..."""
    long: int = 512
    """... and in the last part of the training."""
    long_from: float = 0.6
    """Share of the budget after which windows are long."""
    matrix_rate: float = 4e-3
    """Muon's learning rate."""
    rate: float = 3e-3
    """AdamW's learning rate."""
    warm_up: int = 100
    """Iterations until the learning rates are full."""
    hold: float = 0.3
    """Share of the budget after which they fall."""
    average: float = 0.998
    """Decay of the moving average, per iteration."""
    checkpoint: float = 180.0
    """Seconds between checkpoints."""
    iterations: int = 0
    """If positive, the budget in place of minutes: the same numbers on any machine."""


ON_GPU = TrainingConfig(tokens=32_768, short=512, warm_up=300)
GPU_SIZE = PartnerConfig(width=256, layers=8, heads=4)
"""6.8 M parameters: what a GPU has time to teach; one CPU core steps it in 1.9 ms (320 wide: 2.9 ms)."""


def losses(net: PartnerNet, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Summed nats of a batch by kind (gap, token, velocity, end), and how many steps and notes counted."""
    logits = net(batch["gap"], batch["token"], batch["velocity"], batch["style"])
    counts, velocity_counts = batch["counts"][:, 1:], batch["velocity_counts"][:, 1:]

    def nats(said: Tensor, true: Tensor, where: Tensor) -> Tensor:
        return functional.cross_entropy(said[:, :-1][where], true[:, 1:][where], reduction="sum")

    end = batch["phrase_end"].float()
    said_end = functional.binary_cross_entropy_with_logits(logits.end, end, reduction="none")
    return {
        "gap": nats(logits.gap, batch["gap"], counts == 1),
        "token": nats(logits.token, batch["token"].clamp(max=PLAYED - 1), counts > 0),
        "velocity": nats(logits.velocity, batch["velocity"], velocity_counts > 0),
        "end": (said_end * (batch["counts"] > 0)).sum(),
        "steps": (counts > 0).sum(),
        "notes": ((batch["token"][:, 1:] < 88) & (counts > 0)).sum(),
    }


def build_optimizers(net: PartnerNet, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest."""
    matrices = [p for p in net.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if id(p) not in chosen]
    return [
        torch.optim.Muon(matrices, lr=config.matrix_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=config.rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def rate_at(progress: float, iteration: int, config: TrainingConfig) -> float:
    """The factor on the learning rates: warm-up, hold, then a cosine to 0 at progress 1."""
    falling = max(0.0, min(1.0, (progress - config.hold) / (1 - config.hold)))
    return min(1.0, (iteration + 1) / config.warm_up) * (0.5 + 0.5 * float(np.cos(np.pi * falling)))


def train_partner(
    pieces: Iterable[Piece],
    out: Path,
    minutes: float,
    run: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    seed: int = 0,
    start_from: Path | None = None,
    config: PartnerConfig | None = None,
    training: TrainingConfig | None = None,
) -> Path:
    """Train on the pieces of split "train" for some minutes in all; write the weights to `out`, return it.

    run: folder for tokens, state and curve; with `resume` the run there goes on and `pieces` is not read.
    start_from: weights to begin with, whose config and styles are kept. Progress is logged.
    """
    on_gpu = device.startswith("cuda")
    training = training or (ON_GPU if on_gpu else TrainingConfig())
    config = config or (GPU_SIZE if on_gpu else PartnerConfig())
    run.mkdir(parents=True, exist_ok=True)
    cache = run / "tokens.npz"
    if not (resume and cache.exists()):
        write_tunes(cache, pieces)
    tunes = read_tunes(cache)
    learnt = [tune for tune in tunes if tune.split == "train"]
    held_out = [tune for tune in tunes if tune.split == "valid"]
    if not learnt:
        raise FileError(f"{cache}: no piece to train on; --data takes a folder of MIDI files")
    state_file = run / "state.pt"
    state = torch.load(state_file, map_location=device) if resume and state_file.exists() else None
    if state:
        net = PartnerNet(PartnerConfig(**state["config"]))
    elif start_from:
        net = load_net(start_from).train().requires_grad_(True)
    else:
        styles = tuple(sorted({tune.style for tune in learnt if tune.style}))
        net = fresh_net(replace(config, styles=styles), seed)
    net.to(device)
    average = copy.deepcopy(net).eval().requires_grad_(False)
    optimizers = build_optimizers(net, training)
    iteration, spent = 0, 0.0
    if state:
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        for optimizer, values in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        iteration, spent = state["iteration"], state["spent"]
    weights = weights_of(learnt)
    rng = np.random.default_rng([seed, iteration])
    checks = _checks(held_out or learnt, net.config.styles, training, device)
    began, next_checkpoint, recent = time.monotonic() - spent, spent + training.checkpoint, []
    while True:
        spent = time.monotonic() - began
        done = iteration / training.iterations if training.iterations else spent / (60 * minutes)
        progress = min(1.0, done)
        if spent >= next_checkpoint or progress >= 1:
            figures = judge(average, checks)
            _note(run / "curve.csv", {"iteration": iteration, "seconds": round(spent), **figures})
            logger.info("iteration %d, %.0f %%, held out %s", iteration, 100 * progress, figures)
            _save(state_file, net, average, optimizers, iteration, spent)
            save_partner(average, out, iterations=str(iteration), seconds=str(round(spent)))
            next_checkpoint = spent + training.checkpoint
        if progress >= 1:
            return out
        factor = rate_at(progress, iteration, training)
        for optimizer, rate in zip(optimizers, (training.matrix_rate, training.rate), strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
        length = training.short if progress < training.long_from else training.long
        made = make_batch(learnt, weights, net.config.styles, (training.tokens // length, length), rng)
        batch = {field: torch.from_numpy(values).to(device) for field, values in made.items()}
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            parts = losses(net, batch)
        total = parts["gap"] + parts["token"] + parts["velocity"] + 0.2 * parts["end"]
        for optimizer in optimizers:
            optimizer.zero_grad()
        (total / parts["steps"]).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        iteration += 1
        keep = min(training.average, 1 - 1 / (1 + iteration / 5))
        torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - keep)
        recent.append(float(total.detach()) / float(parts["notes"]))
        if iteration % 50 == 0:
            logger.info("iteration %d, %.0f s, %.3f nats a note", iteration, spent, np.mean(recent[-50:]))


def _checks(
    tunes: list[Tune], styles: tuple[str, ...], training: TrainingConfig, device: str
) -> list[dict[str, Tensor]]:
    rng = np.random.default_rng(1)
    weights = weights_of(tunes)
    made = [make_batch(tunes, weights, styles, (8, training.long), rng) for _ in range(4)]
    return [{field: torch.from_numpy(values).to(device) for field, values in batch.items()} for batch in made]


@torch.no_grad()
def judge(net: PartnerNet, checks: list[dict[str, Tensor]]) -> dict[str, float]:
    """Nats a note, in all and by kind, on fixed held-out windows."""
    with torch.autocast(checks[0]["gap"].device.type, torch.bfloat16):
        parts = [losses(net, batch) for batch in checks]
    sums = {kind: sum(float(part[kind]) for part in parts) for kind in parts[0]}
    figures = {kind: round(sums[kind] / sums["notes"], 4) for kind in ("gap", "token", "velocity", "end")}
    return {"nats_per_note": round(figures["gap"] + figures["token"] + figures["velocity"], 4), **figures}


def _save(
    path: Path,
    net: PartnerNet,
    average: PartnerNet,
    optimizers: list[torch.optim.Optimizer],
    iteration: int,
    spent: float,
) -> None:
    state = {
        "config": asdict(net.config),
        "net": net.state_dict(),
        "average": average.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "iteration": iteration,
        "spent": spent,
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def _note(path: Path, row: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
