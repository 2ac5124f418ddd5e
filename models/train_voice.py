r"""Teach the piano voice: measure the instrument, sound music with it, and let the network close the gap.

    partials of every key  ->  source      \
    notes of real pieces and exercises      >  network  ->  sound  <-  compared with FluidSynth's
    noise                                  /

The run folder keeps the partials, a checkpoint to resume from, and the curve; the weights are the exponential
moving average of the network's, and can be played from the first checkpoint on.
"""

import csv
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from duet.piece import Piece
from duet.roll import Grid
from models.fit_partials import FitConfig, fit_partials
from models.fluidsynth import SOUNDFONT, render_truth
from models.partials import Partials
from models.piano_checkpoint import PianoCheckpoint, save_checkpoint
from models.piano_voice import Joiner, PianoVoiceNet
from models.piano_voice_config import PianoVoiceConfig
from models.source import build_tables
from models.stft_loss import spectral_distance
from models.voice_data import Crops, gather, prepare

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to learn."""

    passages: int = 40
    """Passages of real pieces."""
    exercises: int = 10
    """Passages of exercises."""
    passage: float = 45.0
    """Seconds in a passage."""
    batch: int = 4
    """Crops in a step."""
    crop: int = 500
    """Frames in a crop that count."""
    run_in: int = 64
    """Frames before them that fill the receptive field."""
    rate: float = 1e-3
    """Adam's learning rate, at its peak."""
    final_rate: float = 1e-5
    """And at the end of its cosine."""
    warm_up: int = 100
    """Iterations to the peak."""
    average: float = 0.999
    """Decay of the moving average of the weights."""
    compiled: bool = False
    """Fuse the network's operations first: twice as fast after three minutes, and needs a C++ compiler."""
    save_every: float = 180.0
    """Seconds of training between checkpoints."""


def train_voice(
    pieces: Iterable[Piece],
    soundfont: Path = SOUNDFONT,
    out: Path = Path("models/weights/piano.safetensors"),
    minutes: float = 25.0,
    resume: bool = False,
    device: str = "cpu",
    seed: int = 0,
    run: Path = Path("runs/voice"),
    config: TrainConfig = TrainConfig(),
    shape: PianoVoiceConfig | None = None,
) -> dict[str, float]:
    """Train for some minutes (data preparation not counted) and write `out`; what the last report said.

    With `resume` the run in `run` goes on as if it had never stopped, towards its `minutes` in all.
    """
    shape = shape or PianoVoiceConfig()
    run.mkdir(parents=True, exist_ok=True)
    if device == "cpu":
        torch.set_num_threads(1)
    grid = Grid(shape.sample_rate, shape.hop_length)
    partials = _measure(soundfont, grid, run)
    tables = build_tables(partials, shape.bank(), shape.sample_rate, shape.hop_length, shape.delay)
    passages = gather(
        pieces,
        config.passages,
        config.exercises,
        config.passage,
        lambda events, seconds: prepare(events, seconds, grid, tables, soundfont),
        np.random.default_rng(seed),
    )
    crops = Crops(passages, grid, shape.delay)
    torch.manual_seed(seed)
    trainer = Trainer(shape, config, crops, device, seed)
    trainer.net.source_scale.copy_(crops.source_scale())
    trainer.average.load_state_dict(trainer.net.state_dict())
    state = run / "state.pt"
    if resume and state.exists():
        trainer.load(state)

    report: dict[str, float] = {}
    saved = trainer.seconds
    losses: list[float] = []
    while trainer.seconds < minutes * 60:
        losses.append(trainer.step(trainer.seconds / (minutes * 60)))
        if trainer.iteration % 50 == 0:
            report = {
                "iteration": trainer.iteration,
                "minutes": trainer.seconds / 60,
                "loss": float(np.mean(losses)),
                "sound_per_second": trainer.sound / trainer.seconds,
            }
            losses.clear()
            _report(run / "curve.csv", report)
        if trainer.seconds - saved > config.save_every or trainer.seconds >= minutes * 60:
            saved = trainer.seconds
            trainer.save(state)
            _write(out, trainer, partials, soundfont, report)
    return report


