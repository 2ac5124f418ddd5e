"""What the chord-symbol composers learn from: windows of varied pieces, and what they expect of whole ones."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.chord_net import ChordNet, as_symbols
from models.chord_symbols import (
    SYMBOL,
    Shape,
    chords_of_notes,
    common_shapes,
    notes_of_tokens,
    symbols_of,
)
from models.events import OFF
from models.partner_data import Tune, vary, weights_of

WINDOW, WINDOWS = 128, 16
"""Symbols of a training window, and windows of a batch."""
SHAPES = 512


def shapes_of_tunes(tunes: Sequence[Tune], rng: np.random.Generator, pieces: int = 300) -> list[Shape]:
    """The commonest chord shapes of some tunes."""
    chosen = rng.choice(len(tunes), min(pieces, len(tunes)), replace=False)
    chords = (
        [key for _, key, _, _ in chord]
        for index in chosen
        for chord in chords_of_notes(notes_of_tokens(tunes[index].tokens[:4000]))
    )
    return common_shapes(chords, SHAPES)


class ChordLesson:
    """Batches for a network over chord symbols, and their loss."""

    def __init__(self, net: ChordNet, tunes: Sequence[Tune]) -> None:
        self._net, self._tunes = net, tunes
        self._weights = weights_of(tunes)
        self._known = {shape: place for place, shape in enumerate(net.shapes)}

    def optimizer(self) -> torch.optim.Optimizer:
        """What the weights learn by."""
        return torch.optim.AdamW(self._net.parameters(), 2e-3, betas=(0.9, 0.98), weight_decay=0.01)

    def batch(
        self, rng: np.random.Generator
    ) -> tuple[NDArray[np.void], NDArray[np.bool_], NDArray[np.bool_]]:
        """Symbols (WINDOWS, WINDOW), which of them count, and whose velocities do."""
        rows = np.zeros((WINDOWS, WINDOW), SYMBOL)
        counts, touched = np.zeros(rows.shape, bool), np.zeros(rows.shape, bool)
        for window, index in enumerate(rng.choice(len(self._tunes), WINDOWS, p=self._weights)):
            tune = self._tunes[index]
            start = int(rng.integers(0, max(1, len(tune.tokens) - 2 * WINDOW)))
            tokens = vary(tune, tune.tokens[start : start + 6 * WINDOW], rng)
            symbols = symbols_of(notes_of_tokens(tokens), self._known)[:WINDOW]
            rows[window, : len(symbols)] = symbols
            counts[window, 1 : len(symbols)] = True
            touched[window] = tune.real_velocity
        return rows, counts, touched

    def loss(
        self, batch: tuple[NDArray[np.void], NDArray[np.bool_], NDArray[np.bool_]], net: ChordNet
    ) -> tuple[Tensor, Tensor]:
        """The sum of the nats, and how many notes they are of."""
        symbols = as_symbols(batch[0])
        counts, touched = torch.from_numpy(batch[1]), torch.from_numpy(batch[2])
        h, _ = net.read(symbols)
        said = net.nats({part: values[:, 1:] for part, values in symbols.items()}, h[:, :-1])
        said["velocity"] = said["velocity"] * touched[:, 1:]
        total = sum(said.values())
        assert isinstance(total, Tensor)
        notes = net.sizes[symbols["shape"][:, 1:]]  # type: ignore[index]
        return (total * counts[:, 1:]).sum(), (notes * counts[:, 1:]).sum()


@torch.inference_mode()
def nats_of_tune(net: ChordNet, tune: Tune) -> dict[str, float]:
    """Nats of a whole piece but its first symbol's wait, and its notes and seconds.

    The first symbol is said from nothing known (zeros).
    """
    known = {shape: place for place, shape in enumerate(net.shapes)}
    symbols = as_symbols(symbols_of(notes_of_tokens(tune.tokens), known))
    h, _ = net.read(symbols)
    before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], 1)
    said = {part: float(nats.double().sum()) for part, nats in net.nats(symbols, before).items()}
    said["velocity"] *= tune.real_velocity
    time = tune.tokens["time"]
    return {
        **said,
        "nats": sum(said.values()),
        "notes": float((tune.tokens["token"] < OFF).sum()),
        "seconds": float(time[-1] - time[0]),
    }
