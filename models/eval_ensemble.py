"""Judge the voices of an ensemble on music they have not learned from: and how far each of them is itself.

Every voice plays every passage, and so does FluidSynth with every instrument. Reference rows: the truth itself, the
source without the network, and the voice fed another passage. The confusion table asks of each rendering which
instrument's truth is nearest in timbre: mel cepstra without their first coefficient, which is loudness.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, NoteOff, NoteOn, notes_of
from duet.piece import Piece
from models.fluidsynth import SOUNDFONT, render_truth
from models.instruments import INSTRUMENTS
from models.listen import onset_f1, struck, transcribe
from models.voice_listening import GRID, passage, sing, source_alone
from models.voice_metrics import DEPTH, MELS, RATE, log_mel, log_mel_rmse, loudness_dbfs, spearman

logger = logging.getLogger(__name__)

CEPSTRA = 20
"""Coefficients of the mel cepstrum that are compared, the first left out."""
KEYS = (45, 60, 72)
"""Keys that are held and let go."""
VELOCITIES = range(15, 128, 16)
"""How hard they are struck to see how loud they get."""


def evaluate_ensemble(
    voice: Any,
    pieces: Iterable[Piece],
    soundfont: Path = SOUNDFONT,
    seconds: float = 15.0,
    limit: int = 4,
) -> dict[str, Any]:
    """Per voice, means over `limit` pieces; the confusion table; what becomes of held notes.

    Raises MissingExtra if the listener is not installed.
    """
    passages: list[list[Event]] = []
    for piece in pieces:
        events = passage(piece, seconds)
        if piece.expressive and piece.real_velocity and len(events) > 40:
            passages.append(events)
        if len(passages) == limit:
            break
    names = voice.engine.voices
    truths = {name: [truth_of(name, events, seconds, soundfont) for events in passages] for name in names}
    report: dict[str, Any] = {"pieces": len(passages), "seconds": seconds}
    distances = np.zeros((len(names), len(names)))
    nearest = np.zeros((len(names), len(names)), int)
    for index, name in enumerate(names):
        voice.blend(f"{name}:1")
        made = [sing(voice, events, seconds).mean(axis=1) for events in passages]
        report |= {
            f"{name}_{key}": value
            for key, value in _judge(voice, index, made, truths[name], passages).items()
        }
        for number, sound in enumerate(made):
            far = [timbre_distance(sound, truths[other][number]) for other in names]
            distances[index] += np.array(far) / len(made)
            nearest[index, int(np.argmin(far))] += 1
        notes = held_notes(voice, name, soundfont) | touch(voice, name, soundfont)
        report |= {f"{name}_{key}": value for key, value in notes.items()}
        logger.info("%s: log-mel RMSE %.2f dB", name, report[f"{name}_logmel_rmse_db"])
    report["nearest_timbre_right"] = float(np.trace(nearest) / nearest.sum())
    report["nearest_timbre"] = {
        name: dict(zip(names, row.tolist(), strict=True)) for name, row in zip(names, nearest, strict=True)
    }
    report["timbre_distance_db"] = {
        name: dict(zip(names, np.round(row, 2).tolist(), strict=True))
        for name, row in zip(names, distances, strict=True)
    }
    return report


def truth_of(name: str, events: list[Event], seconds: float, soundfont: Path) -> NDArray[np.float32]:
    """The passage as FluidSynth plays it with an instrument, mono."""
    instrument = INSTRUMENTS[name]
    return render_truth(events, seconds, GRID, soundfont, instrument.gain, instrument.program).mean(axis=0)


def _judge(
    voice: Any, index: int, made: list[NDArray], truths: list[NDArray], passages: list[list[Event]]
) -> dict[str, float]:
    """Means over the passages of one voice's figures, and how far passages lie from them (standard deviations)."""
    seconds = len(truths[0]) / RATE
    of_voice = SimpleNamespace(config=voice.engine.config, tables=voice.engine.tables[index])
    rows = []
    for number, (sound, truth, events) in enumerate(zip(made, truths, passages, strict=True)):
        there = struck(notes_of(events, seconds))
        other = made[(number + 1) % len(made)]
        rows.append(
            (
                onset_f1(there, transcribe(sound, RATE)),
                onset_f1(there, transcribe(truth, RATE)),
                log_mel_rmse(sound, truth),
                log_mel_rmse(source_alone(of_voice, events, seconds), truth),
                log_mel_rmse(other, truth),
                loudness_dbfs(sound) - loudness_dbfs(truth),
            )
        )
    f1, truth_f1, error, bare, shuffled, louder = np.mean(rows, axis=0).tolist()
    spread = np.std(rows, axis=0, ddof=1) if len(rows) > 1 else np.zeros(len(rows[0]))
    return {
        "onset_f1": f1,
        "onset_f1_spread": float(spread[0]),
        "logmel_rmse_db_spread": float(spread[2]),
        "truth_onset_f1": truth_f1,
        "onset_f1_ratio": f1 / max(truth_f1, 1e-9),
        "logmel_rmse_db": error,
        "source_logmel_rmse_db": bare,
        "shuffled_logmel_rmse_db": shuffled,
        "logmel_score": 1 - error / shuffled,
        "louder_db": louder,
    }