def _measure(soundfont: Path, grid: Grid, run: Path) -> Partials:
    """The instrument's partials, kept in the run folder."""
    kept = run / "partials.npz"
    if kept.exists():
        return Partials.from_arrays(dict(np.load(kept)))
    logger.info("measuring the partials of %s", soundfont)
    partials = fit_partials(
        lambda events, seconds: render_truth(events, seconds, grid, soundfont), FitConfig(grid.sample_rate)
    )
    np.savez(kept, **partials.to_arrays())
    return partials


class Trainer:
    """The network in training, and all that is needed to go on with it."""

    def __init__(
        self, shape: PianoVoiceConfig, config: TrainConfig, crops: Crops, device: str, seed: int
    ) -> None:
        self.config, self.shape, self.crops, self.device = config, shape, crops, device
        self.net = PianoVoiceNet(shape).to(device)
        self.average = PianoVoiceNet(shape).to(device)
        self.forward = torch.compile(self.net) if config.compiled else self.net
        self.joiner = Joiner(shape).to(device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), config.rate, betas=(0.9, 0.99))
        self.rng = np.random.default_rng(seed + 1)
        self.iteration = 0
        self.seconds = 0.0
        self.sound = 0.0

    def step(self, progress: float) -> float:
        """One step of Adam. progress: 0..1, how much of the time is spent. Returns the loss."""
        begin = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(progress)
        loss = self._loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self._follow()
        self.iteration += 1
        self.sound += self.config.batch * self.config.crop / (self.shape.sample_rate / self.shape.hop_length)
        self.seconds += time.perf_counter() - begin
        return float(loss.detach())

    def _rate(self, progress: float) -> float:
        c = self.config
        cosine = 0.5 + 0.5 * np.cos(np.pi * min(progress, 1.0))
        warm = min(1.0, (self.iteration + 1) / c.warm_up)
        return float(warm * (c.final_rate + (c.rate - c.final_rate) * cosine))

    def _loss(self) -> Tensor:
        c = self.config
        source, features, truth = (
            tensor.to(self.device) for tensor in self.crops.draw(c.batch, c.crop + c.run_in, self.rng)
        )
        noise = (torch.rand(c.batch, self.shape.rows, source.shape[2], device=self.device) - 0.5) * 12**0.5
        with torch.autocast(self.device, torch.bfloat16):
            subbands = self.forward(source, noise, features)
        sound = self.joiner(subbands)
        heard = c.run_in * self.shape.hop_length
        return spectral_distance(sound[:, :, heard:], truth[:, :, heard:])

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights after the trained ones, faster while they are young."""
        decay = min(self.config.average, (1 + self.iteration) / (10 + self.iteration))
        for kept, new in zip(self.average.parameters(), self.net.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)

    def save(self, path: Path) -> None:
        """Write everything that going on needs."""
        partial = path.with_suffix(".part")
        torch.save(
            {
                "net": self.net.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "counts": [self.iteration, self.seconds, self.sound],
                "torch": torch.get_rng_state(),
                "numpy": json.dumps(self.rng.bit_generator.state),
            },
            partial,
        )
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on from `save`."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.iteration, self.seconds, self.sound = state["counts"]
        torch.set_rng_state(state["torch"].cpu())
        self.rng.bit_generator.state = json.loads(state["numpy"])


def _report(curve: Path, report: dict[str, float]) -> None:
    logger.info(", ".join(f"{name} {value:.4g}" for name, value in report.items()))
    new = not curve.exists()
    with curve.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(report))
        if new:
            writer.writeheader()
        writer.writerow(report)


def _write(
    out: Path, trainer: Trainer, partials: Partials, soundfont: Path, report: dict[str, float]
) -> None:
    weights = {name: value.cpu().numpy() for name, value in trainer.average.state_dict().items()}
    training = {"training": asdict(trainer.config), "soundfont": soundfont.name, **report}
    checkpoint = PianoCheckpoint(trainer.shape, weights, partials)
    save_checkpoint(out, checkpoint, {"notes": json.dumps(training), "licence": "CC-BY-SA-4.0"})
