"""The training of the partner: tokens, windows, a time budget, checkpoints, weights.

Matrices between the layers learn by Muon (Jordan et al. 2024), everything else by AdamW; both warm up, hold,
and fall to nothing as the time budget runs out, so that any budget ends well. What is written is the moving
average of the weights. A run may be stopped and resumed; its folder holds tokens, state and curve. Weights
may be gone on from (`--from`), more gently: for longer, or on a player's own files.
"""

import copy
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from duet.errors import DuetError, FileError
from duet.piece import Piece
from models.company import Company
from models.draws import seed_of
from models.grid_lesson import GridLesson
from models.grid_net import GridNet
from models.partner import PartnerConfig, PartnerNet
from models.partner_check import (
    Lesson,
    figures_of,
    judge,
    nats_of_pieces,
    some_pieces,
    windows_to_judge_by,
)
from models.partner_data import Tune, read_tunes, write_tunes
from models.partner_file import fresh_net, load_net, save_partner
from models.partner_lesson import PartnerLesson
from models.partner_run import draw_curve, forget_after, note, save_state
from models.partner_training import (
    GPU_SIZE,
    ON_GPU,
    PRESETS,
    TrainingConfig,
    build_optimizers,
    length_at,
    looking_back,
    rate_at,
)
from models.precision import learning
from models.rehearsal import RehearsedLesson, remember
from models.training_bar import bar

logger = logging.getLogger(__name__)


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
    clock: Callable[[], float] = time.monotonic,
    on_grid: bool = False,
    rehearse: float | None = None,
    compiled: bool = False,
    preset: str = "",
) -> Path:
    """Train on the pieces of split "train" for some minutes in all; write the weights to `out`, return it.

    clock: what the minutes are counted by, in seconds; `time.process_time` makes equal budgets on a busy machine.
    run: folder for tokens, state and curve; with `resume` the run there goes on and `pieces` is not read.
    start_from: weights to begin with, whose config and styles are kept. on_grid: teach the kind the grids of
    `biaxial` instead, to compare (`models/grid_net.py`). rehearse: in place of the training's. compiled: fuse the
    network's operations. preset: of `partner_training.PRESETS`, with start_from. Progress is logged.
    Under torchrun all processes share the work.
    """
    if rehearse and not start_from:
        raise DuetError("--rehearse keeps what the weights of --from know: name them")
    if preset and (preset not in PRESETS or not start_from):
        raise DuetError(
            f"a partner's --config is a way to go on from the weights of --from: {', '.join(PRESETS)}"
        )
    with Company(device) as company:
        learnt, held_out = _tunes(pieces, run, resume, company)
        default = PRESETS[preset or "tuning"] if start_from else TrainingConfig()
        if device.startswith("cuda"):
            default = replace(ON_GPU, rehearse=default.rehearse)
        training = training or default
        training = replace(training, compiled=compiled or training.compiled)
        if rehearse is not None:
            training = replace(training, rehearse=rehearse)
        kept = run / "state.pt"
        state = torch.load(kept, map_location=company.device) if resume and kept.exists() else None
        build = GridNet if on_grid else PartnerNet
        net: PartnerNet
        if state:
            net = build(PartnerConfig(**state["config"]))
        elif start_from:
            net = load_net(start_from, build).train().requires_grad_(True)
        else:
            size = config or (GPU_SIZE if device.startswith("cuda") else PartnerConfig())
            styles = tuple(sorted({tune.style for tune in learnt if tune.style and not on_grid}))
            net = fresh_net(replace(size, styles=styles), seed, build)

        net.config = looking_back(net.config, training)
        if training.attention_held:
            for layer in net.layers:
                layer.qkv.requires_grad_(False)
                layer.out.requires_grad_(False)

        def lesson_of(tunes: list[Tune], filled: bool = False) -> Lesson:
            return GridLesson(tunes) if on_grid else PartnerLesson(tunes, net.config.styles, filled)

        began = clock()
        lesson, checker = lesson_of(learnt, training.filled), lesson_of(held_out or learnt)
        net.to(company.device)
        origin = load_net(start_from, build).to(company.device) if start_from else None
        seed = seed_of(seed, start_from)
        if origin and training.rehearse and isinstance(lesson, PartnerLesson):
            memories = remember(origin, seed, *training.remembered)
            lesson = RehearsedLesson(lesson, origin, memories, training.rehearse)
            logger.info("composed what is to be rehearsed, %.0f s", clock() - began)
        pieces = [] if on_grid else some_pieces(held_out or learnt, training.pieces)
        trainer = Trainer(net, lesson, checker, training, company, state, clock, origin, pieces)
        trainer.spent += clock() - began
        trainer.train(minutes, seed, run, out)
        return out


def _tunes(
    pieces: Iterable[Piece], run: Path, resume: bool, company: Company
) -> tuple[list[Tune], list[Tune]]:
    """The tunes to learn from and those to judge by, read from MIDI by the leader if need be."""
    run.mkdir(parents=True, exist_ok=True)
    cache = run / "tokens.npz"
    if company.leads and not (resume and cache.exists()):
        write_tunes(cache, pieces)
    company.wait()
    tunes = read_tunes(cache)
    learnt = [tune for tune in tunes if tune.split == "train"]
    if not learnt:
        raise FileError(f"{cache}: no piece to train on; --data takes a folder of MIDI files")
    return learnt, [tune for tune in tunes if tune.split == "valid"]


