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
from models.listen import onset_f1, struck, transcribe
from models.piano_checkpoint import PianoCheckpoint
from models.piano_player import PianoVoice
from models.voice_listening import passage, sing
from models.voice_metrics import RATE, log_mel_rmse


class Passages:
    """Held-out passages as an instrument of the SoundFont plays them, mono, and as a voice sings them."""

    def __init__(self, instrument: str, pieces: Sequence[Piece], soundfont: Path, seconds: float) -> None:
        """instrument: of `INSTRUMENTS`."""
        self.seconds = seconds
        self.events = [passage(piece, seconds) for piece in pieces]
        self.truths = [truth_of(instrument, events, seconds, soundfont) for events in self.events]

    def sung(self, voice: PianoVoice) -> list[NDArray[np.float32]]:
        """The passages by a voice."""
        return [sing(voice, events, self.seconds).mean(axis=1) for events in self.events]

    def distance(self, made: Sequence[NDArray[np.float32]]) -> float:
        """The mean log-mel RMSE in dB of what `sung` made."""
        return float(np.mean([log_mel_rmse(*pair) for pair in zip(made, self.truths, strict=True)]))

    def heard(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """The onset F1 of each passage as it sounds. Raises MissingExtra without the listener."""
        return np.array([self._f1(*pair) for pair in zip(self.events, sounds, strict=True)])

    def _f1(self, events: Sequence[Event], sound: NDArray[np.float32]) -> float:
        return onset_f1(struck(notes_of(events, self.seconds)), transcribe(sound, RATE))


class Check:
    """How near a piano comes to held-out passages."""

    def __init__(self, pieces: Sequence[Piece], soundfont: Path, seconds: float = 8.0) -> None:
        self._passages = Passages("piano", pieces, soundfont, seconds)

    def scores(self, checkpoint: PianoCheckpoint) -> dict[str, float]:
        """Means: log-mel RMSE in dB; the onset F1 as a share of the truth's own, if the listener is installed."""
        made = self._passages.sung(PianoVoice(checkpoint))
        scores = {"logmel_rmse_db": self._passages.distance(made)}
        try:
            shares = self._passages.heard(made) / np.maximum(self._own, 1e-9)
        except MissingExtra:
            return scores
        return scores | {"onset_f1_ratio": float(shares.mean())}

    @cached_property
    def _own(self) -> NDArray[np.float64]:
        """The truths' own onset F1."""
        return self._passages.heard(self._passages.truths)


class EnsembleCheck:
    """How near every voice of an ensemble comes to held-out passages."""

    def __init__(
        self, pieces: Sequence[Piece], soundfont: Path, voices: Sequence[str], seconds: float = 6.0
    ) -> None:
        self._passages = {name: Passages(name, pieces, soundfont, seconds) for name in voices}

    def scores(self, checkpoint: EnsembleCheckpoint) -> dict[str, float]:
        """Log-mel RMSE in dB, each voice's and, first, their mean."""
        voice, errors = PianoVoice(checkpoint), {}
        for name, passages in self._passages.items():
            voice.blend(f"{name}:1")
            errors[f"{name}_logmel_rmse_db"] = passages.distance(passages.sung(voice))
        return {"logmel_rmse_db": float(np.mean(list(errors.values()))), **errors}
