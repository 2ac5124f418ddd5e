"""What the partner learns from: pieces as tokens, and windows of them that look like a duet.

A window is a stretch of one piece, transposed, stretched in time and played louder or softer, and handed
from player to partner and back where a phrase ends, so that whose turn it is means something. At such a cut
every key is let go, as it is when a session hands over.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.piece import Piece
from models.events import OFF, PARTNER, PEDAL_DOWN, PEDAL_UP, PLAYER, TOKEN_TYPE, Metre, tokens_of
from models.knobs import NAMES, UNSAID
from models.partner_turns import ECHO, Turn, describe, phrase_ends, tell, turns_of

SCORE_SHARE = 0.22
"""Share of the windows that come from scores (tier B) rather than performances."""
COLUMNS = ("gap", "token", "velocity", "style", "counts", "velocity_counts", "phrase_end", "scale")
FIELDS = (*COLUMNS, "knobs")
LEFT = NAMES.index("left")


@dataclass(frozen=True, slots=True)
class Tune:
    """A piece made ready."""

    name: str
    split: str
    source: str
    style: str
    expressive: bool
    real_velocity: bool
    tokens: NDArray[np.void]
    """Of TOKEN_TYPE."""


def tune_of(piece: Piece) -> Tune:
    """Clean a piece's events into tokens."""
    known = piece.name, piece.split, piece.source, piece.style, piece.expressive, piece.real_velocity
    return Tune(*known, tokens_of(piece.events))


def write_tunes(path: Path, pieces: Iterable[Piece]) -> None:
    """Keep the tokens of pieces in one file, so that a resumed run need not read MIDI again."""
    tunes = [tune for tune in map(tune_of, pieces) if len(tune.tokens) >= 32]
    known = [
        [
            tune.name,
            tune.split,
            tune.source,
            tune.style,
            tune.expressive,
            tune.real_velocity,
            len(tune.tokens),
        ]
        for tune in tunes
    ]
    tokens = np.concatenate([tune.tokens for tune in tunes]) if tunes else np.zeros(0, TOKEN_TYPE)
    with path.open("wb") as file:
        np.savez_compressed(file, tokens=tokens, known=np.array(json.dumps(known)))


def read_tunes(path: Path) -> list[Tune]:
    """The tunes of such a file."""
    with np.load(path) as file:
        known, tokens = json.loads(str(file["known"])), file["tokens"]
    ends = np.cumsum([row[-1] for row in known])
    return [Tune(*row[:-1], tokens[end - row[-1] : end]) for row, end in zip(known, ends, strict=True)]


def weights_of(tunes: Sequence[Tune]) -> NDArray[np.float64]:
    """How likely a window comes from each tune: by length, with scores held to their share."""
    weights = np.array([len(tune.tokens) for tune in tunes], float)
    scores = np.array([not tune.expressive for tune in tunes])
    if scores.any() and not scores.all():
        weights[scores] *= SCORE_SHARE / (1 - SCORE_SHARE) * weights[~scores].sum() / weights[scores].sum()
    return weights / weights.sum()


def vary(tune: Tune, tokens: NDArray[np.void], rng: np.random.Generator) -> NDArray[np.void]:
    """The same music in another key, tempo and touch; what a score does not say is made up."""
    tokens = tokens.copy()
    keyed = tokens["token"] < PEDAL_DOWN
    keys = tokens["token"][keyed] % OFF
    if len(keys):
        low, high = max(-5, -int(keys.min())), min(6, OFF - 1 - int(keys.max()))
        tokens["token"][keyed] += np.uint8(rng.integers(low, high + 1) % 256)
    tokens["time"] *= rng.uniform(0.85, 1.15)
    strokes = tokens["token"] < OFF
    velocity = tokens["velocity"].astype(float)
    if not tune.real_velocity:
        velocity = rng.uniform(40, 90) + rng.normal(0, 6, len(tokens))
    velocity = np.clip(np.round(velocity * rng.uniform(0.8, 1.2)), 1, 127)
    tokens["velocity"] = np.where(strokes, velocity, 0)
    if not tune.expressive:
        tokens["time"] = np.maximum.accumulate(tokens["time"] + rng.normal(0, 0.008, len(tokens)))
    return tokens


