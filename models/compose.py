"""How an answer is drawn from what the network says: step by step, within what a pianist can do.

No key goes down that is down, nor up that is up (the network sees to that), no more keys at once than two
hands hold, no note for ever, no long silence, and time moves on. The answer is about as long as asked for: where,
between 85 and 120 % of that, `models.ending` finds out. Beyond 95 % it slows down; at 120 % no more keys are
struck, and at 130 % all are let go.
"""

from collections import deque
from copy import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from duet.request import Request
from models.commonplaces import Commonplaces
from models.events import GAPS, KEYS, OFF, PEDAL_DOWN, PEDAL_UP, Step, bin_of
from models.next_onset import releases
from models.partner import PartnerNet
from models.partner_step import State
from models.steering import CHORD, SLOWNESS, Call, Leanings, Steering
from models.style_tables import StyleTable

SECONDS = torch.tensor(GAPS, dtype=torch.float32)


FROM, UNTIL, AT_LAST = 0.85, 1.2, 1.3
"""Shares of the wanted length: it may end, it strikes no more keys, it lets go."""
FEWEST = 3
"""Strokes that make a phrase."""
BREATH = 0.5
"""Seconds, at least, between the last stroke of a phrase and the first of the next, as in the training's
cuts; and three usual waits."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How to draw; found by looking at answers."""

    token_floor: float = 0.02
    """Tokens less likely than this share of the likeliest are never drawn (min-p)."""
    velocity_floor: float = 0.05
    """The same for velocities."""
    gap_floor: float = 0.003
    """The same for gaps; low, since a long gap's likelihood is spread over many bins."""
    most_keys: int = 12
    """Keys down at once; at most one more than the player held, if that is fewer."""
    shortest_note: float = 0.05
    """Seconds that a key stays down at least."""
    longest_note: float = 8.0
    """Seconds."""
    longest_wait: float = 2.0
    """Seconds between key strokes, if the player did not wait longer."""
    haste: float = 0.5
    """Share of the player's quick waits that is the shortest wait between strokes, chords apart."""
    repeat: float = 0.1
    """Seconds between two strokes of one key at least."""
    most_at_once: int = 14
    """Steps without time passing."""
    most_steps: int = 1200
    """Events in one answer."""
    leanings: Leanings = field(default_factory=Leanings)
    """How strongly what was asked for, and the call, weigh beside the network's own mind."""
    coolness: float = 0.9
    """Tokens are drawn at this share of the wanted temperature."""
    patience: int = 4
    """Strokes of one key within `lately` until it becomes a bore ..."""
    lately: float = 3.0
    """... in seconds ..."""
    boredom: float = 0.7
    """... which each further stroke makes this much less likely, in nats."""
    originality: float = 5.0
    """Nats that a key loses if it would complete a run of pitches that the training set has."""
    slowing: float = 1.5
    """How much longer waits gain, on the log of a gap, from 95 % of the answer to its very end."""
    ring: float = 0.3
    """Seconds that the pedal stays down after the last key is up."""
    linger: float = 1.0
    """How much longer the last notes are held, on the log of a gap."""
    manner: float = 2.0
    """How much what can be counted of a style weighs."""
    drafts: int = 3
    """How often each stretch is composed, where a style is asked for; the one most in it is played ..."""
    stretch: float = 2.5
    """... and its seconds."""
    roundness: float = 15.0
    """Nats that an ending loses for each square of the share by which it misses the wanted length."""


def draw(logits: Tensor, temperature: float, floor: float, generator: torch.Generator) -> int:
    """Sample an index, leaving out what is less likely than `floor` times the likeliest."""
    odds = ((logits - logits.max()) / temperature).exp()
    return int(torch.multinomial(odds * (odds >= floor), 1, generator=generator))


