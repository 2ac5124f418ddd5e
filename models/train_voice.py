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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from duet.errors import CheckpointError, FileError, MissingExtra
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
from models.draws import seed_of
from models.fit_partials import FitConfig, fit_partials
from models.fluidsynth import SOUNDFONT, render_truth
from models.parallel_lesson import ParallelLesson
from models.partials import Partials
from models.piano_ar_config import PianoArConfig
from models.piano_checkpoint import PianoCheckpoint, load_checkpoint, save_checkpoint
from models.source import build_tables
from models.voice_check import Check
from models.voice_data import Crops, gather, prepare
from models.voice_presets import PRESETS, Preset
from models.voice_run import Keep, VoiceRun
from models.voice_trainer import Trainer
from models.voices import FILES, WEIGHTS

logger = logging.getLogger(__name__)

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
    start_from: Path | None = None,
) -> dict[str, float]:
    """Train for some minutes of `clock` (data preparation not counted) and write `out`; what the last report said.

    With `resume` the run in `run` goes on as if it had never stopped, towards its `minutes` in all. start_from: weights
    to begin with; the shape is theirs, and so are the partials where the run has none.
    """
    start = load_checkpoint(start_from) if start_from else None
    if start:
        if type(start.config) is not type(preset.shape):
            raise CheckpointError(
                f"{start_from}: a voice of another form; --voice says which is to be trained"
            )
        preset = replace(preset, shape=start.config)
    seed = seed_of(seed, start_from)

    def begin(company: Company, watched: Iterator[Piece]) -> tuple[ParallelLesson | ArLesson, Partials]:
        with company.leader_first():
            partials = _measure(soundfont, run, preset, start)
            return _prepare(watched, partials, preset, soundfont, seed, run, start), partials

    def keeper(trainer: Trainer, partials: Partials, held_out: Sequence[Piece]) -> Keep:
        check = _check(held_out, soundfont)

        def keep(report: dict[str, float]) -> dict[str, float]:
            notes = {"training": asdict(preset.train), "soundfont": soundfont.name, **report}
            checkpoint = PianoCheckpoint(preset.shape, trainer.weights(), partials)
            save_checkpoint(out, checkpoint, {"notes": json.dumps(notes), "licence": "CC-BY-SA-4.0"})
            return check.scores(checkpoint) if check else {}

        return keep

    voice_run = VoiceRun(run, preset.train, preset.shape, minutes, resume, device, seed, clock)
    return voice_run.learn(pieces, begin, keeper)


def _measure(soundfont: Path, run: Path, preset: Preset, start: PianoCheckpoint | None) -> Partials:
    """The instrument's partials, kept in the run folder.

    Those of weights gone on from will do, and the shipped piano's for `piano-ar`: measuring takes half an hour.
    """
    kept, shipped = run / "partials.npz", WEIGHTS / FILES["piano"]
    if kept.exists():
        return Partials.from_arrays(dict(np.load(kept)))
    if start:
        return start.partials
    if isinstance(preset.shape, PianoArConfig) and soundfont == SOUNDFONT and shipped.is_file():
        return load_checkpoint(shipped).partials
    logger.info("measuring the partials of %s", soundfont)
    grid = Grid(FIT_RATE, 64)
    partials = fit_partials(
        lambda events, seconds: render_truth(events, seconds, grid, soundfont), FitConfig(FIT_RATE)
    )
    np.savez(kept, **partials.to_arrays())
    return partials


def _check(held_out: Sequence[Piece], soundfont: Path) -> Check | None:
    """A check on the held-out pieces; none where nothing can sound the truth."""
    try:
        return Check(held_out, soundfont) if held_out else None
    except (MissingExtra, FileError) as error:
        logger.info("no free-running checks: %s", error)
        return None


def _prepare(
    pieces: Iterable[Piece],
    partials: Partials,
    preset: Preset,
    soundfont: Path,
    seed: int,
    run: Path,
    start: PianoCheckpoint | None,
) -> ParallelLesson | ArLesson:
    """Sound the music both ways, for the form of the voice that is to learn it.

    The recordings that `piano-ar` learns from stay in the run folder, to be gone on with, here or on a bare machine.
    """
    shape = preset.shape
    weights = {name: torch.from_numpy(value.copy()) for name, value in start.weights.items()} if start else {}
    rng = np.random.default_rng(seed)
    how_much = (preset.passages, preset.exercises, preset.seconds)
    if isinstance(shape, PianoArConfig):
        tables, kept = ar_tables(partials, shape), run / "music.npz"
        if not kept.exists():

            def play(events: Any, seconds: float) -> Recording:
                return record(events, seconds, shape, soundfont)

            keep_recordings(kept, gather(pieces, *how_much, play, rng))
        passages = [passage_of(recording, shape, tables) for recording in kept_recordings(kept)]
        return ArLesson(shape, passages, preset.batch, preset.frames, start=weights)
    grid = Grid(shape.sample_rate, shape.hop_length)
    bands = build_tables(partials, shape.bank(), shape.sample_rate, shape.hop_length, shape.delay)
    prepared = gather(
        pieces, *how_much, lambda events, seconds: prepare(events, seconds, grid, bands, soundfont), rng
    )
    crops = Crops(prepared, grid, shape.delay)
    return ParallelLesson(shape, crops, preset.batch, preset.frames, start=weights)
