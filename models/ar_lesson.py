"""What the autoregressive voice is taught by: crops of its own right past, and the likelihood of what comes next.

Two things keep it from leaning on its past alone, which it will not have right when it plays: noise on the
past, and now and then no past at all, so that the notes and the source must be used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from duet.note import Event
from duet.roll import Grid, frames_of
from models.fluidsynth import render_truth
from models.partials import Partials
from models.piano_ar import PianoArNet
from models.piano_ar_config import PianoArConfig, encode
from models.source import SourceState, SourceTables, build_tables, sound_source
from models.voice_data import STORED, Passage
from models.voice_features import features_of, fold_all

TRUTH_RATE = 32_000
"""The SoundFont's own rate: FluidSynth has no filter against aliasing, so its sound is made there and halved."""


def ar_tables(partials: Partials, config: PianoArConfig) -> SourceTables:
    """The source in mono, at the network's own rate, without delay."""
    return build_tables(partials.mono(), config.bank(), config.sample_rate, config.hop_length, 0)


@dataclass(frozen=True, slots=True)
class Recording:
    """Music as it was played and as FluidSynth sounds it: all that has to be kept to make a passage of it."""

    onset: NDArray[np.float32]
    """(frames, KEYS), velocity in 0..1."""
    release: NDArray[np.float32]
    """(frames, KEYS), 0 or 1."""
    pedal: NDArray[np.float32]
    """(frames,), 0..1."""
    truth: NDArray[np.float32]
    """(samples,), mono."""


def record(events: Sequence[Event], seconds: float, config: PianoArConfig, soundfont: Path) -> Recording:
    """Have FluidSynth play it, in mono at the network's rate."""
    grid = Grid(config.sample_rate, config.hop_length)
    count = round(seconds * grid.frame_rate)
    factor = TRUTH_RATE // config.sample_rate
    truth = render_truth(events, seconds, Grid(TRUTH_RATE, config.hop_length * factor), soundfont)
    mono = soxr.resample(truth.mean(axis=0), TRUTH_RATE, config.sample_rate)[: count * config.hop_length]
    mono = np.pad(mono, (0, count * config.hop_length - len(mono))).astype(np.float32)
    return Recording(*fold_all(frames_of(events, grid, count)), mono)


def keep_recordings(path: Path, recordings: Sequence[Recording]) -> None:
    """Write them where a machine without a SoundFont can read them: 16 bits a sample."""
    arrays = {}
    for number, r in enumerate(recordings):
        truth = np.round(np.clip(r.truth, -1, 1) * 32767).astype(np.int16)
        velocities = np.round(np.stack([r.onset * 127, r.release])).astype(np.uint8)
        pedal = np.round(r.pedal * 127).astype(np.uint8)
        arrays |= {f"keys.{number}": velocities, f"pedal.{number}": pedal, f"truth.{number}": truth}
    np.savez_compressed(path, **arrays)


def kept_recordings(path: Path) -> list[Recording]:
    """The inverse of `keep_recordings`."""
    with np.load(path) as arrays:
        recordings = []
        for number in range(len(arrays.files) // 3):
            keys = arrays[f"keys.{number}"].astype(np.float32)
            pedal = arrays[f"pedal.{number}"].astype(np.float32) / 127
            truth = arrays[f"truth.{number}"].astype(np.float32) / 32767
            recordings.append(Recording(keys[0] / 127, keys[1], pedal, truth))
    return recordings


def passage_of(recording: Recording, config: PianoArConfig, tables: SourceTables) -> Passage:
    """A recording with the source and the features that its notes make."""
    rolls = (recording.onset, recording.release, recording.pedal)
    source = np.empty((tables.rows, len(recording.onset) * tables.steps), np.float32)
    sound_source(tables, SourceState.silent(tables), *rolls, source)
    features = features_of(*rolls, config.sample_rate / config.hop_length)
    return Passage(
        (source * STORED).astype(np.float16), features.astype(np.float16), recording.truth[None].copy()
    )


@dataclass(frozen=True, slots=True)
class ArLesson:
    """Draws batches and says how unlikely the network finds them."""

    config: PianoArConfig
    passages: Sequence[Passage]
    batch: int = 4
    """Crops in a step."""
    frames: int = 256
    """Frames in a crop."""
    run_in: int = 16
    """Frames at a crop's start that do not count: what came before them is not known."""
    noise: float = 8.0
    """Standard deviation of the noise on the past, in levels."""
    dropout: float = 0.3
    """Share of the crops that are learnt without any past."""
    start: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors to begin with; none for a network that knows nothing."""

    @property
    def seconds(self) -> float:
        """Seconds of sound in a step."""
        return self.batch * self.frames * self.config.hop_length / self.config.sample_rate

    def student(self) -> PianoArNet:
        """A network to begin with: without a start it knows but how loud the source is and how common each level."""
        c, net = self.config, PianoArNet(self.config)
        power = np.mean([np.mean(p.source.astype(np.float32) ** 2, axis=1) for p in self.passages], axis=0)
        net.source_scale.copy_(torch.from_numpy(0.3 * STORED / np.sqrt(power + 1e-6)))
        count = sum(np.bincount(self._levels(p, slice(0, None)), minlength=c.levels) for p in self.passages)
        with torch.no_grad():
            net.output.bias.copy_(torch.from_numpy(np.log((count + 1) / (count + 1).sum())))
        net.load_state_dict(net.state_dict() | dict(self.start))
        return net

    def _levels(self, passage: Passage, there: slice) -> np.ndarray:
        """The levels that a stretch of a passage is coded as."""
        c = self.config
        sound = passage.truth[0, there]
        if c.codes_rest:
            sound = sound - passage.source[:, there].astype(np.float32).sum(axis=0) / STORED
        return encode(sound / c.reach, c.levels)

    def loss(self, forward: Callable[..., Tensor], rng: np.random.Generator, device: str) -> Tensor:
        """Mean negative log likelihood of a batch's samples, in nats."""
        past, source, features, target = (tensor.to(device) for tensor in self.draw(rng))
        logits = forward(past, source, features)
        first = self.run_in * self.config.hop_length
        return functional.cross_entropy(logits[:, :, first:].float(), target[:, first:])

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """-> past (B, 1, T) companded, source (B, GROUPS, T), features (B, FEATURES, J), target (B, T) int64."""
        c, length = self.config, self.frames * self.config.hop_length
        crops: list[tuple[np.ndarray, ...]] = []
        for _ in range(self.batch):
            passage = self.passages[rng.integers(len(self.passages))]
            frame = int(rng.integers(1, len(passage.features) - self.frames))
            sample = frame * c.hop_length
            there = slice(sample - 1, sample + length)
            source = passage.source[:, there].astype(np.float32) / STORED
            levels = self._levels(passage, there)
            past = levels[:-1] + self.noise * rng.standard_normal(length)
            past = (past * (2 / (c.levels - 1)) - 1) * (rng.random() >= self.dropout)
            features = passage.features[frame : frame + self.frames].T
            crops.append((past[None], source[:, 1:], features, levels[1:]))
        past, source, features, target = (np.stack(arrays) for arrays in zip(*crops, strict=True))
        heard = (torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in (past, source, features))
        return (*heard, torch.from_numpy(target))