class Trainer:
    """A network, its moving average, its optimizers, and how far they are."""

    def __init__(
        self,
        net: PartnerNet,
        lesson: Lesson,
        checker: Lesson,
        training: TrainingConfig,
        company: Company,
        state: dict[str, Any] | None,
        clock: Callable[[], float],
        origin: PartnerNet | None = None,
        pieces: Sequence[Tune] = (),
    ) -> None:
        """state: what `save` wrote, to go on exactly from there. origin: the weights gone on from, to keep some of.

        pieces: to choose at the end by how much.
        """
        self.origin, self.pieces = origin, pieces
        self.net, self.lesson, self.training, self.company, self.clock = net, lesson, training, company, clock
        self.student = torch.compile(net, dynamic=False) if training.compiled else net
        self.average = copy.deepcopy(net).eval().requires_grad_(False)
        self.optimizers = build_optimizers(net, training)
        self.iteration, self.spent = 0, 0.0
        self.checker, self.checks = checker, windows_to_judge_by(checker, training, company.device)
        if state:
            net.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            for optimizer, values in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(values)
            self.iteration, self.spent = state["iteration"], state["spent"]

    def train(self, minutes: float, seed: int, run: Path, out: Path) -> None:
        """Go on until the budget is spent, with a checkpoint now and then."""
        forget_after(run / "curve.csv", self.iteration + bool(self.iteration))
        began = self.clock() - self.spent
        next_checkpoint = self.spent + self.training.checkpoint if self.iteration else 0.0
        recent: list[float] = []
        with bar(self.company.leads) as show:
            while True:
                self.spent = self.clock() - began
                budget = self.training.iterations
                done = self.iteration / budget if budget else self.spent / (60 * minutes)
                progress = self.company.agree(min(1.0, done))
                if self.company.leads and (self.spent >= next_checkpoint or progress >= 1):
                    self.checkpoint(run, out)
                    next_checkpoint = self.spent + self.training.checkpoint
                if progress >= 1:
                    self.choose(out)
                    return
                rng = np.random.default_rng([seed, self.iteration, self.company.rank])
                length = length_at(progress, seed, self.iteration, self.training)
                windows = max(1, self.training.tokens // length // self.company.size)
                made = self.lesson.batch((windows, length), rng)
                recent.append(self.learn(made, rate_at(progress, self.iteration, self.training)))
                show(progress, f"{np.mean(recent[-50:]):.3f} nats a note")
                if self.iteration % 50 == 0:
                    logger.info(
                        "iteration %d, %.0f s, %.3f nats a note",
                        self.iteration,
                        self.spent,
                        np.mean(recent[-50:]),
                    )

    def learn(self, made: dict[str, NDArray[Any]], factor: float) -> float:
        """One iteration on a batch, at a share of the learning rates; nats a note."""
        for optimizer, rate in zip(
            self.optimizers, (self.training.matrix_rate, self.training.rate), strict=True
        ):
            optimizer.param_groups[0]["lr"] = rate * factor
            optimizer.zero_grad()
        device = self.company.device
        batch = {field: torch.from_numpy(values).to(device) for field, values in made.items()}
        with learning(device):
            parts = self.lesson.losses(self.student, batch)
        (parts["total"] / parts["steps"]).backward()
        self.company.average_gradients(self.net)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.iteration += 1
        keep = min(self.training.average, 1 - 1 / (1 + self.iteration / 5))
        _mix(self.average, self.net, 1 - keep)
        return figures_of([parts])["nats_per_note"]

    def checkpoint(self, run: Path, out: Path) -> None:
        """Judge, and write everything."""
        tried = [self.with_origin(share) for share in self.training.kept]
        judged = [judge(net, self.checker, self.checks) for net in tried]
        figures, best = min(zip(judged, tried, strict=True), key=lambda pair: pair[0]["nats_per_note"])
        note(
            run / "curve.csv",
            {"iteration": self.iteration, "seconds": round(self.spent), **figures},
        )
        draw_curve(run / "curve.csv", run / "curve.png")
        logger.info("iteration %d, %.0f s, held out %s", self.iteration, self.spent, figures)
        save_state(
            run / "state.pt",
            {
                "config": asdict(self.net.config),
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "iteration": self.iteration,
                "spent": self.spent,
            },
        )
        self.write(best, out)

    def choose(self, out: Path) -> None:
        """At the end, the share of the old weights that whole pieces speak for, if they are asked; all take part."""
        if not self.pieces or self.origin is None:
            return
        tried = [copy.deepcopy(self.with_origin(share)).cpu() for share in self.training.kept]
        judged = nats_of_pieces(tried, self.pieces, self.company)
        for share, nats in zip(self.training.kept, judged, strict=True):
            logger.info("%.4f nats a note on %d whole pieces, of the old %.2f", nats, len(self.pieces), share)
        if self.company.leads:
            best = int(np.argmin(judged))
            self.write(tried[best], out, share_of_the_weights_before=str(self.training.kept[best]))

    def write(self, net: PartnerNet, out: Path, **notes: str) -> None:
        """Weights as they are to be used, and how long they have learnt."""
        save_partner(net, out, iterations=str(self.iteration), seconds=str(round(self.spent)), **notes)

    def with_origin(self, share: float) -> PartnerNet:
        """The moving average, with a share of the weights gone on from (Wortsman et al. 2022, "Robust fine-tuning")."""
        if not share or self.origin is None:
            return self.average
        mixed = copy.deepcopy(self.average)
        _mix(mixed, self.origin, share)
        return mixed


@torch.no_grad()
def _mix(net: PartnerNet, other: PartnerNet, share: float) -> None:
    """Move a network's weights a share of the way to another's."""
    torch._foreach_lerp_(list(net.parameters()), list(other.parameters()), share)
