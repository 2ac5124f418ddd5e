"""The partner's weights on disk: one safetensors file with its kind and its config beside the numbers."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from duet.errors import CheckpointError
from models.partner import PartnerConfig, PartnerNet

Net = TypeVar("Net", bound=PartnerNet)


def save_partner(net: PartnerNet, path: Path, **notes: str) -> None:
    """Write the weights in half precision; notes go into the file's metadata."""
    tensors = {name: tensor.detach().half().contiguous() for name, tensor in net.state_dict().items()}
    metadata = {"kind": net.kind, "config": json.dumps(asdict(net.config)), **notes}
    partial = path.with_name(path.name + ".part")
    save_file(tensors, partial, metadata)
    partial.replace(path)


def is_of_kind(path: Path, kind: str) -> bool:
    """Whether a file has weights of a kind."""
    try:
        with safe_open(path, "pt") as file:
            return (file.metadata() or {}).get("kind") == kind
    except (SafetensorError, OSError):
        return False


def load_net(path: Path, build: type[Net] = PartnerNet) -> Net:  # type: ignore[assignment]  # what T is by default
    """Load, check, build: the network in float32, ready to play. Raises CheckpointError."""
    remedy = "train one with `duet train partner`, or play with --partner markov"
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weights; {remedy}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or not a weights file ({error}); {remedy}") from error
    if metadata.get("kind") != build.kind:
        kind = metadata.get("kind", "unknown")
        raise CheckpointError(f"{path}: weights of kind {kind!r}, not {build.kind!r}; {remedy}")
    try:
        config = json.loads(metadata["config"])
        lists = {"styles": tuple(config["styles"]), "spans": tuple(config.get("spans", ()))}
        net = build(PartnerConfig(**{**config, **lists}))
        tensors.setdefault("wish.weight", torch.zeros_like(net.wish.weight))  # from before it could be asked
        net.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        why = next(iter(str(error).splitlines()), repr(error))
        raise CheckpointError(f"{path}: its weights do not fit its config ({why}); {remedy}") from error
    return net.eval().requires_grad_(False)


def fresh_net(config: PartnerConfig, seed: int, build: type[Net] = PartnerNet) -> Net:  # type: ignore[assignment]
    """A network that knows nothing yet."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)
