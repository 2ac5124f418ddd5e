"""The four polyphonic sets of Boulanger-Lewandowski, Bengio and Vincent (ICML 2012), and what is known of them.

A frame is an eighth note (JSB: a quarter) and says which of 88 keys sound; nothing says whether a key was
struck again. For comparison only: what learns from them is never shipped.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duet.errors import FileError

KEYS = 88
Frames = NDArray[np.uint8]
"""(T, keys) of 0 and 1."""

FILES = {
    "jsb": "jsb_chorales",
    "nottingham": "nottingham",
    "piano_midi": "piano_midi",
    "musedata": "musedata",
}
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, slots=True)
class Rolls:
    """One split of a set: all its pieces, one after another."""

    frames: Frames
    """(T, 88); column 0 is A0."""
    starts: NDArray[np.int64]
    """For each frame, where its piece begins. (T,)."""

    def pieces(self) -> list[Frames]:
        """The pieces apart."""
        return np.split(self.frames, np.flatnonzero(np.diff(self.starts)) + 1)


def rolls_of(pieces: list[Frames]) -> Rolls:
    """Pieces as one split."""
    lengths = np.array([len(piece) for piece in pieces])
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Rolls(np.concatenate(pieces).astype(np.uint8), starts)


def read_set(name: str, folder: Path) -> dict[str, Rolls]:
    """The splits of a set. Raises FileError."""
    path = folder / f"{FILES[name]}.npz"
    if not path.is_file():
        raise FileError(
            f"{path}: no such file; --data takes the folder with {', '.join(FILES.values())} (.npz)"
        )
    splits = {}
    with np.load(path) as file:
        for split in SPLITS:
            frames = np.unpackbits(file[f"{split}_roll"], axis=1)[:, :KEYS]
            ends = np.cumsum(file[f"{split}_len"])
            if ends[-1] != len(frames):
                raise FileError(
                    f"{path}: {len(frames)} frames of {split} where its pieces have {ends[-1]}; get it again"
                )
            splits[split] = rolls_of(np.split(frames, ends[:-1]))
    return splits


def nats_of_marginals(train: Frames, test: Frames) -> float:
    """Nats a frame of keys that know nothing but how often each sounds."""
    chance = (train.sum(0, dtype=np.int64) + 1) / (len(train) + 2)
    return float(-(test * np.log(chance) + (1 - test) * np.log1p(-chance)).sum(1).mean())


PUBLISHED: dict[str, tuple[str, float | None, float | None, float | None, float | None]] = {
    "RNN-NADE, 2012": ("joint", 5.56, 2.31, 7.05, 5.60),
    "RNN-NADE, run again by Coconet's authors, 2017": ("joint", 5.03, None, None, None),
    "RNN-RBM, 2012": ("joint", 6.27, 2.39, 7.09, 6.01),
    "RNN-DBN, 2014": ("joint", 5.68, 2.54, 7.15, 6.28),
    "TP-LSTM-NADE, median, 2017": ("joint, told the beat", 5.92, 1.64, 5.49, 4.34),
    "biaxial LSTM, median, 2017": ("joint, told the beat", 5.86, 1.62, 5.00, 4.41),
    "biaxial LSTM, best run, 2017": ("joint, told the beat", 5.05, 1.55, 4.90, 3.90),
    "GRU, 2014": ("factorised", 8.54, 3.23, 8.82, 5.99),
    "TCN, 2018": ("factorised", 8.10, 3.07, None, None),
    "R-Transformer, 2019": ("factorised", None, 2.37, None, None),
}
"""Nats a frame on the test splits as others published them (JSB, Nottingham, Piano-midi, MuseData).

Joint: the keys of a frame depend on each other; factorised: they do not, given the past, which alone costs
about 3 nats on JSB. RBM and DBN rows are estimates. "Told the beat": the input says where in the bar a frame
lies, and the data are not in C as ours are.
"""
TARGETS = {"jsb": 5.0, "nottingham": 2.3, "piano_midi": 7.0, "musedata": 5.6}
