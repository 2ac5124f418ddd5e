"""The shape of the piano voice: apart from the network, so that playing it needs no torch."""

from dataclasses import dataclass

from models.pqmf import FilterBank
from models.source import CHANNELS, GROUPS
from models.voice_features import FEATURES

GAIN_RANGE = 3.0
"""The network can turn a band of the source by at most exp(+-this)."""
QUIETEST = 1e-10
"""Power of the source that counts as none."""
NOISE_FLOOR = -9.0
"""Natural logarithm of the noise's amplitude where the network says nothing."""


@dataclass(frozen=True, slots=True)
class PianoVoiceConfig:
    """The shape of the network and its grid."""

    sample_rate: int = 32_000
    """Samples a second."""
    hop_length: int = 64
    """Samples in a frame of the roll."""
    bands: int = 8
    """Sub-bands a channel; the network runs at sample_rate / bands steps a second."""
    filter_length: int = 128
    """Samples in the filters that join the bands."""
    delay: int = 64
    """Samples by which the sound lags the notes: half a filter."""
    residual: int = 48
    """Channels between the layers."""
    skip: int = 48
    """Channels to the output."""
    context: int = 64
    """Channels of the network that reads the notes."""
    kernel: int = 3
    """Taps of each convolution."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32) * 2
    """Steps between the taps, layer by layer."""
    context_dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Frames between the taps of the context network, layer by layer."""

    def __post_init__(self) -> None:
        if self.hop_length % self.bands:
            raise ValueError(
                f"a hop of {self.hop_length} samples is no whole number of {self.bands} bands' steps"
            )

    @property
    def steps(self) -> int:
        """Sub-band steps in a frame."""
        return self.hop_length // self.bands

    @property
    def rows(self) -> int:
        """Sub-bands of all channels together."""
        return CHANNELS * self.bands

    @property
    def inputs(self) -> int:
        """Rows the network hears: the source's groups, and noise."""
        return (GROUPS + 1) * self.rows

    @property
    def told(self) -> int:
        """Rows the context network reads: the notes' features and the loudness of each row of the source."""
        return FEATURES + GROUPS * self.rows

    @property
    def outputs(self) -> int:
        """Rows the network says: what is added, a gain for each row of the source, the level of the noise."""
        return (GROUPS + 2) * self.rows

    def bank(self) -> FilterBank:
        """The filters that join the sub-bands."""
        return FilterBank(self.bands, self.filter_length)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor of the network by name."""
        r, s, c = self.residual, self.skip, self.context
        convs = {
            "read": (c, self.told, 1),
            "condition": (len(self.dilations) * 2 * r, c, 1),
            "entry": (r, self.inputs, 1),
            "head": (s, s, 1),
            "output": (self.outputs, s, 1),
        }
        for layer in range(len(self.context_dilations)):
            convs[f"context.{layer}"] = (c, c, self.kernel)
        for layer in range(len(self.dilations)):
            convs[f"dilated.{layer}"] = (2 * r, r, self.kernel)
            convs[f"residual.{layer}"] = (r, r, 1)
            convs[f"skip.{layer}"] = (s, r, 1)
        shapes = {f"{name}.weight": shape for name, shape in convs.items()}
        biased = {name: shape for name, shape in convs.items() if not name.startswith("dilated")}
        shapes |= {f"{name}.bias": shape[:1] for name, shape in biased.items()}
        return shapes | {"source_scale": (GROUPS * self.rows,), "output_scale": (self.rows,)}
