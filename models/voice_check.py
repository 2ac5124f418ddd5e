"""A free-running check in the midst of training: likelihoods and distances say little of what will be heard."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duet.errors import MissingExtra
from duet.note import Event, notes_of
from duet.piece import Piece
from models.ensemble_checkpoint import EnsembleCheckpoint
from models.eval_ensemble import truth_of
from models.fluidsynth import render_truth
from models.listen import onset_f1, transcribe
from models.piano_checkpoint import PianoCheckpoint
from models.piano_player import PianoVoice
from models.voice_listening import GRID, passage, sing
from models.voice_metrics import RATE, log_mel_rmse


class Check:
    """Held-out passages, and how near a voice comes to them."""

    def __init__(self, pieces: Sequence[Piece], soundfont: Path, seconds: float = 8.0) -> None:
        self._seconds = seconds
        self._passages = [passage(piece, seconds) for piece in pieces]
        self._truths = [
            render_truth(events, seconds, GRID, soundfont).mean(axis=0) for events in self._passages
        ]

    def scores(self, checkpoint: PianoCheckpoint) -> dict[str, float]:
        """Means: log-mel RMSE in dB; the onset F1 as a share of the truth's own, if the listener is installed."""
        voice = PianoVoice(checkpoint)
        made = [sing(voice, events, self._seconds).mean(axis=1) for events in self._passages]
        far = [log_mel_rmse(*pair) for pair in zip(made, self._truths, strict=True)]
        scores = {"logmel_rmse_db": float(np.mean(far))}
        try:
            shares = self._heard(made) / np.maximum(self._own, 1e-9)
        except MissingExtra:
            return scores
        return scores | {"onset_f1_ratio": float(shares.mean())}

    @cached_property
    def _own(self) -> NDArray[np.float64]:
        """The truths' own onset F1."""
        return self._heard(self._truths)

    def _heard(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """The onset F1 of the passages as they sound."""
        return np.array([self._f1(*pair) for pair in zip(self._passages, sounds, strict=True)])

    def _f1(self, events: Sequence[Event], sound: NDArray[np.float32]) -> float:
        notes = notes_of(events, self._seconds)
        there = np.array([note.onset for note in notes]), np.array([note.pitch for note in notes])
        return onset_f1(there, transcribe(sound, RATE))


class EnsembleCheck:
    """Held-out passages played by every voice of an ensemble."""

    def __init__(
        self, pieces: Sequence[Piece], soundfont: Path, voices: Sequence[str], seconds: float = 6.0
    ) -> None:
        self._seconds = seconds
        self._passages = [passage(piece, seconds) for piece in pieces]
        self._truths = {
            name: [truth_of(name, e, seconds, soundfont) for e in self._passages] for name in voices
        }

    def scores(self, checkpoint: EnsembleCheckpoint) -> dict[str, float]:
        """Log-mel RMSE in dB, each voice's and, first, their mean."""
        voice, errors = PianoVoice(checkpoint), {}
        for name, truths in self._truths.items():
            voice.blend(f"{name}:1")
            made = [sing(voice, events, self._seconds).mean(axis=1) for events in self._passages]
            far = [log_mel_rmse(*pair) for pair in zip(made, truths, strict=True)]
            errors[f"{name}_logmel_rmse_db"] = float(np.mean(far))
        return {"logmel_rmse_db": float(np.mean(list(errors.values()))), **errors}
