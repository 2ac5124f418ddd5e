"""The rivals by name: their networks, what they learn from, their weights on disk, and the partners they are."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from duet.errors import CheckpointError
from models import biaxial_lesson, chord_lesson
from models.biaxial import BiaxialConfig, BiaxialNet
from models.biaxial_partner import BiaxialPartner
from models.chord_net import ChordNet
from models.chord_partner import ChordPartner
from models.chord_symbols import Shape
from models.lstm_partner import LstmConfig, LstmTrunk
from models.partner_data import Tune
from models.partner_file import is_of_kind
from models.wavenet_notes import WavenetConfig, WavenetTrunk

KIND = "rival"
CONFIGS: dict[str, Callable[..., Any]] = {
    "lstm": LstmConfig,
    "wavenet-notes": WavenetConfig,
    "biaxial": BiaxialConfig,
}


@dataclass(frozen=True, slots=True)
class Rival:
    """A network with the name it plays under."""

    name: str
    config: Any
    net: nn.Module

    def partner(self) -> ChordPartner | BiaxialPartner:
        """The partner that it is."""
        return ChordPartner(self.net) if isinstance(self.net, ChordNet) else BiaxialPartner(self._grid_net())

    def lesson(self, tunes: Sequence[Tune]) -> chord_lesson.ChordLesson | biaxial_lesson.BiaxialLesson:
        """What it learns some tunes by."""
        if isinstance(self.net, ChordNet):
            return chord_lesson.ChordLesson(self.net, tunes)
        return biaxial_lesson.BiaxialLesson(self._grid_net(), tunes)

    def nats(self, tune: Tune) -> dict[str, float]:
        """What it expects of a piece: at least "nats", of how many "notes" and "seconds"."""
        if isinstance(self.net, ChordNet):
            return chord_lesson.nats_of_tune(self.net, tune)
        return biaxial_lesson.nats_of_tune(self._grid_net(), tune)

    def _grid_net(self) -> BiaxialNet:
        assert isinstance(self.net, BiaxialNet)
        return self.net


def fresh_rival(name: str, shapes: Sequence[Shape] = ((0,),), seed: int = 0, **sizes: Any) -> Rival:
    """A rival that knows nothing yet. shapes: the chords that a composer of chord symbols knows."""
    config = CONFIGS[name](**sizes)
    net: nn.Module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match name:
            case "lstm":
                net = ChordNet(LstmTrunk(config), config.width, shapes)
            case "wavenet-notes":
                net = ChordNet(WavenetTrunk(config), config.width, shapes)
            case _:
                net = BiaxialNet(config)
    return Rival(name, config, net)


def save_rival(rival: Rival, path: Path, **notes: str) -> None:
    """Write the weights in half precision; notes go into the file's metadata."""
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in rival.net.state_dict().items()}
    shapes = rival.net.shapes if isinstance(rival.net, ChordNet) else [(0,)]
    config = {"name": rival.name, "shapes": shapes, "sizes": asdict(rival.config)}
    partial = path.with_name(path.name + ".part")
    save_file(tensors, partial, {"kind": KIND, "config": json.dumps(config), **notes})
    partial.replace(path)


def is_rival(path: Path) -> bool:
    """Whether a file has a rival's weights."""
    return is_of_kind(path, KIND)


def load_rival(path: Path) -> Rival:
    """Load, check, build. Raises CheckpointError."""
    remedy = "train one with `duet train partner --partner NAME`, or play with --partner markov"
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weights; {remedy}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not a weights file ({error}); {remedy}") from error
    if metadata.get("kind") != KIND:
        kind = metadata.get("kind", "unknown")
        raise CheckpointError(f"{path}: weights of kind {kind!r}, not {KIND!r}; {remedy}")
    try:
        config = json.loads(metadata["config"])
        sizes = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in config["sizes"].items()
        }
        shapes = [tuple(shape) for shape in config["shapes"]]
        rival = fresh_rival(config["name"], shapes, **sizes)
        rival.net.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: its weights do not fit its config ({error}); {remedy}") from error
    rival.net.eval().requires_grad_(False)
    return rival
