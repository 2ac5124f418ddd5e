"""How far two sounds are apart for the ear: a multi-resolution comparison of their spectrograms.

As in Parallel WaveGAN (Yamamoto, Song and Kim 2020): spectral convergence plus the distance of log
magnitudes, over several window lengths, so that both attacks and partials count; phase does not. And, as in HiFi-GAN
(Kong, Kim and Bae 2020), the distance of mel spectra, for the lowest octaves are few of a window's bins.
"""

from functools import lru_cache

import torch
from torch import Tensor

from models.voice_metrics import mel_filters as filters_of

WINDOWS = (256, 512, 1024, 2048)
"""Samples; each moves on by a quarter of itself."""
FLOOR = 3e-5
"""Magnitude of a full-scale sine's share under which differences no longer count."""


MEL_WINDOW, MELS = 2048, 80
"""Samples in the mel spectra's window; their bands, up to half the sample rate."""
MEL_FLOOR = 1e-10
"""Power in a band, some 70 dB under the loudest, under which differences no longer count."""


def magnitudes(sound: Tensor, window_length: int) -> Tensor:
    """sound: (N, T) -> (N, window_length / 2 + 1, frames); a full-scale sine has magnitude 1."""
    window = torch.hann_window(window_length, device=sound.device)
    spectrum = torch.stft(
        sound, window_length, window_length // 4, window=window, center=False, return_complex=True
    )
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.sqrt(power + 1e-12) * (2 / window.sum())


@lru_cache
def mel_filters(rate: int, device: torch.device) -> Tensor:
    """(MEL_WINDOW / 2 + 1, MELS)."""
    return torch.from_numpy(filters_of(MEL_WINDOW, rate, MELS)).float().to(device)


def mel_distance(made: Tensor, truth: Tensor, rate: int) -> Tensor:
    """Root mean square difference of the logarithms of the bands' magnitudes. (N, T), (N, T) -> ()."""
    filters = mel_filters(rate, made.device)
    m, t = (magnitudes(x, MEL_WINDOW).square().transpose(1, 2) @ filters for x in (made, truth))
    difference = torch.log(m + MEL_FLOOR) - torch.log(t + MEL_FLOOR)
    return 0.5 * difference.norm() / difference.numel() ** 0.5


def spectral_distance(made: Tensor, truth: Tensor, rate: int) -> Tensor:
    """made, truth: (B, CHANNELS, T) in [-1, 1] -> a scalar, 0 where they sound the same. rate: samples a second."""
    made, truth = made.flatten(0, 1), truth.flatten(0, 1)
    total = made.new_zeros(())
    for window_length in WINDOWS:
        m, t = magnitudes(made, window_length), magnitudes(truth, window_length)
        convergence = (m - t).norm() / (t.norm() + 1e-3)
        logarithms = (torch.log(m + FLOOR) - torch.log(t + FLOOR)).abs().mean()
        total = total + convergence + logarithms
    return total / len(WINDOWS) + mel_distance(made, truth, rate)
