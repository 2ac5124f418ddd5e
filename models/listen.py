"""The independent listener: Spotify's basic-pitch (Apache-2.0), which writes down the notes it hears.

A development extra. Its package asks for an old TensorFlow, but carries an ONNX model that needs none.
"""

import contextlib
import functools
import io
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from duet.errors import MissingExtra
from duet.note import Note

INSTALL = (
    "pip install --no-deps basic-pitch && pip install onnxruntime librosa mir_eval pretty_midi resampy "
    "'setuptools<80'"
)
TOLERANCE = 0.05
"""Seconds by which an onset may be off."""


def transcribe(audio: NDArray[np.float32], sample_rate: int) -> tuple[NDArray, NDArray]:
    """audio: (T,) mono -> onsets in seconds (N,), pitches (N,), in onset order. Raises MissingExtra."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            before = logging.root.level
            logging.root.setLevel(logging.ERROR)
            import basic_pitch
            from basic_pitch.inference import Model, predict

            logging.root.setLevel(before)
    except ImportError as error:
        raise MissingExtra(f"evaluation needs basic-pitch ({error}); install it with: {INSTALL}") from error
    weights = Path(basic_pitch.__file__).parent / "saved_models" / "icassp_2022" / "nmp.onnx"
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder, "sound.wav")
        soundfile.write(path, audio, sample_rate, subtype="FLOAT")
        _, _, heard = predict(path, _model(Model, weights))
    heard = sorted((start, pitch) for start, _, pitch, *_ in heard)
    return np.array([start for start, _ in heard]), np.array([pitch for _, pitch in heard], int)


@functools.cache
def _model(kind: Any, weights: Path) -> Any:
    """The listener, loaded once."""
    return kind(weights)


def struck(notes: Sequence[Note]) -> tuple[NDArray, NDArray]:
    """The onsets and pitches of notes, as `transcribe` has those it hears."""
    return np.array([note.onset for note in notes]), np.array([note.pitch for note in notes])


def onset_f1(truth: tuple[NDArray, NDArray], heard: tuple[NDArray, NDArray]) -> float:
    """F1 of onsets (and pitches) heard against those there are, as mir_eval matches them within 50 ms."""
    try:
        from mir_eval.transcription import precision_recall_f1_overlap
    except ImportError as error:
        raise MissingExtra(f"evaluation needs mir_eval; install it with: {INSTALL}") from error
    if not len(truth[0]) or not len(heard[0]):
        return 0.0
    intervals = [np.stack([onsets, onsets + 0.1], axis=1) for onsets, _ in (truth, heard)]
    hertz = [440 * 2 ** ((pitches - 69) / 12) for _, pitches in (truth, heard)]
    _, _, f1, _ = precision_recall_f1_overlap(
        intervals[0], hertz[0], intervals[1], hertz[1], onset_tolerance=TOLERANCE, offset_ratio=None
    )
    return float(f1)
