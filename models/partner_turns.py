"""The turns in a training window: where a piece changes hands, echoes, and what each turn is like.

A piece is handed over where a phrase ends. Sometimes the partner says the player's phrase again, varied: no
piece does that often enough to teach what closeness is. What a turn is like (its density, loudness, ...) is
measured on its strokes and told to the network, each number with a chance of a half and a little blurred.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.scale import key_of_pitches, pitch_classes
from models.events import OFF, PARTNER, PEDAL_DOWN, PLAYER
from models.knobs import NAMES, UNSAID
from models.partner_overlap import closeness, closeness_knob

Tokens = NDArray[np.void]
FEWEST = 6
"""Strokes that a turn must have for its numbers to mean something."""
SAID = 0.5
"""How likely each number is told, if any is."""
ECHO = 0.35
"""Share of the windows with two turns or more in which the partner echoes; where it often comes to its turn it goes on
echoing as likely."""
OFTEN = 512
"""Steps in which a talk changes hands some one and a half times."""
TALK = 0.6
"""Share of the longer stretches that are a talk all through, as live; in the others it changes hands a few times."""
IN_SCALE = 0.93
"""Share of a turn's strokes in the key it fits best for that key to be told."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of tokens in one hand."""

    who: int
    """PLAYER or PARTNER."""
    tokens: Tokens
    ends: bool
    """It ends where a phrase does, rather than where the window does."""
    echo: bool = False


def phrase_ends(tokens: Tokens) -> NDArray[np.int64]:
    """Indices of the key strokes that begin a phrase: they come half a second and three usual gaps late."""
    strokes = np.flatnonzero(tokens["token"] < OFF)
    gaps = np.diff(tokens["time"][strokes])
    between = gaps[gaps > 0.03]
    if not len(between):
        return np.zeros(0, np.int64)
    return strokes[1:][gaps >= max(0.5, 3 * float(np.median(between)))]


def turns_of(tokens: Tokens, rng: np.random.Generator, echo: float = ECHO) -> list[Turn]:
    """Hand a stretch over at some of its phrase ends: long ones either as often as short ones, or throughout."""
    begins = phrase_ends(tokens)
    stretches = 1 + (len(tokens) // OFTEN if rng.random() < TALK else 0)
    number = int(rng.choice(5, stretches, p=[0.15, 0.3, 0.28, 0.17, 0.1]).sum())
    cuts = np.sort(rng.permutation(begins)[:number])
    who = int(rng.choice([PLAYER, PARTNER]))
    parts = np.split(tokens, cuts)
    echoes = len(parts) > 1 and rng.random() < echo
    again = echo if stretches > 1 else 0.0
    turns: list[Turn] = []
    for place, part in enumerate(parts):
        turns.append(Turn(who, part, place < len(parts) - 1))
        if echoes and who == PLAYER and turns[-1].ends and 3 <= np.sum(part["token"] < OFF) <= 110:
            turns.append(Turn(PARTNER, echo_of(part, rng), True, echo=True))
            echoes = rng.random() < again
        else:
            who = PLAYER + PARTNER - who
    return turns


def echo_of(tokens: Tokens, rng: np.random.Generator) -> Tokens:
    """A phrase said again: perhaps an octave away, softer or louder, its timing and some notes changed."""
    tokens = tokens.copy()
    keyed = tokens["token"] < PEDAL_DOWN
    keys = tokens["token"][keyed].astype(int)
    move = int(rng.choice([0, 0, 0, 12, -12]))
    if len(keys) and (keys % OFF + move).min() >= 0 and (keys % OFF + move).max() < OFF:
        tokens["token"][keyed] = keys + move
    dropped = rng.choice(OFF, int(rng.integers(0, 3)), replace=False)
    gone = keyed & np.isin(tokens["token"] % OFF, dropped) & (rng.random() < 0.5)
    if not gone[keyed].all():
        tokens = tokens[~gone]
    tokens["time"] = np.maximum.accumulate(tokens["time"] + rng.normal(0, 0.006, len(tokens)))
    louder = np.clip(np.round(tokens["velocity"] * rng.uniform(0.85, 1.1)), 1, 127)
    tokens["velocity"] = np.where(tokens["token"] < OFF, louder, 0)
    return tokens


def describe(turn: Turn, call: Turn | None, real_velocity: bool) -> tuple[dict[str, float], int]:
    """What a turn is like: its numbers in the network's units, and its scale's bits (0 if it has none)."""
    strokes = turn.tokens[turn.tokens["token"] < OFF]
    if len(strokes) < FEWEST:
        return {}, 0
    length = float(turn.tokens["time"][-1] - strokes["time"][0])
    pitches = strokes["token"].astype(int) + 21
    found = {
        "density": float(np.log2(len(strokes) / max(length, 0.5))),
        "register": float(pitches.mean()),
    }
    if real_velocity:
        found["loudness"] = float(strokes["velocity"].mean())
    if call is not None:
        before = call.tokens[call.tokens["token"] < OFF]
        if len(before) >= FEWEST:
            alike = closeness(before["token"], before["time"], strokes["token"], strokes["time"])
            found["closeness"] = closeness_knob(alike)
    scale = pitch_classes(key_of_pitches(pitches.tolist()))
    bits = sum(1 << pitch for pitch in scale) if len(scale) < 12 else 0
    inside = np.isin(pitches % 12, list(scale)).mean()
    return found, bits if inside >= IN_SCALE else 0


BLUR = {"density": 0.1, "loudness": 2.0, "register": 1.0, "closeness": 0.03}


def tell(found: dict[str, float], scale: int, turn: Turn, rng: np.random.Generator) -> dict[str, Any]:
    """What of it the network is told: {"knobs": (5,) with `left` as a factor, "scale": int}."""
    knobs = np.full(len(NAMES), UNSAID)
    quiet = rng.random() < 0.2
    for name, value in found.items():
        if (rng.random() < SAID and not quiet) or (turn.echo and name == "closeness"):
            knobs[NAMES.index(name)] = value + rng.normal(0, BLUR[name])
    if turn.ends and rng.random() < 0.75 and not quiet:
        knobs[NAMES.index("left")] = rng.uniform(0.87, 1.15)
    return {"knobs": knobs, "scale": scale if rng.random() < SAID and not quiet else 0}
