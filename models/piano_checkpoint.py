"""The piano voice on disk: one safetensors file with network, partials and, in its metadata, what they are.

Load, check, build: a file that is missing, damaged or something else is refused by name, with the remedy.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from duet.errors import CheckpointError
from models.partials import Partials
from models.piano_voice_config import PianoVoiceConfig

KIND = "piano-voice"
REMEDY = "`duet train voice` makes one, and the repository holds models/weights/piano.safetensors"


@dataclass(frozen=True, slots=True)
class PianoCheckpoint:
    """All that a piano voice is."""

    config: PianoVoiceConfig
    """Its shape."""
    weights: dict[str, NDArray[np.float32]]
    """The network's tensors by name."""
    partials: Partials
    """The source's table."""


def save_checkpoint(path: Path, checkpoint: PianoCheckpoint, notes: dict[str, str]) -> None:
    """Write the file, all or nothing. notes: further metadata (how it was trained)."""
    arrays = {f"network.{name}": np.ascontiguousarray(value) for name, value in checkpoint.weights.items()}
    arrays |= {name: np.ascontiguousarray(value) for name, value in checkpoint.partials.to_arrays().items()}
    metadata = {"kind": KIND, "config": json.dumps(asdict(checkpoint.config)), **notes}
    partial = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, partial, metadata)
    partial.replace(path)


def load_checkpoint(path: Path) -> PianoCheckpoint:
    """Read the file. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weights; {REMEDY}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("kind") != KIND:
                found = metadata.get("kind", "nothing that it names")
                raise CheckpointError(f"{path}: holds {found}, not a {KIND}; {REMEDY}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        fields = json.loads(metadata["config"])
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
        weights = {name[8:]: array for name, array in arrays.items() if name.startswith("network.")}
        checkpoint = PianoCheckpoint(PianoVoiceConfig(**fields), weights, Partials.from_arrays(arrays))
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path}: damaged weights ({error}); {REMEDY}") from error
    _check(path, checkpoint)
    return checkpoint


def _check(path: Path, checkpoint: PianoCheckpoint) -> None:
    """Every tensor is there, in the shape the config asks for."""
    for name, shape in checkpoint.config.shapes().items():
        found = checkpoint.weights.get(name)
        if found is None or found.shape != shape:
            what = "is missing" if found is None else f"has shape {found.shape}, not {shape}"
            raise CheckpointError(f"{path}: damaged weights ({name} {what}); {REMEDY}")
