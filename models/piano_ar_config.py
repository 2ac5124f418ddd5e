"""The shape of the autoregressive voice and how it codes sound: apart from the network, to play without torch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.pqmf import WholeBand
from models.source import GROUPS
from models.voice_features import FEATURES

QUIETEST = 1e-10
"""Power of the source that counts as none."""
TAIL = 1e-3
"""Levels less likely than this share of the likeliest are never drawn: each would be a click."""


@dataclass(frozen=True, slots=True)
class PianoArConfig:
    """The shape of the network and its grid."""

    sample_rate: int = 16_000
    """Samples a second."""
    hop_length: int = 32
    """Samples in a frame of the roll."""
    hears_source: bool = True
    """Whether the harmonic source of `models/source.py` is among what conditions it."""
    codes_rest: bool = True
    """Whether the softmax is over what the source leaves of the sound, or over the sound itself."""
    reach: float = 0.25
    """The largest value the softmax's levels stand for."""
    levels: int = 256
    """Levels of the mu-law code."""
    residual: int = 32
    """Channels between the layers."""
    skip: int = 32
    """Channels to the output."""
    context: int = 48
    """Channels of the network that reads the notes."""
    kernel: int = 2
    """Taps of each convolution."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) * 2
    """Samples between the taps, layer by layer; powers of two."""
    context_dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Frames between the taps of the context network, layer by layer."""
    temperature: float = 1.0
    """What the logits are divided by when it plays; below 1 it keeps nearer to what it expects."""
    spread: float = 1.0
    """How far from what it expects, the mean over the levels' odds, it may say: 1 is the level drawn, 0 the mean."""
    memory: float = 1.0
    """Share of its own past, companded, that it hears when it plays."""

    def __post_init__(self) -> None:
        if self.codes_rest and not self.hears_source:
            raise ValueError("what a source leaves can only be coded where there is a source")
        if any(d & (d - 1) for d in self.dilations) or self.kernel != 2:
            raise ValueError(f"dilations must be powers of two and the kernel 2, got {self.dilations}")
        if any(rows % 16 for rows in (self.residual, self.skip, self.levels)):
            raise ValueError(f"channels must be whole vectors of 16, got {self.residual} and {self.skip}")

    @property
    def receptive_field(self) -> int:
        """Samples of its own past that a sample depends on."""
        return (self.kernel - 1) * sum(self.dilations) + 1

    @property
    def inputs(self) -> int:
        """Rows heard at each sample: its own last sample; the source's groups, and their sum companded."""
        return 1 + (GROUPS + 1) * self.hears_source

    @property
    def told(self) -> int:
        """Rows the context network reads: the notes' features, and the loudness of the source's groups."""
        return FEATURES + GROUPS * self.hears_source

    def bank(self) -> WholeBand:
        """The source runs at the sample rate."""
        return WholeBand()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor of the network by name."""
        r, s, c, layers = self.residual, self.skip, self.context, len(self.dilations)
        convs = {
            "read": (c, self.told, 1),
            "condition": (layers * 2 * r, c, 1),
            "entry": (r, self.inputs, 1),
            "head": (s, s, 1),
            "output": (self.levels, s, 1),
        }
        convs |= {f"context.{layer}": (c, c, self.kernel) for layer in range(len(self.context_dilations))}
        for layer in range(layers):
            convs[f"dilated.{layer}"] = (2 * r, r, self.kernel)
            convs[f"residual.{layer}"] = (r, r, 1)
            convs[f"skip.{layer}"] = (s, r, 1)
        shapes = {f"{name}.weight": shape for name, shape in convs.items()}
        biased = {name: shape for name, shape in convs.items() if not name.startswith("dilated")}
        shapes |= {f"{name}.bias": shape[:1] for name, shape in biased.items()}
        return shapes | {"source_scale": (GROUPS,)}


_NEAR = {"spread": 0.1, "memory": 0.8}
"""How what the source leaves is sung best, by validation passages (docs/results-voice.md)."""
PRESETS = {
    "plain": PianoArConfig(hears_source=False, codes_rest=False, reach=1.0, residual=16),
    "heard": PianoArConfig(codes_rest=False, reach=1.0, residual=16),
    "small": PianoArConfig(residual=16, **_NEAR),
    "wide": PianoArConfig(residual=32, **_NEAR),
    "gpu": PianoArConfig(
        residual=64, skip=128, context=128, dilations=tuple(2**n for n in range(11)) * 2, **_NEAR
    ),
}
"""By name: the paper's with local conditioning; the same that hears the source; two that code what the source
leaves; and one that wants a GPU to learn."""


def compand(sound: NDArray[np.float32], levels: int = 256) -> NDArray[np.float32]:
    """Sound in [-1, 1] bent by the mu-law into [-1, 1].

    ITU-T G.711, continuous form, as in van den Oord et al. 2016, section 2.2, "Softmax distributions".
    """
    mu = levels - 1
    bent = np.sign(sound) * np.log1p(mu * np.abs(np.clip(sound, -1, 1))) / math.log1p(mu)
    return bent.astype(np.float32)


def encode(sound: NDArray[np.float32], levels: int = 256) -> NDArray[np.int64]:
    """Sound in [-1, 1] to levels 0 .. levels - 1."""
    return ((compand(sound, levels) + 1) / 2 * (levels - 1) + 0.5).astype(np.int64)


def values_of(levels: int = 256) -> NDArray[np.float32]:
    """What each level stands for, in [-1, 1]: (levels,)."""
    bent = np.arange(levels) / ((levels - 1) / 2) - 1
    mu = levels - 1
    return (np.sign(bent) * np.expm1(np.abs(bent) * math.log1p(mu)) / mu).astype(np.float32)