class Composer:
    """One answer in the making."""

    def __init__(
        self,
        net: PartnerNet,
        request: Request,
        manners: Manners,
        call: Call,
        table: StyleTable | None = None,
        commonplaces: Commonplaces | None = None,
    ) -> None:
        """table: what can be counted of the style asked for; commonplaces: runs that are avoided a little."""
        self._net, self._request, self._manners = net, request, manners
        self._most_keys = manners.most_keys
        if call.most_keys:
            self._most_keys = min(manners.most_keys, max(2, call.most_keys + 1))
        self._strokes: deque[tuple[float, int]] = deque()
        self._keys: list[int] = []
        self._down: dict[int, float] = {}
        self._steering = Steering(request, call, manners.leanings)
        waits = sorted(call.waits)
        usual = waits[len(waits) // 2] if waits else 0.25
        if request.character.density is not None:
            usual = 1 / request.character.density
        self._breath = max(BREATH, 3 * usual)
        self._wait = max([manners.longest_wait, *call.waits])
        self._quickest = manners.haste * call.quickest()
        if request.character.density is not None:
            self._wait = max(self._wait, 3 / request.character.density)
            self._quickest = min(self._quickest, 0.5 / request.character.density)
        self._generator = torch.Generator()
        self.drafts, self.stretch = manners.drafts, manners.stretch
        self.closing = False
        """No more keys are struck."""
        self._table, self._commonplaces = table, commonplaces
        self._steps = self._at_once = self._struck_keys = 0
        self._struck = 0.0
        self.time = 0.0
        """Seconds from the answer's first onset to the step given last."""

    def wish(self) -> Tensor:
        """What the network is told of the answer at its time. -> (knobs.SIZE,)."""
        return self._steering.wish(self.time)

    @torch.inference_mode()
    def next(self, state: State) -> Step | None:
        """The next step after a state, or None where the answer is over."""
        if not self._steps:  # mixed, or all first notes of a session would be as unlikely as each other
            self._generator.manual_seed(1_000_003 * self._request.seed + state.length)
        held = state.hands.held[0, 0]
        late = (
            self.time >= (AT_LAST - 0.01) * self._request.seconds or self._steps >= self._manners.most_steps
        )
        self.closing = self.closing or late or self.share > UNTIL
        if self.closing and not held.any():
            return self.give(Step(bin_of(self._manners.ring), PEDAL_UP)) if state.hands.pedal.any() else None
        if late:
            return self.give(Step(0, OFF + int(held.nonzero()[0])))
        gap = self._draw_gap(state)
        overdue = state.hands.age[0, 0] * held + float(SECONDS[gap])
        if held.any() and overdue.max() > self._manners.longest_note + 1e-3:
            key = int(overdue.argmax())
            left = self._manners.longest_note - float(state.hands.age[0, 0, key])
            return self.give(Step(bin_of(left), OFF + key))
        step = self._draw_token(state, gap)
        if step.token < OFF and self._breathes(gap):
            self.closing = True
            return self.next(state)
        return self.give(step)

    @property
    def share(self) -> float:
        """How much of the wanted length has been played."""
        return self.time / self._request.seconds

    @property
    def may_end(self) -> bool:
        """Whether the answer is long enough to end."""
        return self.share >= FROM and self._struck_keys >= FEWEST

    @property
    def breath(self) -> float:
        """Seconds without a stroke that part this phrase from another."""
        return self._breath

    @property
    def waited(self) -> float:
        """Seconds since the last stroke."""
        return self.time - self._struck

    def twin(self) -> "Composer":
        """Another one that has composed the same so far, and would go on the same."""
        twin = copy(self)
        twin._strokes, twin._down, twin._steering = (
            deque(self._strokes),
            dict(self._down),
            self._steering.twin(),
        )
        twin._generator = self._generator.clone_state()
        return twin

    def another(self, number: int) -> None:
        """Go on in a way of its own: each number from 1 on gives another one, 0 the usual one."""
        if number:
            self._generator.manual_seed(int(torch.randint(2**40, (), generator=self._generator)) + number)

    def _breathes(self, gap: int) -> bool:
        """Whether a stroke after that gap would be the first of another phrase, and it is time to end."""
        wait = self.time + float(SECONDS[gap]) - self._struck
        return self.may_end and wait >= self._breath

    def _draw_gap(self, state: State) -> int:
        if not self._steps:
            return 0
        logits = self._net.gap_logits(state.h)[0, 0] + self._steering.on_gaps(self.time)
        if self._table:
            logits += self._manners.manner * self._table.on_gaps()
        if self.closing:
            logits += releases(self._net, state.h, state.hands).log() + self._manners.linger * SLOWNESS
        ending = (self.share - 0.95) / (UNTIL - 0.95)
        logits += self._manners.slowing * max(0.0, ending) * SLOWNESS
        longest = min(AT_LAST * self._request.seconds - self.time, self._struck + self._wait - self.time)
        logits[1:][SECONDS[1:] > longest] = -torch.inf
        held, age = state.hands.held[0, 0], state.hands.age[0, 0]
        if self._at_once >= self._manners.most_at_once:
            logits[0] = -torch.inf
        if held.sum() >= self._most_keys or (self.closing and held.any()):
            logits[SECONDS + age[held].max() < self._manners.shortest_note] = -torch.inf
        if not held.any():
            logits[self._hasty(SECONDS)] = -torch.inf
        if not logits.isfinite().any():
            return bin_of(self._manners.shortest_note)
        return draw(logits, self._request.character.temperature, self._manners.gap_floor, self._generator)

    def _hasty(self, gap: Tensor) -> Tensor:
        """Whether a stroke so long after the last step is too soon after the last stroke for another chord."""
        since = self.time + gap - self._struck
        return (since > CHORD) & (since < self._quickest)

    def _draw_token(self, state: State, gap: int) -> Step:
        gaps = torch.tensor([[gap]])
        logits = self._net.token_logits(state.h, gaps, state.hands)[0, 0]
        if self._table:
            logits += self._manners.manner * self._table.on_tokens(state.hands, gap)
        now = self.time + float(SECONDS[gap])
        logits[:OFF] += self._steering.on_tokens(now) - self._boredom(now)
        logits[OFF:PEDAL_DOWN] += self._steering.on_releases()
        held = state.hands.held[0, 0]
        silent = self.time + float(SECONDS[gap]) - self._struck >= self._wait - 0.02
        young = state.hands.age[0, 0] + SECONDS[gap] < self._manners.shortest_note
        if not young[held].all():
            logits[OFF:PEDAL_DOWN][young] = -torch.inf
        if self._steps:
            logits[:OFF][state.hands.age[0, 0] + SECONDS[gap] < self._manners.repeat] = -torch.inf
        if held.any() and self._hasty(SECONDS[gap]):
            logits[:OFF] = -torch.inf
        if self.closing:
            logits[:OFF] = logits[PEDAL_DOWN:] = -torch.inf
        elif not self._steps or (silent and held.sum() < self._most_keys):
            logits[OFF:] = -torch.inf
        elif held.sum() >= self._most_keys:
            logits[:OFF] = -torch.inf
        temperature = self._request.character.temperature * self._manners.coolness
        token = draw(logits, temperature, self._manners.token_floor, self._generator)
        if token >= OFF:
            return Step(gap, token)
        levels = self._net.velocity_logits(state.h, gaps, torch.tensor([[token]]))[0, 0]
        levels = levels + self._steering.on_velocities()
        level = draw(
            levels, self._request.character.temperature, self._manners.velocity_floor, self._generator
        )
        return Step(gap, token, level)

    def _boredom(self, now: float) -> Tensor:
        """How much less likely each key is for having been struck so often, here or in many a piece, (88,)."""
        while self._strokes and self._strokes[0][0] < now - self._manners.lately:
            self._strokes.popleft()
        counts = torch.zeros(KEYS)
        for _, key in self._strokes:
            counts[key] += 1
        bore = self._manners.boredom * (counts - self._manners.patience).clamp(min=0)
        if self._commonplaces:
            bore += self._manners.originality * torch.from_numpy(self._commonplaces.after(self._keys))
        return self._steering.novelty * bore

    def give(self, step: Step) -> Step:
        """Count a step as composed."""
        self.time += float(GAPS[step.gap])
        self._at_once = 0 if step.gap else self._at_once + 1
        self._steps += 1
        if step.token < OFF:
            self._struck = self.time
            self._struck_keys += 1
            self._strokes.append((self.time, step.token))
            self._keys = [*self._keys[-7:], step.token]
            self._steering.struck(self.time, step.token, step.velocity)
            self._down[step.token] = self.time
        elif step.token < PEDAL_DOWN and not self.closing:
            self._steering.let_go(self.time - self._down.pop(step.token - OFF, self.time))
        return step
