r"""Teach a voice: measure the instrument, sound music with it, and let a network close the gap.

    partials of every key  ->  source      \
    notes of real pieces and exercises      >  network  ->  sound  <-  compared with FluidSynth's
    noise, or its own past                 /

Either form of the voice: the parallel one by spectral distance (`models/parallel_lesson.py`), the autoregressive one
by likelihood (`models/ar_lesson.py`). The run folder keeps the partials, a checkpoint to resume from, and the curve;
the weights can be played from the first checkpoint on. Under `torchrun` every process is a student of the same
network, on crops of its own.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from duet.errors import FileError, MissingExtra
from duet.piece import Piece
from duet.roll import Grid
from models.ar_lesson import (
    ArLesson,
    Recording,
    ar_tables,
    keep_recordings,
    kept_recordings,
    passage_of,
    record,
)
from models.company import Company
from models.fit_partials import FitConfig, fit_partials
from models.fluidsynth import SOUNDFONT, render_truth
from models.parallel_lesson import ParallelLesson
from models.partials import Partials
from models.piano_ar_config import PianoArConfig
from models.piano_checkpoint import PianoCheckpoint, load_checkpoint, save_checkpoint
from models.piano_voice_config import PianoVoiceConfig
from models.source import build_tables
from models.training_bar import bar
from models.voice_check import Check
from models.voice_cost import multiplications, peak_macs
from models.voice_curve import add_row, draw_curve
from models.voice_data import Crops, gather, prepare
from models.voice_presets import PRESETS, Preset
from models.voice_trainer import Trainer
from models.voices import FILES, WEIGHTS

logger = logging.getLogger(__name__)

REPORT_EVERY = 10.0
"""Seconds of training between reports."""
SAVE_EVERY = 180.0
"""Seconds of training between checkpoints, each with a free-running check."""
FIT_RATE = 32_000
"""Samples a second at which an instrument is measured."""


def train_voice(
    pieces: Iterable[Piece],
    soundfont: Path = SOUNDFONT,
    out: Path = WEIGHTS / "piano.safetensors",
    minutes: float = 25.0,
    resume: bool = False,
    device: str = "cpu",
    seed: int = 0,
    run: Path = Path("runs/voice"),
    preset: Preset = PRESETS["piano"]["small"],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, float]:
    """Train for some minutes of `clock` (data preparation not counted) and write `out`; what the last report said.

    With `resume` the run in `run` goes on as if it had never stopped, towards its `minutes` in all.
    """
    run.mkdir(parents=True, exist_ok=True)
    if device == "cpu":
        torch.set_num_threads(1)
    with Company(device) as company:
        partials = _measure(soundfont, run, preset)
        held_out: list[Piece] = []
        watched = watch(pieces, held_out)
        with company.leader_first():
            lesson = _prepare(watched, partials, preset, soundfont, seed, run)
        trainer = Trainer(lesson, preset.train, company, seed, clock)
        state = run / "state.pt"
        if resume and state.exists():
            trainer.load(state)
        check = _check(watched, held_out, soundfont) if company.leads else None

        def keep(report: dict[str, float]) -> dict[str, float]:
            notes = {"training": asdict(preset.train), "soundfont": soundfont.name, **report}
            checkpoint = PianoCheckpoint(preset.shape, trainer.weights(), partials)
            save_checkpoint(out, checkpoint, {"notes": json.dumps(notes), "licence": "CC-BY-SA-4.0"})
            return check.scores(checkpoint) if check else {}

        return teach(trainer, minutes, run, preset.shape, keep)


def teach(
    trainer: Trainer,
    minutes: float,
    run: Path,
    shape: PianoVoiceConfig | PianoArConfig,
    keep: Callable[[dict[str, float]], dict[str, float]],
) -> dict[str, float]:
    """Train towards `minutes` in all, with reports and checkpoints; what the last report said.

    keep: is given a report whenever a checkpoint is due, writes the weights, and returns their scores.
    """
    state = run / "state.pt"
    cost = 3 * multiplications(shape) / peak_macs(trainer.device)
    report: dict[str, float] = {}
    reported = saved = trainer.seconds
    losses: list[float] = []
    with bar(trainer.company.leads) as show:
        while trainer.seconds < minutes * 60:
            losses.append(trainer.step(trainer.seconds / (minutes * 60)))
            rate = trainer.sound / trainer.seconds
            words = f"loss {np.mean(losses[-50:]):.3f}, {rate * shape.sample_rate:,.0f} samples/s"
            show(trainer.seconds / (minutes * 60), words)
            done = trainer.seconds >= minutes * 60
            saves = done or trainer.seconds - saved > SAVE_EVERY
            if saves or trainer.seconds - reported > REPORT_EVERY:
                reported = trainer.seconds
                report = {
                    "iteration": trainer.iteration,
                    "minutes": trainer.seconds / 60,
                    "minutes_left": max(0.0, minutes - trainer.seconds / 60),
                    "loss": float(np.mean(losses)),
                    "samples_per_second": rate * shape.sample_rate,
                    "matmul_share": rate * cost,
                    "onset_f1_ratio": float("nan"),
                    "logmel_rmse_db": float("nan"),
                }
                losses.clear()
            if saves:
                saved = trainer.seconds
                trainer.save(state)
                if trainer.company.leads:
                    report |= keep(report)
            if reported == trainer.seconds and trainer.company.leads:
                add_row(run / "curve.csv", report)
                report = {name: value for name, value in report.items() if not np.isnan(value)}
                logger.info(", ".join(f"{name} {value:.4g}" for name, value in report.items()))
            if saves and trainer.company.leads:
                draw_curve(run / "curve.csv", run / "curve.png")
    return report


def _measure(soundfont: Path, run: Path, preset: Preset) -> Partials:
    """The instrument's partials, kept in the run folder.

    Those of the shipped piano are as good for `piano-ar`: measuring takes twenty minutes.
    """
    kept, shipped = run / "partials.npz", WEIGHTS / FILES["piano"]
    if kept.exists():
        return Partials.from_arrays(dict(np.load(kept)))
    if isinstance(preset.shape, PianoArConfig) and soundfont == SOUNDFONT and shipped.is_file():
        return load_checkpoint(shipped).partials
    logger.info("measuring the partials of %s", soundfont)
    grid = Grid(FIT_RATE, 64)
    partials = fit_partials(
        lambda events, seconds: render_truth(events, seconds, grid, soundfont), FitConfig(FIT_RATE)
    )
    np.savez(kept, **partials.to_arrays())
    return partials


def watch(pieces: Iterable[Piece], held_out: list[Piece]) -> Iterator[Piece]:
    """All pieces; the first of the validation split that a person played is kept for the checks."""
    for piece in pieces:
        if piece.split == "valid" and piece.expressive and piece.real_velocity and not held_out:
            held_out.append(piece)
        yield piece


def _check(watched: Iterator[Piece], held_out: list[Piece], soundfont: Path) -> Check | None:
    """A check on the first held-out piece there is; none where nothing can sound the truth."""
    while not held_out and next(watched, None):
        pass
    try:
        return Check(held_out[0], soundfont) if held_out else None
    except (MissingExtra, FileError) as error:
        logger.info("no free-running checks: %s", error)
        return None


def _prepare(
    pieces: Iterable[Piece], partials: Partials, preset: Preset, soundfont: Path, seed: int, run: Path
) -> ParallelLesson | ArLesson:
    """Sound the music both ways, for the form of the voice that is to learn it.

    The recordings that `piano-ar` learns from stay in the run folder, to be gone on with, here or on a bare machine.
    """
    shape = preset.shape
    rng = np.random.default_rng(seed)
    how_much = (preset.passages, preset.exercises, preset.seconds)
    if isinstance(shape, PianoArConfig):
        tables, kept = ar_tables(partials, shape), run / "music.npz"
        if not kept.exists():

            def play(events: Any, seconds: float) -> Recording:
                return record(events, seconds, shape, soundfont)

            keep_recordings(kept, gather(pieces, *how_much, play, rng))
        passages = [passage_of(recording, shape, tables) for recording in kept_recordings(kept)]
        return ArLesson(shape, passages, preset.batch, preset.frames)
    grid = Grid(shape.sample_rate, shape.hop_length)
    bands = build_tables(partials, shape.bank(), shape.sample_rate, shape.hop_length, shape.delay)
    prepared = gather(
        pieces, *how_much, lambda events, seconds: prepare(events, seconds, grid, bands, soundfont), rng
    )
    return ParallelLesson(shape, Crops(prepared, grid, shape.delay), preset.batch, preset.frames)