def make_window(
    tune: Tune,
    styles: Sequence[str],
    length: int,
    rng: np.random.Generator,
    told: bool = True,
    others: Iterator[Tune] | None = None,
) -> dict[str, NDArray[Any]]:
    """One training window: FIELDS, each (length,) int64, but knobs (length, 5) float32, as `models.knobs` has it.

    counts: 1 where the step's gap and token are to be learnt, 2 where its token alone is (a turn's first
    event). velocity_counts: 1 where its velocity is. phrase_end: 1 if a phrase ends with it.
    told: whether the network is told anything of the partner's turns. others: what is played when the tune is
    over, as on an evening; without, the window is empty from there on.
    """
    rows: list[tuple[int, ...]] = []
    knobs: list[NDArray[np.float64]] = []
    turns = (
        turn
        for piece in chain([tune], others or ())
        for turn in _played(piece, styles, length, length - len(rows), rng, told)
    )
    for more, asked in turns:
        rows += more
        knobs.append(asked)
        if len(rows) >= length:
            break
    columns = np.zeros((length, len(COLUMNS)), np.int64)
    columns[:, 1] = PLAYER
    columns[: min(length, len(rows))] = np.array(rows[:length])
    told_of = np.full((length, len(NAMES)), UNSAID, np.float32)
    told_of[: min(length, len(rows))] = np.concatenate(knobs)[:length]
    return {**dict(zip(COLUMNS, columns.T, strict=True)), "knobs": told_of}


def _played(
    tune: Tune, styles: Sequence[str], length: int, left: int, rng: np.random.Generator, told: bool
) -> Iterator[tuple[list[tuple[int, ...]], NDArray[np.float64]]]:
    """The turns of a stretch of a tune that fills what is left of a window, or goes on to the tune's end.

    Each is its steps (COLUMNS), and what is asked at each of them.
    """
    start = int(rng.integers(0, max(1, len(tune.tokens) - length // 2)))
    strokes = np.flatnonzero(tune.tokens["token"][start:] < OFF)
    start += int(strokes[0]) if len(strokes) else 0
    tokens = vary(tune, tune.tokens[start : start + left + 32], rng)
    style = styles.index(tune.style) + 1 if tune.style in styles else 0
    draw = rng.random()
    labelled = {PLAYER: style if draw > 0.7 else 0, PARTNER: style if draw > 0.35 else 0}
    call: Turn | None = None
    for turn in turns_of(tokens, rng, ECHO if told else 0.0):
        said: dict[str, Any] = {"knobs": np.full(len(NAMES), UNSAID), "scale": 0}
        if told and turn.who == PARTNER:
            said = tell(*describe(turn, call, tune.real_velocity), turn, rng)
        call = turn
        here = list(_rows(turn, labelled[turn.who], tune.real_velocity, said["scale"]))
        begin, end = float(turn.tokens["time"][0]), float(turn.tokens["time"][-1])
        times = np.array([begin if time is None else time for time, _ in here])
        asked = np.tile(said["knobs"], (len(here), 1))
        asked[:, LEFT] = np.log2(asked[:, LEFT] * (end - times) + 0.125)
        yield [row for _, row in here], asked


def _rows(
    turn: Turn, style: int, real_velocity: bool, scale: int
) -> Iterator[tuple[float | None, tuple[int, ...]]]:
    """A turn's steps, its token first, and what lets everything go at its end: (seconds, COLUMNS)."""
    yield None, (0, turn.who, 0, style, 0, 0, 0, scale)
    held: set[int] = set()
    pedal = False
    metre = Metre()
    last_of_phrase = {int(begin) - 1 for begin in phrase_ends(turn.tokens)}
    if turn.ends:
        last_of_phrase.add(len(turn.tokens) - 1)
    time = 0.0
    for index, (time, token, velocity) in enumerate(turn.tokens.tolist()):
        if token < OFF:
            held.add(token)
        elif token < PEDAL_DOWN:
            if token - OFF not in held:
                continue
            held.remove(token - OFF)
        else:
            if pedal == (token == PEDAL_DOWN):
                continue
            pedal = token == PEDAL_DOWN
        counts = 2 if metre.now is None else 1
        learn_velocity = int(token < OFF and real_velocity)
        end = int(index in last_of_phrase)
        yield time, (metre.gap(time), token, velocity // 4, style, counts, learn_velocity, end, scale)
    if turn.ends:
        for key in sorted(held):
            yield time, (0, OFF + key, 0, style, 0, 0, 0, scale)
        if pedal:
            yield time, (0, PEDAL_UP, 0, style, 0, 0, 0, scale)


def make_batch(
    tunes: Sequence[Tune],
    weights: NDArray[np.float64],
    styles: Sequence[str],
    shape: tuple[int, int],
    rng: np.random.Generator,
    told: bool = True,
    filled: bool = False,
) -> dict[str, NDArray[Any]]:
    """FIELDS, each of the shape (windows, steps), knobs of (windows, steps, 5).

    filled: where a tune is over, another one goes on.
    """

    def drawn() -> Iterator[Tune]:
        while True:
            yield tunes[int(rng.choice(len(tunes), p=weights))]

    others = drawn() if filled else None
    chosen = rng.choice(len(tunes), shape[0], p=weights)
    windows = [make_window(tunes[index], styles, shape[1], rng, told, others) for index in chosen]
    return {field: np.stack([window[field] for window in windows]) for field in FIELDS}
