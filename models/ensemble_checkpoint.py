"""The ensemble on disk: one network, and the partials of each of its instruments."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duet.errors import CheckpointError
from models.ensemble_config import EnsembleConfig
from models.partials import Partials
from models.piano_checkpoint import REMEDY, check_shapes, fields_of, network_of, read_file, write_file
from models.piano_voice_config import PianoVoiceConfig

KIND = "ensemble"


@dataclass(frozen=True, slots=True)
class EnsembleCheckpoint:
    """All that an ensemble is."""

    config: EnsembleConfig
    """Its shape, and who plays in it."""
    weights: dict[str, NDArray[np.float32]]
    """The network's tensors by name."""
    partials: tuple[Partials, ...]
    """Each voice's table for the source, in the order of the config's voices."""


def save_ensemble(path: Path, checkpoint: EnsembleCheckpoint, notes: dict[str, str]) -> None:
    """Write the file, all or nothing. notes: further metadata (how it was trained)."""
    arrays = {f"network.{name}": np.ascontiguousarray(value) for name, value in checkpoint.weights.items()}
    for voice, partials in zip(checkpoint.config.voices, checkpoint.partials, strict=True):
        arrays |= {f"{voice}.{name}": np.ascontiguousarray(a) for name, a in partials.to_arrays().items()}
    write_file(path, arrays, {"kind": KIND, "config": json.dumps(asdict(checkpoint.config)), **notes})


def load_ensemble(path: Path) -> EnsembleCheckpoint:
    """Read the file. Raises CheckpointError."""
    metadata, arrays = read_file(path, (KIND,))
    try:
        fields = fields_of(json.loads(metadata["config"]))
        trunk = PianoVoiceConfig(**fields_of(fields.pop("trunk")))
        config = EnsembleConfig(trunk=trunk, **fields)
        partials = tuple(Partials.from_arrays(_of_voice(arrays, voice)) for voice in config.voices)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path}: damaged weights ({error}); {REMEDY}") from error
    weights = network_of(arrays)
    check_shapes(path, weights, config.shapes())
    return EnsembleCheckpoint(config, weights, partials)


def _of_voice(arrays: dict[str, NDArray], voice: str) -> dict[str, NDArray]:
    prefix = f"{voice}."
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
