"""The partner's network: a causal transformer over playing events, one event a step.

What each step is given beside the event: whose turn it is, a style label, what is asked of the turn
(`models.knobs`), and the hands (which keys are down, for how long, how recently each was struck), computed
from the events themselves. What it predicts of the next step is factorised as
p(gap) p(token | gap) p(velocity | gap, token); the last two are small heads, so one pass of the transformer
serves one event. Keys that cannot go down or up have probability 0.

Attention (Vaswani et al. 2017) has rotary positions (Su et al. 2021) and a sliding window, so a session has
no longest length. Three paths of the token head are the same for every key and save it from learning the
keyboard 88 times: the interval from the key struck last, how long ago a key was struck, how long it is held.
Shapes: B sequences, T steps; whole numbers are int64.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models import events, knobs
from models.attention import attend
from models.events import KEYS, OFF, PARTNER, PEDAL_DOWN, PEDAL_UP, PLAYED, PLAYER, TOKENS

LONGEST_AGE = 60.0
AGE_EDGES = torch.tensor(0.0301 * 1.36 ** torch.arange(23).double().numpy(), dtype=torch.float32)
"""Seconds between the 24 classes of how long ago a key was struck, 0.03 .. 26; no gaps add up to one."""


@dataclass(frozen=True, slots=True)
class PartnerConfig:
    """The size of the network and the labels it knows."""

    width: int = 192
    """Channels between the layers."""
    layers: int = 6
    heads: int = 3
    window: int = 512
    """Steps that a layer looks back on at most, its own included."""
    spans: tuple[int, ...] = ()
    """How many each layer looks back on, the first's first, if not all of them on `window`."""
    styles: tuple[str, ...] = ()
    """Style labels; number 0 is "no label", so the first of these is 1."""

    def __post_init__(self) -> None:
        if self.spans and (
            len(self.spans) != self.layers or max(self.spans) != self.window or min(self.spans) < 1
        ):
            raise ValueError(
                f"spans {self.spans} are not {self.layers} whole numbers, {self.window} the largest"
            )

    @property
    def windows(self) -> tuple[int, ...]:
        """Steps that each layer looks back on."""
        return self.spans or (self.window,) * self.layers


class Hands(NamedTuple):
    """What the keys and the pedal are like after each step."""

    age: Tensor
    """(B, T, 88) seconds since each key was struck, 60 if longer or never."""
    held: Tensor
    """(B, T, 88) bool: the key is down."""
    pedal: Tensor
    """(B, T) bool: the pedal is down."""
    partner: Tensor
    """(B, T) bool: it is the partner's turn."""
    last: Tensor
    """(B, T) the key 0..87 struck last; 39 (middle C) before any."""


class Logits(NamedTuple):
    """What is said of the step after each step."""

    gap: Tensor
    """(B, T, 128)"""
    token: Tensor
    """(B, T, 178), given the gap; impossible ones -inf."""
    velocity: Tensor
    """(B, T, 32), given gap and token."""
    end: Tensor
    """(B, T): the logit of a phrase ending here."""


def _latest(where: Tensor) -> Tensor:
    """For each step the index of the last True up to it, -1 if none. where: (B, T, ...) bool -> int64."""
    index = torch.arange(where.shape[1]).reshape(1, -1, *[1] * (where.dim() - 2)).to(where.device)
    return torch.where(where, index, -1).cummax(1).values


def hands_of(gap: Tensor, token: Tensor, seconds: Tensor) -> Hands:
    """The hands after each step of sequences that begin with all keys up. (B, T), (B, T) -> Hands.

    seconds: (128,) of each gap bin.
    """
    time = seconds[gap].cumsum(1)
    keys = torch.arange(KEYS, device=gap.device)
    struck = _latest(token[..., None] == keys)
    let_go = _latest(token[..., None] == keys + OFF)
    onset = torch.gather(time[..., None].expand(-1, -1, KEYS), 1, struck.clamp(min=0))
    age = torch.where(struck < 0, LONGEST_AGE, time[..., None] - onset).clamp(0, LONGEST_AGE)
    last = _latest(token < OFF)
    last_key = torch.where(last < 0, 39, torch.gather(token, 1, last.clamp(min=0)))
    pedal = _latest(token == PEDAL_DOWN) > _latest(token == PEDAL_UP)
    return Hands(age, struck > let_go, pedal, _latest(token == PARTNER) > _latest(token == PLAYER), last_key)


