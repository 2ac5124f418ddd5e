"""Pairs to learn a voice from: notes, the source they make, and the truth as FluidSynth sounds it.

Two kinds of music: passages of real pieces, and exercises made up here so that every key, velocity, length
and pedalling is heard, the ones that music seldom uses too.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from duet.note import Event, NoteOff, NoteOn, Pedal, at, order
from duet.piece import Piece
from duet.roll import Grid, frames_of
from models.fluidsynth import GAIN, render_truth
from models.partials import KEYS, LOWEST
from models.source import SourceState, SourceTables, sound_source
from models.voice_features import features_of, fold_all

logger = logging.getLogger(__name__)

Made = TypeVar("Made")
"""What is made of a stretch of music."""
STORED = 64.0
"""Sources are kept in half precision, scaled up by this."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of music, ready to be cropped."""

    source: NDArray[np.float16]
    """(GROUPS * rows, steps), times `STORED`."""
    features: NDArray[np.float16]
    """(frames, FEATURES)."""
    truth: NDArray[np.float32]
    """(CHANNELS, samples)."""


def prepare(
    events: Sequence[Event],
    seconds: float,
    grid: Grid,
    tables: SourceTables,
    soundfont: Path,
    gain: float = GAIN,
    program: int = 0,
) -> Passage:
    """Sound a passage both ways."""
    count = round(seconds * grid.frame_rate)
    onset, release, pedal = fold_all(frames_of(events, grid, count))
    source = np.empty((tables.rows, count * tables.steps), np.float32)
    sound_source(tables, SourceState.silent(tables), onset, release, pedal, source)
    return Passage(
        (source * STORED).astype(np.float16),
        features_of(onset, release, pedal, grid.frame_rate).astype(np.float16),
        render_truth(events, seconds, grid, soundfont, gain, program),
    )


def passages_of(pieces: Iterable[Piece], seconds: float, rng: np.random.Generator) -> Iterator[list[Event]]:
    """A passage of each training piece that a person played, from a moment drawn at random, at time 0.

    Where nothing is struck in it there is nothing to learn: the next piece's is taken.
    """
    for piece in pieces:
        if piece.split != "train" or not (piece.expressive and piece.real_velocity and piece.events):
            continue
        start = rng.uniform(0, max(0.0, piece.events[-1].time - seconds))
        cut = [event for event in piece.events if start <= event.time < start + seconds]
        if not any(isinstance(event, NoteOn) for event in cut):
            continue
        before = [event for event in piece.events if event.time < start and isinstance(event, Pedal)]
        pedal = [at(before[-1], 0.0)] if before else []
        yield pedal + [at(event, event.time - start) for event in cut]


def exercise(seconds: float, rng: np.random.Generator) -> list[Event]:
    """Notes of any key, velocity and length: alone, in chords, in runs, pedalled and not; and rests."""
    events: list[Event] = []
    time = 0.2
    while time < seconds - 2:
        match rng.integers(5):
            case 0:  # a single note, left to ring
                length = rng.uniform(0.05, 3)
                events += _stroke(time, int(rng.integers(KEYS)), rng, length)
                time += length + rng.uniform(0, 0.5)
            case 1:  # a chord
                length = rng.uniform(0.1, 2)
                for key in rng.choice(KEYS, rng.integers(2, 8), replace=False):
                    events += _stroke(time + rng.uniform(0, 0.02), int(key), rng, length)
                time += length + rng.uniform(0, 0.3)
            case 2:  # a run, with the pedal or without
                if rng.random() < 0.6:
                    events += [Pedal(time, 127), Pedal(time + rng.uniform(0.5, 2.5), 0)]
                key, step = int(rng.integers(KEYS)), int(rng.integers(-4, 5))
                for _ in range(rng.integers(4, 14)):
                    events += _stroke(time, key % KEYS, rng, rng.uniform(0.03, 0.4))
                    key += step + int(rng.integers(-1, 2))
                    time += rng.uniform(0.04, 0.25)
            case 3:  # one key again and again
                key, gap = int(rng.integers(KEYS)), rng.uniform(0.06, 0.3)
                for _ in range(rng.integers(3, 9)):
                    events += _stroke(time, key, rng, gap * 0.8)
                    time += gap
            case 4:  # a rest
                time += rng.uniform(0.3, 2.0)
    return sorted(events, key=order)


def _stroke(time: float, key: int, rng: np.random.Generator, length: float) -> list[Event]:
    pitch = LOWEST + key
    return [NoteOn(time, pitch, int(rng.integers(1, 128))), NoteOff(time + length, pitch)]


def gather(
    pieces: Iterable[Piece],
    count: int,
    exercises: int,
    seconds: float,
    make: Callable[[Sequence[Event], float], Made],
    rng: np.random.Generator,
) -> list[Made]:
    """`count` passages of pieces and some exercises; stops reading pieces when it has enough."""
    passages = [make(exercise(seconds, rng), seconds) for _ in range(exercises)]
    for events in passages_of(pieces, seconds, rng):
        passages.append(make(events, seconds))
        logger.info("passage %d of %d", len(passages), count + exercises)
        if len(passages) >= count + exercises:
            break
    return passages


@dataclass(frozen=True, slots=True)
class Crops:
    """Draws batches: crops of passages, in which sound that began before may still ring."""

    passages: Sequence[Passage]
    grid: Grid
    delay: int
    """Samples the sound is to lag the notes."""

    def draw(self, batch: int, frames: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """-> source (B, GROUPS * rows, T), features (B, FEATURES, frames), truth (B, CHANNELS, samples)."""
        sources, features, truths = [], [], []
        for _ in range(batch):
            passage = self.passages[rng.integers(len(self.passages))]
            total = len(passage.features)
            steps = passage.source.shape[1] // total
            first = int(rng.integers(1, total - frames))
            sample = first * self.grid.hop_length - self.delay
            sources.append(passage.source[:, first * steps : (first + frames) * steps])
            features.append(passage.features[first : first + frames].T)
            truths.append(passage.truth[:, sample : sample + frames * self.grid.hop_length])
        source = torch.from_numpy(np.stack(sources).astype(np.float32)) / STORED
        return (
            source,
            torch.from_numpy(np.stack(features).astype(np.float32)),
            torch.from_numpy(np.stack(truths)),
        )

    def source_scale(self) -> Tensor:
        """One over each source row's root mean square over all passages."""
        power = np.mean(
            [np.mean(passage.source.astype(np.float32) ** 2, axis=1) for passage in self.passages], axis=0
        )
        return torch.from_numpy(STORED / np.sqrt(power + 1e-6)).float()
