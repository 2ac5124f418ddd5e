"""What the parallel voice is taught by: crops of source and noise, and how far their sound is from FluidSynth's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from models.piano_voice import Joiner, PianoVoiceNet
from models.piano_voice_config import PianoVoiceConfig
from models.stft_loss import spectral_distance
from models.voice_data import Crops


@dataclass(frozen=True, slots=True)
class ParallelLesson:
    """Draws batches and says how far the network's sound is from the truth."""

    config: PianoVoiceConfig
    crops: Crops
    batch: int = 4
    """Crops in a step."""
    frames: int = 500
    """Frames in a crop that count."""
    run_in: int = 64
    """Frames before them that fill the receptive field."""
    start: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors to begin with; none for a network that knows nothing."""

    @property
    def seconds(self) -> float:
        """Seconds of sound in a step."""
        return self.batch * self.frames * self.config.hop_length / self.config.sample_rate

    def student(self) -> PianoVoiceNet:
        """A network to begin with: without a start it knows nothing but how loud the source is."""
        net = PianoVoiceNet(self.config)
        net.source_scale.copy_(self.crops.source_scale())
        net.load_state_dict(net.state_dict() | dict(self.start))
        return net

    def loss(self, forward: Callable[..., Tensor], rng: np.random.Generator, device: str) -> Tensor:
        """The spectral distance of a batch."""
        c = self.config
        drawn = self.crops.draw(self.batch, self.frames + self.run_in, rng)
        source, features, truth = (tensor.to(device) for tensor in drawn)
        noise = (torch.rand(self.batch, c.rows, source.shape[2], device=device) - 0.5) * 12**0.5
        sound = Joiner(c).to(device)(forward(source, noise, features))
        heard = self.run_in * c.hop_length
        return spectral_distance(sound[:, :, heard:], truth[:, :, heard:], c.sample_rate)
