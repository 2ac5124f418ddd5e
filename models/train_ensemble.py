"""Teach the ensemble: measure its instruments, sound music with each, and let one network close all the gaps.

It begins as the weights it is told to go on from, whose instruments are measured already; without any, as the shipped
ensemble where that has its shape, else as the shipped piano. The run folder keeps the partials, a checkpoint to resume
from and the curve; the weights written are the best so far on held-out passages played by all its voices.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from duet.errors import FileError
from duet.piece import Piece
from duet.roll import Grid
from models.company import Company
from models.draws import seed_of
from models.ensemble_checkpoint import EnsembleCheckpoint, load_ensemble, save_ensemble
from models.ensemble_config import EnsembleConfig
from models.ensemble_lesson import EnsembleLesson, sounding
from models.fit_instrument import fit_instrument
from models.fluidsynth import SOUNDFONT, render_truth
from models.instruments import INSTRUMENTS
from models.partials import Partials
from models.piano_checkpoint import load_checkpoint
from models.source import build_tables
from models.voice_check import EnsembleCheck
from models.voice_data import Crops, Passage, gather
from models.voice_presets import PRESETS, Preset
from models.voice_run import Keep, VoiceRun
from models.voice_trainer import Trainer
from models.voices import FILES, WEIGHTS

logger = logging.getLogger(__name__)


def train_ensemble(
    pieces: Iterable[Piece],
    soundfont: Path = SOUNDFONT,
    out: Path = WEIGHTS / "ensemble.safetensors",
    minutes: float = 40.0,
    resume: bool = False,
    device: str = "cpu",
    seed: int = 0,
    run: Path = Path("runs/ensemble"),
    preset: Preset = PRESETS["ensemble"]["small"],
    clock: Callable[[], float] = time.monotonic,
    start_from: Path | None = None,
) -> dict[str, float]:
    """Train for some minutes of `clock` (data preparation not counted) and write `out`; what the last report said.

    With `resume` the run in `run` goes on as if it had never stopped, towards its `minutes` in all. start_from: weights
    to go on from; shape and partials are theirs. Raises CheckpointError if they are no ensemble's.
    """
    start = load_ensemble(start_from) if start_from else None
    config = start.config if start else preset.shape
    assert isinstance(config, EnsembleConfig)
    preset = replace(preset, shape=config)
    seed = seed_of(seed, start_from)

    def begin(company: Company, watched: Iterator[Piece]) -> tuple[EnsembleLesson, tuple[Partials, ...]]:
        with company.leader_first():
            partials = start.partials if start else tuple(measure(v, soundfont, run) for v in config.voices)
        weights = start.weights if start else _shipped(config)
        return _prepare(watched, partials, preset, soundfont, seed, weights), partials

    def keeper(trainer: Trainer, partials: tuple[Partials, ...], held_out: Sequence[Piece]) -> Keep:
        check = EnsembleCheck(held_out, soundfont, config.voices) if held_out else None
        kept = run / "best.json"
        best = json.loads(kept.read_text()) if trainer.iteration and kept.exists() else float("inf")

        def keep(report: dict[str, float]) -> dict[str, float]:
            nonlocal best
            checkpoint = EnsembleCheckpoint(config, trainer.weights(), partials)
            scores = check.scores(checkpoint) if check else {}
            if scores.get("logmel_rmse_db", 0.0) <= best:
                best = scores.get("logmel_rmse_db", best)
                notes = {"training": asdict(preset.train), "soundfont": soundfont.name, **report, **scores}
                save_ensemble(out, checkpoint, {"notes": json.dumps(notes), "licence": "CC-BY-SA-4.0"})
                kept.write_text(json.dumps(best))
            return scores

        return keep

    voice_run = VoiceRun(run, preset.train, config.trunk, minutes, resume, device, seed, clock)
    return voice_run.learn(pieces, begin, keeper)


def measure(voice: str, soundfont: Path, run: Path) -> Partials:
    """An instrument's partials, kept in the run folder; the shipped piano's are as good as new ones."""
    kept, shipped = run / f"{voice}.npz", WEIGHTS / FILES["piano"]
    if kept.exists():
        return Partials.from_arrays(dict(np.load(kept)))
    if voice == "piano" and soundfont == SOUNDFONT and shipped.is_file():
        return load_checkpoint(shipped).partials
    logger.info("measuring the partials of %s: %s", soundfont, voice)
    instrument = INSTRUMENTS[voice]
    grid = Grid(instrument.fit.sample_rate, 64)
    partials = fit_instrument(
        lambda events, seconds: render_truth(
            events, seconds, grid, soundfont, instrument.gain, instrument.program
        ),
        instrument.fit,
    )
    np.savez(kept, **partials.to_arrays())
    return partials


def _prepare(
    pieces: Iterable[Piece],
    partials: tuple[Partials, ...],
    preset: Preset,
    soundfont: Path,
    seed: int,
    weights: Mapping[str, NDArray[np.float32]],
) -> EnsembleLesson:
    """Sound music both ways, each instrument its own share of the pieces; begin with some weights or none."""
    assert isinstance(preset.shape, EnsembleConfig)
    config, trunk = preset.shape, preset.shape.trunk
    rng, grid = np.random.default_rng(seed), Grid(trunk.sample_rate, trunk.hop_length)
    crops = []
    for voice, table in zip(config.voices, partials, strict=True):
        instrument = INSTRUMENTS[voice]
        bands = build_tables(table, trunk.bank(), trunk.sample_rate, trunk.hop_length, trunk.delay)
        make = sounding(grid, bands, soundfont, instrument.program, instrument.gain)
        logger.info("music for the %s", voice)
        passages: list[Passage] = gather(pieces, preset.passages, preset.exercises, preset.seconds, make, rng)
        if len(passages) <= preset.exercises:
            raise FileError(
                f"the music is used up before the {voice} has any: an ensemble takes {len(config.voices)} pieces at "
                "least that a person played"
            )
        crops.append(Crops(passages, grid, trunk.delay))
    begin = {name: torch.from_numpy(value.copy()) for name, value in weights.items()}
    return EnsembleLesson(config, crops, begin, preset.batch, preset.frames)


def _shipped(config: EnsembleConfig) -> dict[str, NDArray[np.float32]]:
    """The shipped ensemble's weights if they fit, or for its trunk the shipped piano's if they do."""
    ensemble, piano = WEIGHTS / "ensemble.safetensors", WEIGHTS / FILES["piano"]
    if ensemble.is_file() and (shipped := load_ensemble(ensemble)).config == config:
        return shipped.weights
    if piano.is_file() and (alone := load_checkpoint(piano)).config == config.trunk:
        return {f"trunk.{name}": value for name, value in alone.weights.items()}
    return {}
