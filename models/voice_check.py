"""A free-running check in the midst of training: likelihoods and distances say little of what will be heard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from duet.errors import MissingExtra
from duet.note import notes_of
from duet.piece import Piece
from models.ensemble_checkpoint import EnsembleCheckpoint
from models.fluidsynth import render_truth
from models.instruments import INSTRUMENTS
from models.listen import onset_f1, transcribe
from models.piano_checkpoint import PianoCheckpoint
from models.piano_player import PianoVoice
from models.voice_listening import GRID, passage, sing
from models.voice_metrics import RATE, log_mel_rmse


class Check:
    """A held-out passage, and how near a voice comes to it."""

    def __init__(self, piece: Piece, soundfont: Path, seconds: float = 8.0) -> None:
        self._seconds = seconds
        self._events = passage(piece, seconds)
        self._truth = render_truth(self._events, seconds, GRID, soundfont).mean(axis=0)
        notes = notes_of(self._events, seconds)
        self._there = np.array([note.onset for note in notes]), np.array([note.pitch for note in notes])

    def scores(self, checkpoint: PianoCheckpoint) -> dict[str, float]:
        """Log-mel RMSE in dB; the onset F1 as a share of the truth's own, if the listener is installed."""
        made = sing(PianoVoice(checkpoint), self._events, self._seconds).mean(axis=1)
        scores = {"logmel_rmse_db": log_mel_rmse(made, self._truth)}
        try:
            heard = [onset_f1(self._there, transcribe(audio, RATE)) for audio in (made, self._truth)]
        except MissingExtra:
            return scores
        return scores | {"onset_f1_ratio": heard[0] / max(heard[1], 1e-9)}


class EnsembleCheck:
    """A held-out passage played by every voice of an ensemble."""

    def __init__(self, piece: Piece, soundfont: Path, voices: Sequence[str], seconds: float = 6.0) -> None:
        self._seconds = seconds
        self._events = passage(piece, seconds)
        self._truths = {}
        for name in voices:
            played = INSTRUMENTS[name]
            truth = render_truth(self._events, seconds, GRID, soundfont, played.gain, played.program)
            self._truths[name] = truth.mean(axis=0)

    def scores(self, checkpoint: EnsembleCheckpoint) -> dict[str, float]:
        """Log-mel RMSE in dB, each voice's and, first, their mean."""
        voice, errors = PianoVoice(checkpoint), {}
        for name, truth in self._truths.items():
            voice.blend(f"{name}:1")
            made = sing(voice, self._events, self._seconds).mean(axis=1)
            errors[f"{name}_logmel_rmse_db"] = log_mel_rmse(made, truth)
        return {"logmel_rmse_db": float(np.mean(list(errors.values()))), **errors}
