"""An independent listener that says which style a passage is in: a small network over `models.style_traits`.

It learns from passages of pieces whose style is known and shares nothing with the partner's network. Every
style weighs the same, however much there is of it. Its own accuracy is measured on pieces that it has not
learnt from: the pieces are dealt into five folds, all versions of a piece into the same one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from models.eval_answers import SECONDS, excerpt
from models.partner_data import Tune
from models.style_drafts import StyleListener
from models.style_traits import traits

FOLDS = 5
MOST = 12
"""Passages of one piece, spread over it."""
HIDDEN, EPOCHS, BATCH = 96, 30, 128


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages whose style is known."""

    traits: NDArray[np.float64]
    """(N, TRAITS)"""
    style: NDArray[np.int64]
    """(N,) numbers of styles."""
    piece: NDArray[np.int64]
    """(N,) numbers of the pieces they are from, the same for all versions of a piece."""


def passages_of(tunes: Sequence[Tune], styles: Sequence[str], piece_of: Mapping[str, str]) -> Passages:
    """Passages of 10 s, at most MOST a tune, of all tunes in one of some styles.

    Composers are known by performances only; of jazz there is nothing but solos and lead sheets.
    piece_of: what piece a tune is a version of, by its name; its name stands for itself.
    """
    rows: list[NDArray[np.float64]] = []
    about: list[tuple[int, int]] = []
    for tune in tunes:
        if tune.style not in styles or not (tune.expressive or tune.style == "jazz"):
            continue
        name = piece_of.get(tune.name, tune.name)
        piece = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
        last = float(tune.tokens["time"][-1]) - SECONDS
        for start in np.linspace(0, max(0.0, last), min(MOST, 1 + int(max(0.0, last) / SECONDS))):
            row = traits(excerpt(tune, float(start)))
            if row is not None:
                rows.append(row)
                about.append((styles.index(tune.style), piece))
    table = np.array(about, np.int64).reshape(-1, 2)
    return Passages(np.array(rows), table[:, 0], table[:, 1])


def half(known: Passages, number: int) -> Passages:
    """The passages of one half of the pieces, 0 or 1: one teaches who judges, the other whom the partner asks."""
    chosen = known.piece // FOLDS % 2 == number
    return Passages(*(part[chosen] for part in (known.traits, known.style, known.piece)))


class StyleJudge:
    """The listener, taught when it is made."""

    def __init__(self, known: Passages, styles: Sequence[str], seed: int = 0) -> None:
        self.styles = tuple(styles)
        self._mean, self._spread = known.traits.mean(0), known.traits.std(0) + 1e-3
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = nn.Sequential(
                nn.Linear(known.traits.shape[1], HIDDEN),
                nn.ReLU(),
                nn.Dropout(0.4),
                nn.Linear(HIDDEN, len(styles)),
            )
            self._learn(known)
        self._net.eval()

    def _learn(self, known: Passages) -> None:
        """Every style is drawn as often as any other."""
        counts = np.bincount(known.style, minlength=len(self.styles))
        odds = torch.from_numpy(1.0 / counts[known.style])
        x, y = self._scaled(known.traits), torch.from_numpy(known.style)
        optimizer = torch.optim.AdamW(self._net.parameters(), 2e-3, weight_decay=0.05)
        steps = max(300, EPOCHS * len(y) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, steps)
        for _ in range(steps):
            rows = torch.multinomial(odds, BATCH, replacement=True)
            loss = functional.cross_entropy(self._net(x[rows]), y[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    def _scaled(self, table: NDArray[np.float64]) -> torch.Tensor:
        return torch.from_numpy(((table - self._mean) / self._spread).clip(-6, 6).astype(np.float32))

    def as_listener(self) -> StyleListener:
        """What it has learnt, to be kept and asked without torch."""
        hidden, out = self._net[0], self._net[-1]
        arrays = {
            "mean": self._mean,
            "spread": self._spread,
            **{name: part.detach().numpy() for name, part in hidden.named_parameters(prefix="hidden")},
            **{name: part.detach().numpy() for name, part in out.named_parameters(prefix="out")},
        }
        return StyleListener(self.styles, {name: part.astype(np.float32) for name, part in arrays.items()})

    @torch.no_grad()
    def chances(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely each passage is in each style, all being equally common. (N, TRAITS) -> (N, styles)."""
        return self._net(self._scaled(table)).softmax(-1).double().numpy()


def folded(known: Passages, styles: Sequence[str]) -> NDArray[np.float64]:
    """The chances of each passage by a judge that has not learnt from its piece. -> (N, styles)."""
    result = np.zeros((len(known.style), len(styles)))
    for fold in range(FOLDS):
        out = known.piece % FOLDS == fold
        kept = Passages(*(part[~out] for part in (known.traits, known.style, known.piece)))
        result[out] = StyleJudge(kept, styles, fold).chances(known.traits[out])
    return result
