"""Named ways to train each form of the voice, as `duet train voice --voice NAME --config PRESET` has them."""

from dataclasses import dataclass, field, replace

from models.ensemble_config import EnsembleConfig
from models.instruments import INSTRUMENTS
from models.piano_ar_config import PRESETS as AR
from models.piano_ar_config import PianoArConfig
from models.piano_voice_config import PianoVoiceConfig
from models.voice_trainer import TrainConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """A network, and what it learns from and how."""

    shape: PianoVoiceConfig | PianoArConfig | EnsembleConfig
    """The network."""
    train: TrainConfig = field(default_factory=TrainConfig)
    """How to learn."""
    batch: int = 4
    """Crops in a step."""
    frames: int = 500
    """Frames in a crop."""
    passages: int = 40
    """Passages of real pieces; of an ensemble, for each of its voices."""
    exercises: int = 10
    """Passages of exercises, likewise."""
    seconds: float = 45.0
    """Length of a passage."""


_AR_TRAIN = TrainConfig(rate=2e-3, average=0.995, half=False)
_IN_ENSEMBLE = TrainConfig(rate=7e-4, compiled=True)
_ENSEMBLE_FURTHER = TrainConfig(rate=4e-4)
_FURTHER = TrainConfig(rate=7e-4)
_ON_GPU = TrainConfig(compiled=True, average=0.9995)

PRESETS = {
    "piano": {
        "small": Preset(PianoVoiceConfig()),
        "further": Preset(PianoVoiceConfig(), _FURTHER, passages=100, exercises=20),
        "gpu": Preset(
            PianoVoiceConfig(residual=96, skip=96, context=128), _ON_GPU, 64, passages=400, exercises=80
        ),
    },
    "ensemble": {
        "small": Preset(EnsembleConfig(tuple(INSTRUMENTS)), _IN_ENSEMBLE, 5, 400, 8, 3, 30.0),
        "further": Preset(EnsembleConfig(tuple(INSTRUMENTS)), _ENSEMBLE_FURTHER, 5, 400, 40, 8, 30.0),
    },
    "piano-ar": {
        **{
            name: Preset(AR[name], _AR_TRAIN, 2, 128, 24, 8, 30.0)
            for name in ("small", "wide", "heard", "plain")
        },
        "further": Preset(AR["small"], replace(_AR_TRAIN, rate=1e-3), 2, 128, 60, 12, 30.0),
        "gpu": Preset(AR["gpu"], _ON_GPU, 64, 512, passages=300, exercises=60),
    },
}
"""The first preset of each voice is the one its shipped weights were trained with."""
