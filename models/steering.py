"""What keeps an answer at what was asked of it: the network is told, and leanings on its odds make sure.

The network knows densities, touches, registers and closeness from its training (`models.knobs`), but not so
well that a knob could be relied on. So, for what is asked, the odds of the next step lean by as much as the
answer so far is off: longer or shorter waits, softer or louder strokes, lower or higher keys. The lean grows
with the distance, so nothing is forced where the network is doing it by itself. Before the answer has notes
of its own, it is taken to be like the call. What is not asked for leans a little to how the call was, of
which the network is told nothing: left alone, answers wander off further than a piece does.
"""

import math
from collections import deque
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from duet.request import Request
from duet.scale import classes_allowed
from models.echo import NEAR, Stroke, continuations, kinship_at, wait_class
from models.events import GAPS, KEYS, LOWEST, VELOCITIES, velocity_of
from models.harmony import expectation
from models.knobs import encode_one, with_left
from models.partner_overlap import closeness

CHORD = 0.035
"""Seconds within which strokes are one chord."""
SLOWNESS = torch.tensor(np.log(GAPS + 0.03), dtype=torch.float32)
HEIGHT = torch.arange(KEYS, dtype=torch.float32) + LOWEST
AHEAD = 6
"""Strokes of the call among which an echo looks for the one just made, to know where it is."""
TOUCH = torch.tensor([velocity_of(level) for level in range(VELOCITIES)], dtype=torch.float32)


@dataclass(slots=True)
class Call:
    """What an answer keeps to, of what the player did."""

    most_keys: int = 0
    """Keys down at once in the last call; 0 if there was none."""
    strokes: list[Stroke] = field(default_factory=list)
    """Of the last call."""
    lengths: list[float] = field(default_factory=list)
    """Seconds that keys were held in the last call."""
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

    def log_length(self) -> float:
        """The mean log of how long keys were held, in seconds; of a quarter of a second if nobody can tell yet."""
        logs = [math.log(max(length, 0.02)) for length in self.lengths]
        return sum(logs) / len(logs) if logs else math.log(0.25)

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
    length: float = 4.0
    """On letting go of a key, for each e-fold that the answer's notes are too long."""
    most: float = 2.5
    """E-folds, and tens of units, off, beyond which a lean grows no more."""
    heard: float = 4.0
    """Notes for which the call counts while the answer has few of its own."""
    likeness: float = 0.5
    """Share of the above with which what is not asked for leans to the call's own ..."""
    other_likeness: float = 0.0
    """... and the same where a style is asked for, which is not to be like the call."""
    kinship: float = 0.5
    """How much the call's pitch classes and likely keys weigh beside the network's own mind."""
    echo: float = 14.0
    """On the stroke that comes next in the call, as one goes along it; closeness 0 takes half as much away."""
    punctual: float = 8.0
    """On strokes before the wait is over that there was in the call, and on each e-fold that a gap exceeds it."""
    closeness: float = 10.0
    """On the leans to the call and away from it, by how far the answer so far is from the closeness asked for."""
    rhythm: float = 1.5
    """Off strokes after waits as in the call, by the log of how usual they are there, at closeness 0."""


