"""What a network knew is kept while it learns something else: it rehearses tunes that it composed before.

A player has no corpus, only the weights, so the weights compose one (pseudo-rehearsal, Robins 1995): told nothing or
a style, without any steering. Some windows of each batch are cut out of these tunes as out of any other; there the
network learns to say what it said before, by the divergence from its old self (Li and Hoiem 2016, "Learning without
forgetting"), of every head.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.events import GAPS, KEYS, OFF, PARTNER, PEDAL_DOWN, PEDAL_UP, PLAYED, TOKEN_TYPE
from models.knobs import encode
from models.partner import LONGEST_AGE, Hands, PartnerNet
from models.partner_data import Tune
from models.partner_lesson import PartnerLesson
from models.precision import learning, quick_kind

AT_ONCE = 128
"""Tunes composed side by side."""


class RehearsedLesson:
    """A lesson with some windows of what the network's old self composed."""

    def __init__(
        self, lesson: PartnerLesson, old: PartnerNet, memories: Sequence[Tune], share: float
    ) -> None:
        self._lesson, self._old, self._share = lesson, old, share
        self._memories = PartnerLesson(memories, old.config.styles)

    def batch(
        self, shape: tuple[int, int], rng: np.random.Generator, told: bool = True
    ) -> dict[str, NDArray[Any]]:
        """`partner_data.FIELDS`, each of the shape (windows, steps), the rehearsed windows last; two at least."""
        windows = max(2, shape[0])
        number = self._rehearsed(windows)
        own = self._lesson.batch((windows - number, shape[1]), rng, told)
        past = self._memories.batch((number, shape[1]), rng, told)
        return {field: np.concatenate([own[field], past[field]]) for field in own}

    def losses(self, net: PartnerNet, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """As `PartnerLesson` has it, of the new windows; drift: the nats that it has moved from the old ones."""
        new = len(batch["gap"]) - self._rehearsed(len(batch["gap"]))
        parts = self._lesson.losses(net, {field: values[:new] for field, values in batch.items()})
        past = {field: values[new:] for field, values in batch.items()}
        drift = divergence(net, self._old, past)
        steps = parts["steps"] + (past["counts"] > 0).sum()
        return {**parts, "drift": drift, "steps": steps, "total": parts["total"] + drift}

    def _rehearsed(self, windows: int) -> int:
        return min(windows - 1, max(1, round(self._share * windows)))


def divergence(net: PartnerNet, old: PartnerNet, batch: dict[str, Tensor]) -> Tensor:
    """Summed nats from what `old` says of a batch to what `net` says (Kullback and Leibler 1951)."""
    told = [batch[field] for field in ("gap", "token", "velocity", "style")]
    wish = encode(batch["knobs"], batch["scale"])
    says = net(*told, wish=wish)
    with torch.no_grad():
        said = old(*told, wish=wish)
    counts, velocity_counts = batch["counts"][:, 1:], batch["velocity_counts"][:, 1:]
    apart = torch.zeros((), device=says.gap.device)
    for weight, now, before, where in (
        (1.0, says.gap[:, :-1], said.gap[:, :-1], counts == 1),
        (1.0, says.token[:, :-1], said.token[:, :-1], counts > 0),
        (1.0, says.velocity[:, :-1], said.velocity[:, :-1], velocity_counts > 0),
        (0.2, *(functional.pad(part.end[..., None], (0, 1)) for part in (says, said)), batch["counts"] > 0),
    ):
        mine, its = (part[where].clamp(min=-1e4).log_softmax(-1) for part in (now, before))
        apart = apart + weight * functional.kl_div(mine, its, reduction="sum", log_target=True)
    return apart


def remember(net: PartnerNet, seed: int, tunes: int, events: int) -> list[Tune]:
    """Tunes that a network composes by itself: half of them told nothing, the others a style each."""
    made: list[Tune] = []
    styles = net.config.styles
    generator = torch.Generator().manual_seed(seed)
    for start in range(0, tunes, AT_ONCE):
        numbers = torch.arange(start, min(tunes, start + AT_ONCE))
        style = torch.where(numbers % 2 == 1, 1 + numbers // 2 % max(1, len(styles)), 0) * bool(styles)
        for label, *rows in zip(style.tolist(), *compose(net, style, events, generator), strict=True):
            gap, token, velocity = (row.numpy() for row in rows)
            tokens = np.zeros(len(gap), TOKEN_TYPE)
            tokens["time"], tokens["token"] = np.cumsum(GAPS[gap]), token
            tokens["velocity"] = np.where(token < OFF, 4 * velocity + 2, 0)
            name = f"remembered {len(made)}"
            made.append(Tune(name, "train", "", styles[label - 1] if label else "", True, True, tokens))
    return made


@torch.inference_mode()
def compose(
    net: PartnerNet, style: Tensor, events: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Tunes drawn event by event from what the network expects. style: (B,) -> gap, token, velocity, (B, events)."""
    batch, config, device = len(style), net.config, net.seconds.device
    shape = (config.layers, 2, batch, config.heads, events, config.width // config.heads)
    cache = torch.zeros(shape, dtype=quick_kind(device.type), device=device)
    hands = silent_hands(batch, device)
    style = style.to(device)[:, None]
    gap, token, velocity = (torch.zeros(batch, 1, dtype=torch.long, device=device) for _ in range(3))
    token += PARTNER
    before = hands.last
    made: list[Tensor] = []
    for step in range(events):
        with learning(device.type):
            x = net.describe(gap, token, velocity, style, before, hands)
            for layer, (keys, values), window in zip(net.layers, cache, config.windows, strict=True):
                seen = slice(max(0, step + 1 - window), step + 1)
                q, keys[:, :, step : step + 1], values[:, :, step : step + 1] = layer.split(
                    x, torch.tensor([step], device=device)
                )
                heard = functional.scaled_dot_product_attention(
                    q.to(cache.dtype), keys[:, :, seen], values[:, :, seen]
                )
                x = layer.join(x, heard)
            h = net.norm(x)
            gap = draw(net.gap_logits(h), generator)
            token = draw(net.token_logits(h, gap, hands), generator)
            velocity = draw(net.velocity_logits(h, gap, token), generator) * (token < OFF)
        before = hands.last
        hands = hands_moved(hands, net.seconds[gap], token)
        made.append(torch.cat([gap, token, velocity], 1).cpu())
    return torch.stack(made, -1).unbind(1)  # type: ignore[return-value]


def draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """One of the classes each. (B, 1, classes) -> (B, 1)."""
    chances = logits[:, 0].float().softmax(-1).cpu()
    return torch.multinomial(chances, 1, generator=generator).to(logits.device)


def silent_hands(batch: int, device: torch.device) -> Hands:
    """So many silent keyboards at the beginning of the partner's turn, T = 1."""
    never = torch.full((batch, 1, KEYS), LONGEST_AGE, device=device)
    no = torch.zeros(batch, 1, dtype=torch.bool, device=device)
    return Hands(never, never < 0, no, ~no, torch.full((batch, 1), 39, device=device))


def hands_moved(hands: Hands, seconds: Tensor, token: Tensor) -> Hands:
    """The hands of many keyboards one event later. seconds, token: (B, 1)."""
    keys = torch.arange(KEYS, device=token.device)
    down, up = token[..., None] == keys, token[..., None] == keys + OFF
    age = (hands.age + seconds[..., None]).clamp(max=LONGEST_AGE).masked_fill(down, 0.0)
    pedal = torch.where((token == PEDAL_DOWN) | (token == PEDAL_UP), token == PEDAL_DOWN, hands.pedal)
    last = torch.where(token < OFF, token, hands.last)
    assert int(token.max()) < PLAYED
    return Hands(age, (hands.held | down) & ~up, pedal, hands.partner, last)
