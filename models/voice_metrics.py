"""Distances between two sounds of the same notes: spectra, harmony, loudness and timing.

Conventions: audio is mono, (T,), 32 kHz unless a rate is given, in [-1, 1]; decibels are relative to full scale
where they say dBFS. Comparisons are of sound as it is, without alignment: a voice that lags is charged for it.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

RATE = 32_000
MELS = 80
DEPTH = 80.0
"""Decibels below the truth's loudest band at which differences stop to count."""


def _spectrogram(audio: NDArray, window_length: int, hop_length: int) -> NDArray[np.float64]:
    """Power, (frames, window_length / 2 + 1)."""
    padded = np.pad(audio, (window_length // 2, window_length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop_length]
    return np.abs(np.fft.rfft(frames * np.hanning(window_length), axis=1)) ** 2


def mels(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """How high a frequency sounds (O'Shaughnessy 1987); of a number or an array."""
    return 2595 * np.log10(1 + hertz / 700)


def mel_filters(window_length: int, rate: int, bands: int) -> NDArray[np.float64]:
    """Triangles, evenly spaced in mel from 30 Hz to half the rate: (bins, bands)."""
    hertz = np.linspace(0, rate / 2, window_length // 2 + 1)
    mel = mels(hertz)
    edges = np.linspace(mels(30), mel[-1], bands + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (mel[:, None] - low) / (middle - low)
    falling = (high - mel[:, None]) / (high - middle)
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    return triangles / np.maximum(triangles.sum(axis=0), 1e-9)


def log_mel(audio: NDArray, rate: int = RATE) -> NDArray[np.float64]:
    """Decibels in 80 mel bands: (frames, MELS), a frame every 10 ms."""
    window = 2048 if rate > 16_000 else 1024
    power = _spectrogram(audio, window, rate // 100)
    return 10 * np.log10(power @ mel_filters(window, rate, MELS) + 1e-12)


def log_mel_rmse(made: NDArray, truth: NDArray, rate: int = RATE) -> float:
    """Root mean square difference of log-mel spectra in dB, both floored 80 dB under the truth's loudest."""
    m, t = log_mel(made, rate), log_mel(truth, rate)
    floor = t.max() - DEPTH
    return float(np.sqrt(np.mean((np.maximum(m, floor) - np.maximum(t, floor)) ** 2)))


def chroma_cosine(made: NDArray, truth: NDArray) -> float:
    """Mean cosine of the twelve pitch classes' magnitudes, over frames within 60 dB of the truth's loudest."""
    window = 4096
    hertz = np.linspace(0, RATE / 2, window // 2 + 1)
    heard = (hertz > 55) & (hertz < 5000)
    pitch_class = np.round(69 + 12 * np.log2(hertz[heard] / 440)).astype(int) % 12
    fold = np.eye(12)[pitch_class]
    m, t = (np.sqrt(_spectrogram(audio, window, 640)[:, heard]) @ fold for audio in (made, truth))
    loud = np.linalg.norm(t, axis=1)
    kept = loud > loud.max() * 1e-3
    cosine = (m * t).sum(axis=1) / (np.linalg.norm(m, axis=1) * loud + 1e-12)
    return float(cosine[kept].mean())


def onset_lags(made: NDArray, truth: NDArray, onsets: Iterable[float]) -> list[float]:
    """How many milliseconds later each onset comes than in the truth, by the rise of its loudness.

    The rises (differences of the log energy, a value a millisecond) are aligned within +-20 ms. Onsets within
    60 ms of another, and those that make no rise in the truth, are left out.
    """
    hop, window, reach = RATE // 1000, RATE // 250, 20
    rises = []
    for audio in (made, truth):
        energy = np.convolve(audio**2, np.ones(window) / window)[: len(audio)][::hop]
        rises.append(np.maximum(np.diff(10 * np.log10(energy + 1e-9)), 0))
    times = np.unique(np.round(np.array(sorted(onsets)), 3))
    alone = [t for t in times if np.sum(np.abs(times - t) < 0.06) == 1]
    lags = []
    for time in alone:
        at = int(time * 1000)
        if at < 30 or at + 60 > len(rises[1]):
            continue
        reference = rises[1][at - 5 : at + 30]
        if reference.max() < 3:
            continue
        scores = [rises[0][at - 5 + k : at + 30 + k] @ reference for k in range(-reach, reach + 1)]
        lags.append(float(np.argmax(scores) - reach))
    return lags


def loudness_dbfs(audio: NDArray) -> float:
    """Root mean square level, -160 at the least."""
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-16))


def energy_error_db(made: NDArray, truth: NDArray) -> float:
    """The largest difference of level in any whole second in which the truth is above -60 dBFS."""
    seconds = len(truth) // RATE
    pairs = [
        (loudness_dbfs(made[s * RATE :][:RATE]), loudness_dbfs(truth[s * RATE :][:RATE]))
        for s in range(seconds)
    ]
    return float(max((abs(m - t) for m, t in pairs if t > -60), default=0.0))


def spearman(a: NDArray, b: NDArray) -> float:
    """Rank correlation; ties share their mean rank."""

    def ranks(values: NDArray) -> NDArray:
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts + 1) / 2)[inverse]

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])
