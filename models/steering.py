"""What keeps an answer at what was asked of it: the network is told, and leanings on its odds make sure.

The network knows densities, touches, registers and closeness from its training (`models.knobs`), but not so
well that a knob could be relied on. So, for what is asked, the odds of the next step lean by as much as the
answer so far is off: longer or shorter waits, softer or louder strokes, lower or higher keys. The lean grows
with the distance, so nothing is forced where the network is doing it by itself. Before the answer has notes
of its own, it is taken to be like the call. What is not asked for leans a little to how the call was, of
which the network is told nothing: left alone, answers wander off further than a piece does.
"""

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from duet.request import Request
from duet.scale import classes_allowed
from models.events import GAPS, KEYS, LOWEST, VELOCITIES, velocity_of
from models.harmony import expectation
from models.knobs import encode_one

CHORD = 0.035
"""Seconds within which strokes are one chord."""
Stroke = tuple[float, int, int]
"""Seconds, pitch, velocity."""
SLOWNESS = torch.tensor(np.log(GAPS + 0.03), dtype=torch.float32)
HEIGHT = torch.arange(KEYS, dtype=torch.float32) + LOWEST
TOUCH = torch.tensor([velocity_of(level) for level in range(VELOCITIES)], dtype=torch.float32)


@dataclass(slots=True)
class Call:
    """What an answer keeps to, of what the player did."""

    most_keys: int = 0
    """Keys down at once in the last call; 0 if there was none."""
    strokes: list[Stroke] = field(default_factory=list)
    """Of the last call."""
    pitches: deque[int] = field(default_factory=deque)
    """Struck lately, in this call and before."""

    @property
    def waits(self) -> list[float]:
        """Seconds between its key strokes, those of one chord left out."""
        apart = np.diff([time for time, _, _ in self.strokes])
        return [float(wait) for wait in apart if wait > CHORD]

    def quickest(self) -> float:
        """Seconds between strokes where the player was quick; a calm 0.3 s if nobody can tell yet."""
        waits = sorted(self.waits)
        return waits[len(waits) // 10] if len(waits) > 1 else 0.3

    def mean(self, part: int) -> float:
        """The mean pitch (1) or velocity (2); 64 of either if nothing was struck."""
        return sum(stroke[part] for stroke in self.strokes) / len(self.strokes) if self.strokes else 64.0

    def density(self) -> float:
        """Notes a second; a calm 3 if nobody can tell yet."""
        if len(self.strokes) < 3:
            return 3.0
        return len(self.strokes) / max(0.5, self.strokes[-1][0] - self.strokes[0][0])


@dataclass(frozen=True, slots=True)
class Leanings:
    """How strongly the odds lean; found by measuring adherence (`duet eval partner --knobs`)."""

    density: float = 1.6
    """On the log of a gap, for each e-fold that the answer is off; on strokes, half of that."""
    register: float = 0.016
    """On a semitone, for each semitone off."""
    loudness: float = 0.03
    """On a unit of velocity, for each unit off."""
    most: float = 2.5
    """E-folds, and tens of units, off, beyond which a lean grows no more."""
    heard: float = 4.0
    """Notes for which the call counts while the answer has few of its own."""
    likeness: float = 0.5
    """Share of the above with which what is not asked for leans to the call's own."""
    kinship: float = 0.5
    """How much the call's pitch classes and likely keys weigh beside the network's own mind."""
    echo: float = 5.0
    """On what came next in the call, when the last strokes are as there; closeness 0 takes as much away."""


class Steering:
    """What one answer is asked for, and how far it is from it."""

    def __init__(self, request: Request, call: Call, leanings: Leanings) -> None:
        self._request, self._call, self._leanings = request, call, leanings
        self._strokes: list[Stroke] = []
        self._classes = classes_allowed(request.character.key, call.pitches)
        self._kinship = self._kin()
        self._next = _continuations(call.strokes)
        character = request.character
        self._said = {
            name: value
            for name in ("density", "loudness", "register", "closeness")
            if (value := getattr(character, name)) is not None
        }
        self._own = {"density": call.density(), "register": call.mean(1), "loudness": call.mean(2)}

    def wish(self, time: float) -> Tensor:
        """What the network is told, `time` seconds into the answer. -> (knobs.SIZE,)."""
        left = self._request.seconds - time
        return encode_one({**self._said, "left": left}, sorted(self._classes or ()))

    def struck(self, time: float, key: int, level: int) -> None:
        """The answer has struck a key."""
        self._strokes.append((time, key + LOWEST, velocity_of(level)))

    def on_gaps(self, time: float) -> Tensor | float:
        """The lean on the log odds of each gap, (128,)."""
        return self._thinness(time) * SLOWNESS

    def on_tokens(self, time: float) -> Tensor:
        """The lean on the log odds of each stroke, (88,); impossible ones -inf."""
        lean = self._kinship.clone()
        lean -= 0.5 * self._thinness(time)
        lean += self._leanings.register * self._off("register", 1) * (HEIGHT - 64)
        if "closeness" in self._said and self._strokes:
            lean += (2 * self._said["closeness"] - 1) * self._leanings.echo * self._as_there()
        if self._classes is not None:
            outside = [key for key in range(KEYS) if (key + LOWEST) % 12 not in self._classes]
            lean[outside] = -torch.inf
        return lean

    def on_velocities(self) -> Tensor | float:
        """The lean on the log odds of each velocity, (32,)."""
        return self._leanings.loudness * self._off("loudness", 2) * (TOUCH - 64)

    def _thinness(self, time: float) -> float:
        """How much too dense the answer is, times the lean: positive asks for longer waits."""
        heard = self._leanings.heard
        wanted, weight = self._aim("density")
        played = (len(self._strokes) + heard) / (time + heard / self._own["density"])
        return weight * self._leanings.density * self._held(math.log(played / wanted))

    def _aim(self, name: str) -> tuple[float, float]:
        """What a number should be, and how much that weighs."""
        if name in self._said:
            return self._said[name], 1.0
        return self._own[name], self._leanings.likeness * bool(self._call.strokes)

    def _off(self, name: str, part: int) -> float:
        """How far the answer is below what a number should be, as much as that weighs."""
        wanted, weight = self._aim(name)
        said = [stroke[part] for stroke in self._strokes]
        heard = self._leanings.heard
        mean = (sum(said) + heard * self._own[name]) / (len(said) + heard)
        return weight * 10 * self._held((wanted - mean) / 10)

    def _held(self, off: float) -> float:
        return max(-self._leanings.most, min(self._leanings.most, off))

    def _kin(self) -> Tensor:
        """The lean to the pitch classes of the call; the closer an answer should be, the more."""
        closeness = self._request.character.closeness
        share = 1.0 if closeness is None else 4 * closeness - 0.6
        heard = len(self._call.pitches)
        # after a few notes the network is less sure
        weight = self._leanings.kinship * share * (1 + 8 / (8 + heard)) * bool(heard)
        leaning = weight * np.log(12 * expectation(self._call.pitches))
        return torch.tensor(leaning[(np.arange(KEYS) + LOWEST) % 12], dtype=torch.float32)

    def _as_there(self) -> Tensor:
        """For each key how much the call went on with it after strokes like the last, (88,) of 0 .. 1."""
        result = torch.zeros(KEYS)
        last = tuple(pitch for _, pitch, _ in self._strokes[-2:])
        for context, weight in ((last, 1.0), (last[-1:], 0.5)):
            for pitch in self._next.get(context, ()):
                if 0 <= pitch - LOWEST < KEYS:
                    result[pitch - LOWEST] = max(float(result[pitch - LOWEST]), weight)
        return result


def _continuations(strokes: Sequence[Stroke]) -> dict[tuple[int, ...], set[int]]:
    """What was struck after each stroke and each two in a row."""
    pitches = [pitch for _, pitch, _ in strokes]
    found: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for place in range(1, len(pitches)):
        for back in (1, 2):
            if place >= back:
                found[tuple(pitches[place - back : place])].add(pitches[place])
    return dict(found)
