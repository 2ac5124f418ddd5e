"""The baseline that the network must beat: variable-order Markov chains over the very same steps.

p(gap) p(token | gap) p(velocity | gap, token) again, each from counts of what followed contexts of rising
length, interpolated in the manner of Witten and Bell (Bell, Cleary and Witten 1990): where a context was seen
C times with D different successors, it gets the share C / (C + a D) and shorter contexts the rest; a, 1 in
their rule, is chosen for each part on held-out pieces, since touch and timing are noisier than text. Keys
that cannot go down or up are left out and the rest made to sum to 1, as for the network. The chain `unigram`
has no contexts at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.events import GAPS, KEYS, OFF, PEDAL_DOWN, PEDAL_UP, PLAYED, VELOCITIES

Ints = NDArray[np.int64]
SYMBOL = np.uint64(0xFF)
GAP_CLASSES = np.array([1, 3, 6, 13, 33])


SIZES = {"gap": len(GAPS), "token": PLAYED, "velocity": VELOCITIES}


def _mix(*columns: Ints) -> NDArray[np.uint64]:
    """One 64-bit number for each row of some columns, its lowest byte free for a symbol."""
    mixed = np.full(len(columns[0]), len(columns), np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed & ~SYMBOL


def _back(values: Ints, steps: int) -> Ints:
    """Values as they were some steps before; 255 before the first."""
    return np.concatenate([np.full(min(steps, len(values)), 255, np.int64), values[: len(values) - steps]])


def contexts_of(
    gap: Ints, token: Ints, velocity: Ints
) -> dict[str, tuple[Ints, list[NDArray[np.uint64]], Ints]]:
    """For each part of a step: its symbols, their contexts from the shortest on, and where they stand."""
    kind = np.digitize(token, [OFF, PEDAL_DOWN, PEDAL_UP])
    near = np.digitize(gap, GAP_CLASSES)
    kinds = [_back(kind, k) for k in range(1, 4)]
    gaps = [_back(gap, k) for k in range(1, 4)]
    tokens = [_back(token, k) for k in range(1, 7)]
    played = np.flatnonzero(token < PLAYED)
    strokes = np.flatnonzero(token < OFF)
    level, close = velocity[strokes], near[strokes]
    levels = [_back(level, k) for k in range(1, 4)]
    lengths = {
        "gap": [
            (),
            (kinds[0],),
            (kinds[0], gaps[0]),
            (kinds[0], gaps[0], kinds[1], gaps[1]),
            (*kinds, *gaps),
        ],
        "token": [(), (near,), *((near, *tokens[:k]) for k in (1, 2, 3, 4, 6))],
        "velocity": [(), *((*levels[:k], close) for k in range(4))],
    }
    symbols = {"gap": gap, "token": token, "velocity": level}
    places = {"gap": played, "token": played, "velocity": np.arange(len(strokes))}
    return {
        part: (
            symbols[part][places[part]],
            [_mix(0 * symbols[part], *columns)[places[part]] for columns in lengths[part]],
            strokes if part == "velocity" else played,
        )
        for part in SIZES
    }


@dataclass(frozen=True, slots=True)
class Counts:
    """What followed the contexts of one length."""

    contexts: NDArray[np.uint64]
    """Sorted."""
    starts: Ints
    """Where each context's entries begin; one more at the end."""
    symbols: Ints
    counts: Ints


def count(contexts: NDArray[np.uint64], symbols: Ints) -> Counts:
    """Count successors."""
    pairs, counts = np.unique(contexts | symbols.astype(np.uint64), return_counts=True)
    unique, starts = np.unique(pairs & ~SYMBOL, return_index=True)
    ends = np.append(starts, len(pairs))
    return Counts(unique, ends, (pairs & SYMBOL).astype(np.int64), counts)


