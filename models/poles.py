"""Decaying sinusoids in sound: where they are (matrix pencil, Hua and Sarkar 1990), and how loud (least squares)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bands:
    """The poles of narrow bands of one spectrum."""

    spectrum: NDArray[np.complex128]
    bin_hz: float

    def poles(
        self, centre: float, width: float, count: int, begin: float, seconds: float
    ) -> NDArray[np.complex128]:
        """Up to `count` exponents a second within 0.65 width of `centre`, from `seconds` of the band.

        centre, width: Hz.  begin: seconds to leave out, where the band's filter rings.
        """
        size = 1 << int(np.ceil(np.log2(3 * width / self.bin_hz)))
        middle = round(centre / self.bin_hz)
        offset = np.arange(-size // 2, size // 2)
        taper = np.sin(
            np.clip((1.25 * width - np.abs(offset * self.bin_hz)) / (0.5 * width), 0, 1) * np.pi / 2
        )
        inside = (middle + offset > 0) & (middle + offset < len(self.spectrum))
        picked = self.spectrum[np.clip(middle + offset, 0, len(self.spectrum) - 1)]
        signal = np.fft.ifft(np.fft.ifftshift(np.where(inside, picked, 0) * taper**2))
        rate = size * self.bin_hz
        first = int(np.ceil(begin * rate))
        signal = signal[first : first + int(min(max(seconds * rate, 30), 600))]
        lags = min(len(signal) // 3, 120)
        rows = np.lib.stride_tricks.sliding_window_view(signal, lags)
        _, vectors = np.linalg.eigh(rows.conj().T @ rows)
        space = vectors[:, ::-1][:, :count].conj()
        turns = np.linalg.eigvals(np.linalg.lstsq(space[:-1], space[1:], rcond=None)[0])
        exponent = np.log(turns) * rate
        near = np.abs(exponent.imag) < 2 * np.pi * 0.65 * width
        return exponent[near] + 2j * np.pi * middle * self.bin_hz


def amplitudes_of(
    audio: NDArray[np.float64],
    exponent: NDArray[np.complex128],
    rate: int,
    seconds: float = 4.0,
    fading: float = 0.5,
    ridge: float = 1e-6,
) -> NDArray[np.complex128]:
    """Least squares over the first `seconds`, the error weighted by exp(-fading t): (2, P).

    The Gram matrix of exponentials is a geometric sum, so nothing of the signal's length is ever formed.
    """
    block = 512
    blocks = int(seconds * rate) // block
    length = blocks * block
    time = np.arange(length) / rate
    weighted = (audio[:, :length] * np.exp(-2 * fading * time)).reshape(-1, blocks, block)
    turn = exponent / rate
    inner = np.exp(turn.conj()[:, None] * np.arange(block))
    outer = np.exp(turn.conj()[:, None] * block * np.arange(blocks))
    product = np.einsum("pb,pn,cbn->pc", outer, inner, weighted, optimize=True)
    both = np.concatenate([turn, turn.conj()])
    product = np.concatenate([product, product.conj()])
    ratio = both.conj()[:, None] + both[None, :] - 2 * fading / rate
    gram = np.expm1(ratio * length) / np.expm1(ratio)
    norm = np.sqrt(np.real(np.diag(gram)))
    gram = gram / norm[:, None] / norm[None, :] + ridge * np.eye(len(both))
    solution = np.linalg.solve(gram, product / norm[:, None]) / norm[:, None]
    return 2 * solution[: len(exponent)].T
