"""The shape of notes in time: how fast they rise, how fast they die away, and whether a long run keeps its level."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn
from duet.piece import Piece
from models.fluidsynth import render_truth
from models.voice_listening import GRID, passage, sing
from models.voice_metrics import RATE, loudness_dbfs

REGISTERS = {"low": (28, 33, 38), "middle": (57, 60, 64), "high": (81, 86, 91)}
_APART, _HELD, _BEGIN = 3.0, 2.0, 0.1


def _level(audio: NDArray, window: float = 0.004) -> NDArray[np.float64]:
    """Amplitude, a value a millisecond."""
    length = round(window * RATE)
    power = np.convolve(audio.astype(np.float64) ** 2, np.ones(length) / length, "same")
    return np.sqrt(power[:: RATE // 1000])


def rise_ms(audio: NDArray, pitch: int) -> float:
    """Milliseconds from a tenth to nine tenths of the loudest of a note's first 100 ms. audio: from its onset on.

    Loudness is that of a whole period at least: in a shorter window a low note's own wave goes up and down by a third,
    and the loudest moment is whichever crest is a hair higher.
    """
    level = _level(audio[: RATE // 5], max(0.004, 2 ** ((69 - pitch) / 12) / 440))[:100]
    peak = level.max()
    return float(np.argmax(level >= 0.9 * peak) - np.argmax(level >= 0.1 * peak))


def decay_db(audio: NDArray) -> float:
    """Decibels a second that a held note falls by, between 0.15 and 1.8 s. audio: from its onset on."""
    level = 20 * np.log10(_level(audio, 0.05)[150:1800] + 1e-9)
    return float(-np.polyfit(np.arange(len(level)) / 1000, level, 1)[0])


def shapes_of_notes(voice: Any, soundfont: Path) -> dict[str, float]:
    """Per register, the voice's rise times and decays and the truth's: means over three held keys."""
    report = {}
    for register, pitches in REGISTERS.items():
        events: list[Event] = []
        for number, pitch in enumerate(pitches):
            start = _BEGIN + number * _APART
            events += [NoteOn(start, pitch, 90), NoteOff(start + _HELD, pitch)]
        seconds = _APART * len(pitches)
        sounds = {
            "": sing(voice, events, seconds).mean(axis=1),
            "truth_": render_truth(events, seconds, GRID, soundfont).mean(axis=0),
        }
        for whose, sound in sounds.items():
            notes = [sound[round((_BEGIN + number * _APART) * RATE) :] for number in range(len(pitches))]
            report[f"{whose}rise_{register}_ms"] = float(
                np.mean([rise_ms(note, pitch) for note, pitch in zip(notes, pitches, strict=True)])
            )
            report[f"{whose}decay_{register}_db_s"] = float(np.mean([decay_db(note) for note in notes]))
    return report


def drift(voice: Any, pieces: Sequence[Piece], soundfont: Path, seconds: float = 60.0) -> dict[str, float]:
    """One long free run: how its level moves against the truth's, in dB a minute, and its worst second in dB."""
    long = [piece for piece in pieces if piece.events[-1].time > seconds]
    if not long:
        return {}
    events = passage(long[0], seconds)
    made = sing(voice, events, seconds).mean(axis=1)
    truth = render_truth(events, seconds, GRID, soundfont).mean(axis=0)
    levels = [
        (loudness_dbfs(made[at:][:RATE]), loudness_dbfs(truth[at:][:RATE]))
        for at in range(0, len(truth), RATE)
    ]
    errors = np.array([(second, m - t) for second, (m, t) in enumerate(levels) if t > -60])
    slope = np.polyfit(errors[:, 0] / 60, errors[:, 1], 1)[0]
    return {
        "drift_db_a_minute": float(slope),
        "drift_worst_db": float(np.abs(errors[:, 1]).max()),
        "drift_seconds": seconds,
    }
