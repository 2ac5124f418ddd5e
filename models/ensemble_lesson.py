"""What the ensemble is taught by: crops of each instrument's music, each told whose it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from duet.note import Event
from duet.roll import Grid
from models.ensemble import EnsembleNet
from models.ensemble_config import EnsembleConfig
from models.piano_voice import Joiner
from models.source import SourceTables
from models.stft_loss import spectral_distance
from models.voice_data import Crops, Passage, prepare


@dataclass(frozen=True, slots=True)
class EnsembleLesson:
    """Draws batches of all the voices and says how far the network's sound is from the truth."""

    config: EnsembleConfig
    crops: Sequence[Crops]
    """One for each voice."""
    start: dict[str, Tensor]
    """Tensors to begin with, all or some; empty for a network that knows nothing."""
    batch: int = 5
    """Crops in a step; a voice is drawn for each, none twice while others wait."""
    frames: int = 400
    """Frames in a crop that count."""
    run_in: int = 64
    """Frames before them that fill the receptive field."""

    @property
    def seconds(self) -> float:
        """Seconds of sound in a step."""
        return self.batch * self.frames * self.config.trunk.hop_length / self.config.trunk.sample_rate

    def student(self) -> EnsembleNet:
        """A network to begin with: to it, at first, all voices are one."""
        net = EnsembleNet(self.config)
        scales = torch.stack([crops.source_scale() for crops in self.crops])
        net.trunk.source_scale.copy_(scales.log().mean(dim=0).exp())
        net.load_state_dict(net.state_dict() | self.start)
        return net

    def loss(self, forward: Callable[..., Tensor], rng: np.random.Generator, device: str) -> Tensor:
        """The spectral distance of a batch, the mean over its crops."""
        c = self.config.trunk
        voices = np.resize(rng.permutation(len(self.crops)), self.batch)
        drawn = [self.crops[voice].draw(1, self.frames + self.run_in, rng) for voice in voices]
        source, features, truth = (torch.cat(parts).to(device) for parts in zip(*drawn, strict=True))
        noise = (torch.rand(self.batch, c.rows, source.shape[2], device=device) - 0.5) * 12**0.5
        shares = torch.eye(len(self.crops), device=device)[voices]
        sound = Joiner(c).to(device)(forward(source, noise, features, shares))
        heard = self.run_in * c.hop_length
        pairs = zip(sound[:, :, heard:], truth[:, :, heard:], strict=True)
        return torch.stack(
            [spectral_distance(made[None], true[None], c.sample_rate) for made, true in pairs]
        ).mean()


def sounding(
    grid: Grid, tables: SourceTables, soundfont: Path, program: int, gain: float
) -> Callable[[Sequence[Event], float], Passage]:
    """What makes a passage of one instrument out of events and seconds."""
    return lambda events, seconds: prepare(events, seconds, grid, tables, soundfont, gain, program)