@njit(cache=True)
def _interpolate(odds, places, starts, symbols, counts, doubt):  # type: ignore[no-untyped-def]
    for row in range(len(places)):
        place = places[row]
        if place < 0:
            continue
        first, last = starts[place], starts[place + 1]
        total = counts[first:last].sum()
        different = doubt * (last - first)
        odds[row] *= different / (total + different)
        for entry in range(first, last):
            odds[row, symbols[entry]] += counts[entry] / (total + different)


class Chain:
    """Counts of a training set, and the probabilities they give."""

    def __init__(self, gap: Ints, token: Ints, velocity: Ints, real: NDArray[np.bool_]) -> None:
        """real: (T,) whether a step's velocity means something; others are not learnt."""
        self._counts = {}
        self.doubt = dict.fromkeys(SIZES, 1.0)
        for part, (symbols, lengths, where) in contexts_of(gap, token, velocity).items():
            chosen = real[where] if part == "velocity" else slice(None)
            self._counts[part] = [count(contexts[chosen], symbols[chosen]) for contexts in lengths]

    def nats(
        self, gap: Ints, token: Ints, velocity: Ints, longest: int = 99
    ) -> dict[str, NDArray[np.float64]]:
        """Nats of each part of each step of one piece, all keys up at its start. (T,) each.

        longest: how many context lengths are used; 1 is the unigram.
        """
        held = held_before(token)
        result = {}
        for part, (symbols, lengths, where) in contexts_of(gap, token, velocity).items():
            odds = np.full((len(symbols), SIZES[part]), 1 / SIZES[part])
            for contexts, counts in zip(lengths[:longest], self._counts[part], strict=False):
                if not len(counts.contexts):
                    continue  # nothing learnt: no velocity of the training set meant anything
                places = np.searchsorted(counts.contexts, contexts).clip(max=len(counts.contexts) - 1)
                places = np.where(counts.contexts[places] == contexts, places, -1)
                _interpolate(odds, places, counts.starts, counts.symbols, counts.counts, self.doubt[part])
            if part == "token":
                odds *= possible(held[where])
                odds /= odds.sum(1, keepdims=True)
            nats = np.zeros(len(gap))
            nats[where] = -np.log(odds[np.arange(len(symbols)), symbols])
            result[part] = nats
        return result

    def fit(self, pieces: Sequence[tuple[Ints, Ints, Ints]]) -> None:
        """Choose the doubt of each part that serves some held-out pieces best."""
        found: dict[str, list[tuple[float, float]]] = {part: [] for part in SIZES}
        for doubt in (1.0, 3.0, 10.0, 30.0, 100.0):
            self.doubt = dict.fromkeys(SIZES, doubt)
            results = [self.nats(*piece) for piece in pieces]
            for part, tried in found.items():
                tried.append((float(sum(result[part].sum() for result in results)), doubt))
        self.doubt = {part: min(tried)[1] for part, tried in found.items()}


def held_before(token: Ints) -> NDArray[np.bool_]:
    """Before each step, which keys are down, and in the last column the pedal. (T,) -> (T, 89)."""
    change = np.zeros((len(token) + 1, KEYS + 1), np.int8)
    rows = np.arange(1, len(token) + 1)
    for first, last, step in ((0, OFF, 1), (OFF, PEDAL_DOWN, -1)):
        chosen = (token >= first) & (token < last)
        change[rows[chosen], token[chosen] - first] = step
    change[rows[token == PEDAL_DOWN], KEYS] = 1
    change[rows[token == PEDAL_UP], KEYS] = -1
    return np.cumsum(change, 0, dtype=np.int8)[:-1] > 0


def possible(held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which tokens can come. (T, 89) -> (T, 178)."""
    keys, pedal = held[:, :KEYS], held[:, KEYS:]
    return np.concatenate([~keys, keys, ~pedal, pedal], 1)


def chain_of(pieces: Sequence[tuple[Ints, Ints, Ints]], real: Sequence[bool]) -> Chain:
    """The chain of some pieces' gaps, tokens and velocities; real: whether each one's velocities are."""
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    return Chain(*columns, np.repeat(np.array(real), [len(gap) for gap, _, _ in pieces]))
