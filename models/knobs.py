"""What the network can be told about a turn of the partner's, and how that goes into it.

Five numbers and a scale, each of which may be left unsaid. A number is spread over the two nearest of some
fixed points (so that unsaid is all zeros, and adds nothing), a scale is its twelve pitch classes. In
training they are measured on the turns themselves and left out at random.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

POINTS: dict[str, Tensor] = {
    "density": torch.linspace(-1, 5, 13),
    "loudness": torch.linspace(8, 120, 15),
    "register": torch.linspace(30, 96, 12),
    "closeness": torch.linspace(0, 1, 9),
    "left": torch.linspace(-3, 4.5, 16),
}
"""Each number's fixed points: log2 of notes a second; mean velocity; mean pitch; share; log2 of seconds left."""
NAMES = tuple(POINTS)
SIZE = sum(len(points) for points in POINTS.values()) + 12
UNSAID = math.nan


def spread(value: Tensor, points: Tensor) -> Tensor:
    """Weights of the points for a value, beyond the outermost all theirs; zeros if unsaid. (...) -> (..., P)."""
    points = points.to(value.device)
    apart = points[1] - points[0]
    inside = value.nan_to_num(0.0).clamp(points[0], points[-1])
    weights = (1 - (inside[..., None] - points).abs() / apart).clamp(min=0)
    return weights * value.isfinite()[..., None]


def encode(knobs: Tensor, scale: Tensor) -> Tensor:
    """knobs: (..., 5) as in NAMES, NaN for unsaid; scale: (...) int64, bit c for pitch class c -> (..., SIZE)."""
    parts = [spread(knobs[..., place], POINTS[name]) for place, name in enumerate(NAMES)]
    bits = torch.arange(12, device=scale.device)
    return torch.cat([*parts, (scale[..., None] >> bits & 1).to(knobs.dtype)], -1)


def with_left(encoded: Tensor, seconds: float) -> Tensor:
    """The same as `encode` has it, but with so many seconds left. (SIZE,) -> (SIZE,)."""
    before = sum(len(points) for name, points in POINTS.items() if name != "left")
    result = encoded.clone()
    result[before:-12] = spread(torch.tensor(units("left", seconds)), POINTS["left"])
    return result


def units(name: str, value: float) -> float:
    """A number of a player's as the network counts it: notes a second and seconds by their logarithm."""
    if name == "density":
        return math.log2(max(value, 0.01))
    return math.log2(max(value, 0.0) + 0.125) if name == "left" else value


def encode_one(said: dict[str, float], classes: Sequence[int] = ()) -> Tensor:
    """The same for one step: numbers by name, in the player's units, and the pitch classes. -> (SIZE,)."""
    knobs = torch.tensor([units(name, said[name]) if name in said else UNSAID for name in NAMES])
    return encode(knobs, torch.tensor(sum(1 << pitch for pitch in set(classes))))