def timbre_distance(made: NDArray, truth: NDArray) -> float:
    """Root mean square distance of mel cepstra in dB, over frames within 50 dB of the truth's loudest."""
    size = min(len(made), len(truth))
    m, t = log_mel(made[:size]), log_mel(truth[:size])
    m, t = (np.maximum(mel, mel.max() - DEPTH) for mel in (m, t))
    loud = t.max(axis=1) > t.max() - 50
    band, order = np.arange(MELS), np.arange(1, CEPSTRA + 1)
    cosines = np.cos(np.pi * (band[:, None] + 0.5) * order / MELS) * np.sqrt(2 / MELS)
    return float(np.sqrt(np.mean(np.sum(((m - t)[loud] @ cosines) ** 2, axis=1)) / MELS))


def held_notes(voice: Any, name: str, soundfont: Path) -> dict[str, float]:
    """What a note has lost between 1 and 8 s in dB, and how long it takes to fall by 40 dB when let go at 1 s.

    Means over keys, of the voice and of the truth.
    """
    held, freed = (
        [[NoteOn(0.1, key, 90)] for key in KEYS],
        [[NoteOn(0.1, key, 90), NoteOff(1.1, key)] for key in KEYS],
    )
    report = {}
    for whose in ("", "truth_"):

        def sound(events: list[Event], seconds: float, whose: str = whose) -> NDArray:
            if whose:
                return truth_of(name, events, seconds, soundfont)
            return sing(voice, events, seconds).mean(axis=1)

        longs = [sound(events, 8.8) for events in held]
        lost = [_level(long, 1.1, 1.6) - _level(long, 8.1, 8.6) for long in longs]
        report[f"{whose}lost_in_7_s_db"] = float(np.mean(lost))
        report[f"{whose}release_s"] = float(np.mean([_release(sound(events, 4.0)) for events in freed]))
    return report


def touch(voice: Any, name: str, soundfont: Path) -> dict[str, float]:
    """How loudness follows velocity, means over keys: its rank correlation, and from the softest to the hardest in dB.

    Of the first quarter second of notes at `VELOCITIES`, of the voice and of the truth.
    """
    ranks, spans, truth_spans = [], [], []
    seconds = 1.5 * len(VELOCITIES)
    for key in KEYS:
        events: list[Event] = []
        for number, velocity in enumerate(VELOCITIES):
            events += [NoteOn(1.5 * number, key, velocity), NoteOff(1.5 * number + 0.4, key)]
        sounds = sing(voice, events, seconds).mean(axis=1), truth_of(name, events, seconds, soundfont)
        made, true = (
            np.array([_level(sound, 1.5 * number, 1.5 * number + 0.25) for number in range(len(VELOCITIES))])
            for sound in sounds
        )
        ranks.append(spearman(np.array(VELOCITIES), made))
        spans.append(made[-1] - made[0])
        truth_spans.append(true[-1] - true[0])
    return {
        "velocity_spearman": float(np.mean(ranks)),
        "velocity_span_db": float(np.mean(spans)),
        "truth_velocity_span_db": float(np.mean(truth_spans)),
    }


def _level(audio: NDArray, begin: float, end: float) -> float:
    return loudness_dbfs(audio[round(begin * RATE) : round(end * RATE)])


def _release(audio: NDArray, freed: float = 1.1, fall: float = 40.0) -> float:
    """Seconds from a key's release until the sound has fallen by `fall` dB."""
    before = _level(audio, freed - 0.1, freed)
    times = np.arange(freed, len(audio) / RATE - 0.02, 0.01)
    quiet = [time for time in times if _level(audio, time, time + 0.02) < before - fall]
    return float((quiet[0] if quiet else times[-1]) - freed)
