"""A piano voice on disk, of either form: a safetensors file of network, partials and, as metadata, what they are.

Load, check, build: a file that is missing, damaged or something else is refused by name, with the remedy.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    write_file(path, arrays, {"kind": kind, "config": json.dumps(asdict(checkpoint.config)), **notes})


def write_file(path: Path, arrays: dict[str, NDArray], metadata: dict[str, str]) -> None:
    """Write arrays and metadata, all or nothing."""
    partial = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, partial, metadata)
    partial.replace(path)


def load_checkpoint(path: Path) -> PianoCheckpoint:
    """Read the file. Raises CheckpointError."""
    metadata, arrays = read_file(path, KINDS)
    try:
        config = KINDS[metadata["kind"]](**fields_of(json.loads(metadata["config"])))
        checkpoint = PianoCheckpoint(config, network_of(arrays), Partials.from_arrays(arrays))
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path}: damaged weights ({error}); {REMEDY}") from error
    check_shapes(path, checkpoint.weights, config.shapes())
    return checkpoint


def read_file(path: Path, kinds: Collection[str]) -> tuple[dict[str, str], dict[str, NDArray]]:
    """A voice's metadata and arrays, if it is of one of these kinds. Raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weights; {REMEDY}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            kind = metadata.get("kind", "nothing that it names")
            if kind not in kinds:
                raise CheckpointError(f"{path}: holds {kind}, not a {' or a '.join(kinds)}; {REMEDY}")
            return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: damaged weights ({error}); {REMEDY}") from error


def fields_of(config: dict[str, Any]) -> dict[str, Any]:
    """A config's fields as JSON has kept them, lists made tuples again."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}


def network_of(arrays: dict[str, NDArray]) -> dict[str, NDArray]:
    """The network's tensors among a file's arrays."""
    return {name[8:]: array for name, array in arrays.items() if name.startswith("network.")}


def check_shapes(path: Path, weights: dict[str, NDArray], shapes: dict[str, tuple[int, ...]]) -> None:
    """Every tensor is there, in the shape the config asks for. Raises CheckpointError."""
    for name, shape in shapes.items():
        found = weights.get(name)
        if found is None or found.shape != shape:
            what = "is missing" if found is None else f"has shape {found.shape}, not {shape}"
            raise CheckpointError(f"{path}: damaged weights ({name} {what}); {REMEDY}")