class Steering:
    """What one answer is asked for, and how far it is from it."""

    def __init__(self, request: Request, call: Call, leanings: Leanings) -> None:
        self._request, self._call, self._leanings = request, call, leanings
        self._strokes: list[Stroke] = []
        self._lengths: list[float] = []
        self._classes = classes_allowed(request.character.key, call.pitches)
        self._kinship = self._kin()
        self._next = continuations(call.strokes)
        self._place, self._along = 0, False
        self._judged = 0, 0.0
        classes = [wait_class(wait) for wait in np.diff([time for time, _, _ in call.strokes])]
        shares = (np.bincount(classes, minlength=16) + 0.3) / (len(classes) + 16 * 0.3)
        self._waits = shares * 16
        character = request.character
        self._said = {
            name: value
            for name in ("density", "loudness", "register", "closeness")
            if (value := getattr(character, name)) is not None
        }
        self._told = encode_one(self._said, sorted(self._classes or ()))
        self._length = call.log_length()
        styled = bool(request.character.style)
        self._likeness = leanings.other_likeness if styled else leanings.likeness
        self._own = {"density": call.density(), "register": call.mean(1), "loudness": call.mean(2)}

    def twin(self) -> "Steering":
        """Another one, as far as this one, that goes its own way."""
        twin = copy(self)
        twin._strokes, twin._lengths = list(self._strokes), list(self._lengths)
        return twin

    def wish(self, time: float) -> Tensor:
        """What the network is told, `time` seconds into the answer. -> (knobs.SIZE,)."""
        return with_left(self._told, self._request.seconds - time)

    def struck(self, time: float, key: int, level: int) -> None:
        """The answer has struck a key."""
        self._strokes.append((time, key + LOWEST, velocity_of(level)))
        ahead = [pitch for _, pitch, _ in self._call.strokes[self._place : self._place + AHEAD]]
        self._along = key + LOWEST in ahead
        if self._along:
            self._place += ahead.index(key + LOWEST) + 1
            self._place %= len(self._call.strokes)

    def let_go(self, seconds: float) -> None:
        """The answer has let go of a key that it held so long."""
        self._lengths.append(seconds)

    @property
    def _much(self) -> float:
        """How much to echo the call, -1 (contrast) .. 1; less than asked in between, or 0.75 would be as 1."""
        if "closeness" not in self._said:
            return 0.0
        asked = 2 * self._said["closeness"] - 1
        open_loop = asked if asked < 0 else asked**1.8
        return max(-1.0, min(1.0, open_loop + self._leanings.closeness * self._too_far()))

    def _too_far(self) -> float:
        """How much less the answer so far takes up the call than it should; counts the more, the longer it is."""
        said, call = self._strokes, self._call.strokes
        if min(len(said), len(call)) < 4:
            return 0.0
        if self._judged[0] != len(said):
            sides = [np.array([stroke[part] for stroke in side]) for side in (call, said) for part in (1, 0)]
            self._judged = len(said), closeness(*sides)
        wanted = float(np.interp(self._said["closeness"], *NEAR))
        return (wanted - self._judged[1]) * len(said) / (len(said) + 2 * self._leanings.heard)

    @property
    def novelty(self) -> float:
        """How much to avoid saying the same again: an echo does not."""
        return min(1.0, 2 - 2 * self._said.get("closeness", 0.5))

    def on_gaps(self, time: float) -> Tensor:
        """The lean on the log odds of each gap, (128,)."""
        lean = self._thinness(time) * SLOWNESS
        much = self._much
        if much > 0 and self._along:
            left = max(0.0, self._due() - (time - self._strokes[-1][0]))
            late = SLOWNESS - math.log(left + 0.03)
            early = -0.4 * late  # a release may well come before the next stroke
            lean -= self._leanings.punctual * much * torch.maximum(late, early)
        return lean

    def on_tokens(self, time: float) -> Tensor:
        """The lean on the log odds of each stroke, (88,); impossible ones -inf."""
        lean = self._kinship.clone()
        lean -= 0.5 * self._thinness(time)
        lean += self._leanings.register * self._off("register", 1) * (HEIGHT - 64)
        if "closeness" in self._said and self._strokes and self._call.strokes:
            much = self._much
            lean += self._leanings.echo * (much if much > 0 else much / 2) * self._as_there()
            waited = time - self._strokes[-1][0]
            if much < 0:
                lean += self._leanings.rhythm * much * math.log(self._waits[wait_class(waited)])
            elif self._along and waited < self._due() - CHORD:
                lean -= 2 * self._leanings.punctual * much
        if self._classes is not None:
            outside = [key for key in range(KEYS) if (key + LOWEST) % 12 not in self._classes]
            lean[outside] = -torch.inf
        return lean

    def on_releases(self) -> float:
        """The lean on the log odds of letting a key go."""
        if not self._call.lengths:
            return 0.0
        heard = self._leanings.heard
        off = sum(math.log(max(length, 0.02)) - self._length for length in self._lengths) / (
            len(self._lengths) + heard
        )
        return self._likeness * self._leanings.length * self._held(off)

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
        return self._own[name], self._likeness * bool(self._call.strokes)

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
        share = 1.0 if closeness is None else kinship_at(closeness)
        heard = len(self._call.pitches)
        # after a few notes the network is less sure
        weight = self._leanings.kinship * share * (1 + 8 / (8 + heard)) * bool(heard)
        leaning = weight * np.log(12 * expectation(self._call.pitches))
        return torch.tensor(leaning[(np.arange(KEYS) + LOWEST) % 12], dtype=torch.float32)

    def _due(self) -> float:
        """Seconds that the call waited before the stroke that one has come to; a breath before its first."""
        if not self._place:
            return 0.5
        return self._call.strokes[self._place][0] - self._call.strokes[self._place - 1][0]

    def _as_there(self) -> Tensor:
        """For each key how much the call went on with it from here, or after strokes like the last; 0 .. 1."""
        result = torch.zeros(KEYS)
        last = tuple(pitch for _, pitch, _ in self._strokes[-2:])
        here = {pitch for _, pitch, _ in self._call.strokes[self._place : self._place + 1]}
        views = ((here, 1.0), *((self._next.get(c, ()), w) for c, w in ((last, 0.5), ((), 0.2))))
        for pitches, weight in views:
            for pitch in pitches:
                if 0 <= pitch - LOWEST < KEYS:
                    result[pitch - LOWEST] = max(float(result[pitch - LOWEST]), weight)
        return result