def hands_after(hands: Hands, gap: int, token: int) -> Hands:
    """The hands (B = T = 1) one step later."""
    age = (hands.age + float(events.GAPS[gap])).clamp(max=LONGEST_AGE)
    held, pedal, partner, last = hands.held, hands.pedal, hands.partner, hands.last
    if token < PEDAL_DOWN:
        held = held.clone()
        held[..., token % OFF] = token < OFF
        if token < OFF:
            age[..., token] = 0
            last = torch.full_like(last, token)
    elif token < PLAYED:
        pedal = torch.full_like(pedal, token == PEDAL_DOWN)
    else:
        partner = torch.full_like(partner, token == PARTNER)
    return Hands(age, held, pedal, partner, last)


def no_hands() -> Hands:
    """A silent keyboard, B = T = 1."""
    never, no = torch.full((1, 1, KEYS), LONGEST_AGE), torch.zeros(1, 1, dtype=torch.bool)
    return Hands(never, torch.zeros(1, 1, KEYS, dtype=torch.bool), no, no, torch.full((1, 1), 39))


def rotate(x: Tensor, position: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021). x: (B, H, T, D), position: (T,) -> (B, H, T, D)."""
    half = x.shape[-1] // 2
    rate = 10000.0 ** (-torch.arange(half, device=x.device, dtype=torch.float64) / half)
    angle = position.double()[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Layer(nn.Module):
    """Attention, then a two-layer perceptron with squared ReLU, each after a norm and added to its input."""

    def __init__(self, config: PartnerConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm_a, self.norm_b = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)

    def split(self, x: Tensor, position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, H, T, D). x: (B, T, W), position: (T,)."""
        qkv = self.qkv(self.norm_a(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return rotate(qkv[0], position), rotate(qkv[1], position), qkv[2]

    def join(self, x: Tensor, heard: Tensor) -> Tensor:
        """The layer's output. x: (B, T, W), heard: (B, H, T, D) from attention -> (B, T, W)."""
        x = x + self.out(heard.transpose(1, 2).flatten(2))
        return x + self.down(functional.relu(self.up(self.norm_b(x))).square())


class PartnerNet(nn.Module):
    """The network; `forward` for whole sequences, `models.neural` steps it event by event."""

    kind = "partner"
    """What its weights are called on disk."""

    def __init__(self, config: PartnerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.seconds: Tensor
        self.register_buffer("seconds", torch.tensor(events.GAPS, dtype=torch.float32), persistent=False)
        self.token = nn.Embedding(TOKENS, width)
        self.gap = nn.Embedding(len(events.GAPS), width)
        self.velocity = nn.Embedding(events.VELOCITIES, width)
        self.interval = nn.Embedding(2 * KEYS, width)
        self.style = nn.Embedding(len(config.styles) + 1, width)
        self.hands = nn.Linear(3 * KEYS + 3, width)
        self.wish = nn.Linear(knobs.SIZE, width, bias=False)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(width)
        self.gap_head = nn.Linear(width, len(events.GAPS))
        self.end_head = nn.Linear(width, 1)
        self.token_hidden = nn.Linear(width, width)
        self.token_gap = nn.Embedding(len(events.GAPS), width)
        self.token_head = nn.Linear(width, PLAYED)
        classes = len(AGE_EDGES) + 1
        self.shared_head = nn.Linear(width, 2 * KEYS + 2 * classes)
        self.velocity_hidden = nn.Linear(width, width // 2)
        self.velocity_gap = nn.Embedding(len(events.GAPS), width // 2)
        self.velocity_token = nn.Embedding(PLAYED, width // 2)
        self.velocity_head = nn.Linear(width // 2, events.VELOCITIES)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.5 if module.embedding_dim == width else 0.1)
        nn.init.zeros_(self.wish.weight)
        for head in (self.gap_head, self.end_head, self.token_head, self.shared_head, self.velocity_head):
            nn.init.zeros_(head.weight)

    def describe(
        self,
        gap: Tensor,
        token: Tensor,
        velocity: Tensor,
        style: Tensor,
        before: Tensor,
        hands: Hands,
        wish: Tensor | None = None,
    ) -> Tensor:
        """What goes into the first layer. All (B, T); before: the key struck before each -> (B, T, W).

        wish: what is asked of the turn, (B, T, knobs.SIZE) as `knobs.encode` has it.
        """
        strikes = token < OFF
        x = self.token(token) + self.gap(gap) + self.style(style)
        leap = (token - before + KEYS).clamp(0, 2 * KEYS - 1)
        x = x + strikes[..., None] * (self.velocity(velocity) + self.interval(leap))
        if wish is not None:
            x = x + self.wish(wish)
        log_age = (hands.age + 0.02).log()
        since = log_age.amin(-1, keepdim=True)
        held = hands.held.to(log_age.dtype)
        count = held.sum(-1, keepdim=True) / 8
        flags = torch.stack([hands.pedal, hands.partner], -1).to(log_age.dtype)
        known = torch.cat([held, held * log_age, (-hands.age / 2).exp(), since, count, flags[..., :1]], -1)
        return x + self.hands(known) + flags[..., 1:] * self.token.weight[PARTNER]

    def gap_logits(self, h: Tensor) -> Tensor:
        """(B, T, W) -> (B, T, 128)."""
        return self.gap_head(h).float()

    def token_logits(self, h: Tensor, gap: Tensor, hands: Hands) -> Tensor:
        """h: (B, T, W), gap: (B, T) of the next step, hands: after this one -> (B, T, 178)."""
        logits = self.token_head(functional.relu(self.token_hidden(h) + self.token_gap(gap)).square()).float()
        shared = self.shared_head(h).float()
        by_interval, by_age = shared[..., : 2 * KEYS], shared[..., 2 * KEYS :]
        classes = by_age.shape[-1] // 2
        keys = torch.arange(KEYS, device=h.device)
        age = torch.bucketize(hands.age + self.seconds[gap][..., None], AGE_EDGES.to(h.device))
        down = by_interval.gather(-1, keys - hands.last[..., None] + KEYS) + by_age.gather(-1, age)
        up = by_age.gather(-1, age + classes)
        down = (logits[..., :OFF] + down).masked_fill(hands.held, -torch.inf)
        up = (logits[..., OFF:PEDAL_DOWN] + up).masked_fill(~hands.held, -torch.inf)
        pedal = torch.stack([hands.pedal, ~hands.pedal], -1)
        return torch.cat([down, up, logits[..., PEDAL_DOWN:].masked_fill(pedal, -torch.inf)], -1)

    def velocity_logits(self, h: Tensor, gap: Tensor, token: Tensor) -> Tensor:
        """h: (B, T, W), gap and token (B, T) of the next step -> (B, T, 32)."""
        known = self.velocity_hidden(h) + self.velocity_gap(gap) + self.velocity_token(token)
        return self.velocity_head(functional.relu(known).square()).float()

    def hidden(
        self, gap: Tensor, token: Tensor, velocity: Tensor, style: Tensor, hands: Hands, wish: Tensor | None
    ) -> Tensor:
        """What the heads read after each step of whole sequences. Each (B, T), as for `forward` -> (B, T, W)."""
        before = functional.pad(hands.last[:, :-1], (1, 0), value=39)
        x = self.describe(gap, token, velocity, style, before, hands, wish)
        position = torch.arange(gap.shape[1], device=gap.device)
        for layer, window in zip(self.layers, self.config.windows, strict=True):
            q, k, v = layer.split(x, position)
            x = layer.join(x, attend(q, k, v, window))
        return self.norm(x)

    def forward(
        self,
        gap: Tensor,
        token: Tensor,
        velocity: Tensor,
        style: Tensor,
        hands: Hands | None = None,
        wish: Tensor | None = None,
    ) -> Logits:
        """What is said after each step of whole sequences. Each (B, T) int64 -> Logits.

        hands: given where a sequence begins in the middle of a piece, with keys down.
        """
        hands = hands or hands_of(gap, token, self.seconds)
        h = self.hidden(gap, token, velocity, style, hands, wish)
        next_gap = functional.pad(gap[:, 1:], (0, 1))
        next_token = functional.pad(token[:, 1:], (0, 1)).clamp(max=PLAYED - 1)
        return Logits(
            self.gap_logits(h),
            self.token_logits(h, next_gap, hands),
            self.velocity_logits(h, next_gap, next_token),
            self.end_head(h)[..., 0].float(),
        )
