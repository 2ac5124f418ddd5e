"""A piano voice on disk, of either form: a safetensors file of network, partials and, as metadata, what they are.

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
from models.piano_ar_config import PianoArConfig
from models.piano_voice_config import PianoVoiceConfig

KINDS: dict[str, type[PianoVoiceConfig] | type[PianoArConfig]] = {
    "piano-voice": PianoVoiceConfig,
    "piano-ar": PianoArConfig,
}
"""The forms by the name in a file's metadata."""
REMEDY = "`duet train voice` makes one, and the repository holds some in models/weights"


@dataclass(frozen=True, slots=True)
class PianoCheckpoint:
    """All that a piano voice is."""

    config: PianoVoiceConfig | PianoArConfig
    """Its shape."""
    weights: dict[str, NDArray[np.float32]]
    """The network's tensors by name."""
    partials: Partials
    """The source's table."""


def save_checkpoint(path: Path, checkpoint: PianoCheckpoint, notes: dict[str, str]) -> None:
    """Write the file, all or nothing. notes: further metadata (how it was trained)."""
    arrays = {f"network.{name}": np.ascontiguousarray(value) for name, value in checkpoint.weights.items()}
    arrays |= {name: np.ascontiguousarray(value) for name, value in checkpoint.partials.to_arrays().items()}
    kind = next(kind for kind, config in KINDS.items() if isinstance(checkpoint.config, config))
    metadata = {"kind": kind, "config": json.dumps(asdict(checkpoint.config)), **notes}
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
            kind = metadata.get("kind", "nothing that it names")
            if kind not in KINDS:
                raise CheckpointError(f"{path}: holds {kind}, not a {' or a '.join(KINDS)}; {REMEDY}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        fields = json.loads(metadata["config"])
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
        weights = {name[8:]: array for name, array in arrays.items() if name.startswith("network.")}
        checkpoint = PianoCheckpoint(KINDS[kind](**fields), weights, Partials.from_arrays(arrays))
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
