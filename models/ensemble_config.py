"""The shape of the ensemble: one network for several instruments, told which of them it is to be.

Global conditioning as in van den Oord et al. 2016, "Conditional WaveNets": an embedding of the voice is projected into
every layer's gates, and here also into what reads the notes and into what is said. What is projected is added, the same
in every step, so a mixture of voices is a network like any other, with other biases.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.piano_voice_config import PianoVoiceConfig

TOLD = ("read", "condition", "output")
"""The layers to whose biases the voice is added."""

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EnsembleConfig:
    """The network that the instruments share, and who they are."""

    voices: tuple[str, ...]
    """The instruments' names, in the order of the embedding."""
    trunk: PianoVoiceConfig = field(default_factory=PianoVoiceConfig)
    """The shared network."""
    embedding: int = 8
    """Numbers that say which instrument it is."""

    def __post_init__(self) -> None:
        if not self.voices or len(set(self.voices)) < len(self.voices):
            raise ValueError(f"an ensemble needs different voices, not {self.voices}")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor of the network by name."""
        trunk = self.trunk.shapes()
        shapes = {f"trunk.{name}": shape for name, shape in trunk.items()}
        shapes["embedding.weight"] = (len(self.voices), self.embedding)
        return shapes | {f"told.{name}.weight": (trunk[f"{name}.bias"][0], self.embedding) for name in TOLD}


def trunk_of(weights: dict[str, Array]) -> dict[str, Array]:
    """The shared network's own tensors."""
    return {name[6:]: value for name, value in weights.items() if name.startswith("trunk.")}


def biases_of(weights: dict[str, Array], shares: Array) -> dict[str, Array]:
    """What a mixture makes of the biases of the layers that are told. shares: (voices,)."""
    mixed = shares @ weights["embedding.weight"]
    return {
        name: (weights[f"trunk.{name}.bias"] + weights[f"told.{name}.weight"] @ mixed).astype(np.float32)
        for name in TOLD
    }
