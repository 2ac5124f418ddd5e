"""A page of spectrograms, the model beside the truth: what the figures do not say."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from duet.errors import MissingExtra
from duet.piece import Piece
from models.fluidsynth import SOUNDFONT, render_truth
from models.instruments import INSTRUMENTS
from models.voice_listening import GRID, passage, sing
from models.voice_metrics import RATE


def spectrogram(audio: NDArray, window_length: int = 1024, hop_length: int = 128) -> NDArray[np.float64]:
    """audio: (T,) -> dBFS, (bins, frames)."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, window_length)[::hop_length]
    window = np.hanning(window_length)
    return 20 * np.log10(np.abs(np.fft.rfft(frames * window, axis=1)).T * 2 / window.sum() + 1e-6)


def draw_spectrograms(
    voice: Any,
    pieces: Iterable[Piece],
    path: Path,
    soundfont: Path = SOUNDFONT,
    seconds: float = 6.0,
    limit: int = 4,
) -> None:
    """Draw `limit` passages, a row each: the truth, the voice, and the first half second of both, closer.

    Raises MissingExtra if matplotlib is not installed.
    """
    pyplot = _pyplot()
    chosen = [piece for _, piece in zip(range(limit), pieces, strict=False)]
    figure, axes = pyplot.subplots(limit, 4, figsize=(22, 4.2 * limit), squeeze=False)
    for row, piece in zip(axes, chosen, strict=False):
        events = passage(piece, seconds)
        truth = render_truth(events, seconds, GRID, soundfont).mean(axis=0)
        made = sing(voice, events, seconds).mean(axis=1)
        close = slice(RATE // 4, RATE * 5 // 4)
        pictures = [
            ("FluidSynth", spectrogram(truth), seconds),
            ("voice", spectrogram(made), seconds),
            ("FluidSynth, closer", spectrogram(truth[close], 256, 16), 1.0),
            ("voice, closer", spectrogram(made[close], 256, 16), 1.0),
        ]
        for axis, (title, picture, length) in zip(row, pictures, strict=True):
            _show(axis, picture, length, f"{title}: {Path(piece.name).stem[:40]}")
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    pyplot.close(figure)
    _shrink(path)


def draw_ensemble(
    voice: Any, pieces: Iterable[Piece], path: Path, soundfont: Path = SOUNDFONT, seconds: float = 6.0
) -> None:
    """Draw one passage played by each voice of an ensemble, a row each: the truth, the voice.

    Raises MissingExtra if matplotlib is not installed.
    """
    pyplot = _pyplot()
    piece = next(piece for piece in pieces if piece.expressive and len(passage(piece, seconds)) > 20)
    events = passage(piece, seconds)
    names = voice.engine.voices
    figure, axes = pyplot.subplots(len(names), 2, figsize=(14, 3.2 * len(names)), squeeze=False)
    for row, name in zip(axes, names, strict=True):
        played = INSTRUMENTS[name]
        truth = render_truth(events, seconds, GRID, soundfont, played.gain, played.program).mean(axis=0)
        voice.blend(f"{name}:1")
        made = sing(voice, events, seconds).mean(axis=1)
        for axis, whose, sound in zip(row, ("FluidSynth", "voice"), (truth, made), strict=True):
            _show(axis, spectrogram(sound), seconds, f"{whose}: {name}")
    figure.tight_layout()
    figure.savefig(path, dpi=60)
    pyplot.close(figure)
    _shrink(path)


def _show(axis: Any, picture: NDArray[np.float64], seconds: float, title: str) -> None:
    extent = (0, seconds, 0, RATE / 2000)
    axis.imshow(picture, origin="lower", aspect="auto", extent=extent, vmin=-110, vmax=-20, cmap="magma")
    axis.set_title(title, fontsize=9)
    axis.set_xlabel("s", fontsize=8)
    axis.set_ylabel("kHz", fontsize=8)


def draw_speeds(report: dict[str, Any], path: Path, sample_rate: int = 16_000) -> None:
    """Draw how the autoregressive kernel's rate falls, from what `bench_voice` found of all voices.

    Raises MissingExtra if matplotlib is not installed.
    """
    pyplot = _pyplot()
    falls: dict[str, dict[str, float]] = report.get("ar_samples_per_second_by", {})
    figure, axes = pyplot.subplots(1, max(len(falls), 1), figsize=(12, 3.4), sharey=True, squeeze=False)
    for axis, (what, rates) in zip(axes[0], falls.items(), strict=False):
        axis.plot(list(rates), [rate / sample_rate for rate in rates.values()], marker="o")
        axis.axhline(1, color="grey", linewidth=1)
        axis.set_xlabel(what)
    axes[0][0].set_ylim(bottom=0)  # all share it, so only once all are drawn
    axes[0][0].set_ylabel("times real time, one core")
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    pyplot.close(figure)
    _shrink(path)


def _pyplot() -> Any:
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtra("drawing needs matplotlib; install it with: pip install matplotlib") from error
    return pyplot


def _shrink(path: Path) -> None:
    with Image.open(path) as page:
        small = page.convert("RGB").quantize(96)
    small.save(path, optimize=True)
