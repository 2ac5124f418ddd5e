"""Judge a voice free-running, on music it has not learned from, against FluidSynth and an independent listener.

Reference rows keep the figures honest: the truth itself, the truth through the model's own quantiser, the source
without the network, and the model fed another piece's notes.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from duet.note import Event, NoteOff, NoteOn, notes_of
from duet.piece import Piece
from models.fluidsynth import SOUNDFONT, render_truth
from models.listen import onset_f1, struck, transcribe
from models.voice_envelope import drift, shapes_of_notes
from models.voice_listening import GRID, passage, quantised, sing, source_alone
from models.voice_metrics import (
    RATE,
    chroma_cosine,
    energy_error_db,
    log_mel_rmse,
    loudness_dbfs,
    onset_lags,
    spearman,
)

logger = logging.getLogger(__name__)


def evaluate_voice(
    voice: Any,
    pieces: Iterable[Piece],
    soundfont: Path = SOUNDFONT,
    seconds: float = 25.0,
    limit: int = 10,
) -> dict[str, Any]:
    """Figures over `limit` pieces (means; medians of the onset error), and a row for each piece.

    Raises MissingExtra if the listener is not installed.
    """
    chosen: list[tuple[Piece, list[Event]]] = []
    for piece in pieces:
        if piece.expressive and piece.real_velocity and len(passage(piece, seconds)) > 40:
            chosen.append((piece, passage(piece, seconds)))
        if len(chosen) == limit:
            break
    made = [sing(voice, events, seconds).mean(axis=1) for _, events in chosen]
    truth = [render_truth(events, seconds, GRID, soundfont).mean(axis=0) for _, events in chosen]
    heard = [transcribe(audio, RATE) for audio in made]
    neural = hasattr(voice, "engine")
    rows = []
    for index, (piece, events) in enumerate(chosen):
        notes = notes_of(events, seconds)
        there = struck(notes)
        other = (index + 1) % len(chosen)
        lags = onset_lags(made[index], truth[index], there[0])
        coded = quantised(voice.engine, events, seconds, truth[index]) if neural else truth[index]
        bare = source_alone(voice.engine, events, seconds) if neural else made[index]
        low = [soxr.resample(a, RATE, 16_000) for a in (made[index], truth[index], coded, bare)]
        rows.append(
            {
                "piece": piece.name,
                "notes": len(notes),
                "onset_f1": onset_f1(there, heard[index]),
                "truth_onset_f1": onset_f1(there, transcribe(truth[index], RATE)),
                "shuffled_onset_f1": onset_f1(there, heard[other]),
                "onset_error_ms": float(np.median(np.abs(lags))) if lags else float("nan"),
                "chroma_cosine": chroma_cosine(made[index], truth[index]),
                "logmel_rmse_db": log_mel_rmse(made[index], truth[index]),
                "logmel_rmse_16k_db": log_mel_rmse(low[0], low[1], 16_000),
                "source_onset_f1": onset_f1(there, transcribe(bare, RATE)),
                "source_logmel_rmse_16k_db": log_mel_rmse(low[3], low[1], 16_000),
                "quantised_onset_f1": onset_f1(there, transcribe(coded, RATE)),
                "quantised_logmel_rmse_16k_db": log_mel_rmse(low[2], low[1], 16_000),
                "shuffled_logmel_rmse_db": log_mel_rmse(made[other], truth[index]),
                "energy_error_db": energy_error_db(made[index], truth[index]),
            }
        )
        logger.info("%s: onset F1 %.3f", piece.name, rows[-1]["onset_f1"])
    means = {
        name: float(np.nanmean([row[name] for row in rows])) for name in rows[0] if name not in {"piece"}
    }
    return {
        **means,
        "onset_f1_ratio": means["onset_f1"] / means["truth_onset_f1"],
        "onset_error_ms": float(np.nanmedian([row["onset_error_ms"] for row in rows])),
        "energy_error_db": max(row["energy_error_db"] for row in rows),
        "logmel_score": 1 - means["logmel_rmse_db"] / means["shuffled_logmel_rmse_db"],
        "velocity_spearman": velocity_response(voice),
        "silence_dbfs": silence(voice),
        **shapes_of_notes(voice, soundfont),
        **drift(voice, [piece for piece, _ in chosen], soundfont),
        "pieces": rows,
    }


def velocity_response(voice: Any, pitches: Sequence[int] = (30, 45, 60, 75, 90)) -> float:
    """Mean over keys of the rank correlation of velocity and loudness of the first quarter second."""
    velocities = np.arange(3, 128, 4)
    responses = []
    for pitch in pitches:
        events: list[Event] = []
        for number, velocity in enumerate(velocities):
            events += [NoteOn(number * 1.5, pitch, int(velocity)), NoteOff(number * 1.5 + 0.4, pitch)]
        sound = sing(voice, events, len(velocities) * 1.5).mean(axis=1)
        starts = [round(number * 1.5 * RATE) for number in range(len(velocities))]
        loudness = np.array([loudness_dbfs(sound[start : start + RATE // 4]) for start in starts])
        responses.append(spearman(velocities, loudness))
    return float(np.mean(responses))


def silence(voice: Any) -> float:
    """The level two seconds after a loud chord has been damped, in dBFS.

    A network is listened to with its gate open: what it makes of silence, not the zeros it is replaced by.
    """
    if hasattr(voice, "engine"):
        engine = voice.engine
        state, nothing = engine.silent_state(), np.zeros((engine.frames, 88), np.float32)
        blocks = []
        for number in range(round(3 * voice.sample_rate / engine.block_length)):
            onset, release = nothing.copy(), nothing.copy()
            onset[0, 30:60:4] = 0.9 if number == 0 else 0
            release[0, 30:60:4] = 1 if number == 20 else 0
            blocks.append(np.zeros((engine.block_length, voice.channels), np.float32))
            engine.sing(state, onset, release, nothing[:, 0], blocks[-1])
        return loudness_dbfs(np.concatenate(blocks)[-voice.sample_rate // 2 :])
    chord = [NoteOn(0.0, pitch, 114) for pitch in range(51, 81, 4)]
    events = [*chord, *(NoteOff(0.2, note.pitch) for note in chord)]
    return loudness_dbfs(sing(voice, events, 3.0)[-RATE // 2 :])
