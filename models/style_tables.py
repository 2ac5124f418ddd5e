"""How the playing of each style differs from the others' in small ways that can be leant to, step by step.

A label is an input that the network has learnt little from. So what can be counted is counted: for each style,
on the train split, how long steps wait, how far a key is from the last, how high it is, how many keys are down
when one is struck, how long keys are held, how much the pedal moves. Each table is the log of a style's share
over the mean of all styles' shares; leaning the odds by them is a product of experts (Hinton 2002) of the network
and a naive listener.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor

from models.events import GAPS, KEYS, OFF, PEDAL_DOWN
from models.partner import Hands
from models.partner_data import Tune

WAITS = 0.02 * 2.0 ** (np.arange(16) / 2)
"""Edges of the classes of waits and of how long a key is held, in seconds."""
SIZES = {"wait": 17, "leap": 51, "height": 30, "down": 8, "held": 17, "kind": 4}
"""Classes: of gaps; of semitones from the last key, -25 .. 25; of pitch, three semitones each; of keys down at a
stroke, 0 .. 7; of how long a key was held; a stroke, a release, the pedal down, the pedal up."""
DOUBT = 200.0
"""Events as in all styles together that every style is given beside its own."""
MOST = 60_000
"""Events of one style that are counted, its pieces all having the same share."""
GAP_CLASS = torch.from_numpy(np.digitize(GAPS, WAITS))
HEIGHTS = torch.arange(KEYS) // 3


class StyleTable(NamedTuple):
    """The leans to one style, by the names of SIZES; each (classes,) on the log odds."""

    wait: Tensor
    leap: Tensor
    height: Tensor
    down: Tensor
    held: Tensor
    kind: Tensor

    def on_gaps(self) -> Tensor:
        """Of each gap, (128,)."""
        return self.wait[GAP_CLASS]

    def on_tokens(self, hands: Hands, gap: int) -> Tensor:
        """Of each token. hands: before the step; gap: its bin -> (178,)."""
        keys = torch.arange(KEYS)
        leap = (keys - hands.last[0, 0]).clamp(-25, 25) + 25
        down = hands.held[0, 0].sum().clamp(max=7)
        strokes = self.leap[leap] + self.height[HEIGHTS] + self.down[down] + self.kind[0]
        age = torch.bucketize(hands.age[0, 0] + float(GAPS[gap]), torch.from_numpy(WAITS).float(), right=True)
        return torch.cat([strokes, self.held[age] + self.kind[1], self.kind[2:]])


def count(tokens: NDArray[np.void]) -> dict[str, NDArray[np.int64]]:
    """How often each class occurs in a stretch of tokens, by the names of SIZES."""
    token, time = tokens["token"].astype(np.int64), tokens["time"]
    strikes, releases = token < OFF, (token >= OFF) & (token < PEDAL_DOWN)
    keys = token[strikes]
    down = np.cumsum(strikes.astype(int) - releases.astype(int)) - strikes
    lengths = []
    since: dict[int, float] = {}
    for key, moment in zip(
        token[strikes | releases].tolist(), time[strikes | releases].tolist(), strict=True
    ):
        if key < OFF:
            since[key] = moment
        elif key - OFF in since:
            lengths.append(moment - since.pop(key - OFF))
    found = {
        "wait": np.digitize(np.diff(time), WAITS),
        "leap": np.diff(keys).clip(-25, 25) + 25,
        "height": keys // 3,
        "down": down[strikes].clip(0, 7),
        "held": np.digitize(lengths, WAITS),
        "kind": np.where(strikes, 0, np.where(releases, 1, token - PEDAL_DOWN + 2)),
    }
    return {name: np.bincount(values, minlength=SIZES[name]) for name, values in found.items()}


def make_tables(tunes: Sequence[Tune], styles: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """The tables of all styles, each (styles, classes), from pieces of known style.

    Composers are known by performances only; of jazz there is nothing but solos and lead sheets.
    """
    counts = {name: np.zeros((len(styles), size)) for name, size in SIZES.items()}
    for number, style in enumerate(styles):
        own = [tune for tune in tunes if tune.style == style and (tune.expressive or style == "jazz")]
        for tune in own:
            length = max(64, MOST // len(own))
            start = max(0, (len(tune.tokens) - length) // 2)
            for name, found in count(tune.tokens[start : start + length]).items():
                counts[name][number] += found
    tables = {}
    for name, table in counts.items():
        shares = table / table.sum(1, keepdims=True).clip(min=1)
        mean = shares.mean(0) + 1e-6
        known = table.sum(1, keepdims=True)
        shares = (shares * known + mean * DOUBT) / (known + DOUBT)
        tables[name] = np.log(shares / mean).clip(-4, 4).astype(np.float32)
    return tables


def save_tables(tables: dict[str, NDArray[np.float32]], styles: Sequence[str], path: Path) -> None:
    """Write them, with the styles' names."""
    save_file(tables, path, {"kind": "styles", "styles": " ".join(styles)})


def load_tables(path: Path, styles: Sequence[str]) -> dict[str, StyleTable]:
    """The tables by style; none if the file is not there or tells of other styles."""
    from safetensors import safe_open

    if not path.exists():
        return {}
    with safe_open(path, "np") as file:
        if (file.metadata() or {}).get("styles", "").split() != list(styles):
            return {}
    tables = load_file(path)
    return {
        style: StyleTable(**{name: torch.from_numpy(tables[name][number]) for name in SIZES})
        for number, style in enumerate(styles)
    }
