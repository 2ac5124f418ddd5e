"""The grids of `biaxial` as events, so that the neural partner's kind can be asked what `biaxial` is asked.

A grid and its events are one and the same: each grid has one sequence of events, each sequence that is allowed one
grid. Step by step the keys that go up come first, from the lowest, then the keys that are struck, from the lowest; a
key struck again while it sounds goes up first. A gap is a whole number of steps, 0 within a step. So onsets, what is
held and releases are all said, each once, as `biaxial` says them (`tests/test_grid_events.py`).
"""

import numpy as np
from numpy.typing import NDArray

from models.biaxial import Grid
from models.events import KEYS, OFF, PEDAL_DOWN

LONGEST = 127
"""The last gap bin: so many steps (15.9 s) or more."""
Events = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Gaps in steps, the first counted from step 0, and tokens, 0..87 down and 88..175 up."""


def events_of_grid(grid: Grid) -> Events:
    """The only allowed sequence of a grid, every key up before it. (T, 88, 2) -> two of (events,)."""
    sounds, struck = grid[..., 0].astype(bool), grid[..., 1].astype(bool)
    before = np.concatenate([np.zeros_like(sounds[:1]), sounds[:-1]])
    up = before & (~sounds | struck)
    step, down, key = np.nonzero(np.stack([up, sounds & struck], 1))
    return np.diff(step, prepend=0), np.where(down == 1, key, OFF + key)


def grid_of_events(gap: NDArray[np.int64], token: NDArray[np.int64], steps: int) -> Grid:
    """The only grid of so many steps that an allowed sequence says."""
    grid = np.zeros((steps, KEYS, 2), np.uint8)
    for step, event in zip(np.cumsum(gap).tolist(), token.tolist(), strict=True):
        grid[step:, event % OFF, 0] = event < OFF
        if event < OFF:
            grid[step, event, 1] = 1
    return grid


def out_of_turn(token: NDArray[np.int64]) -> NDArray[np.bool_]:
    """What may not follow each token within its step: (tokens,) -> (tokens, 178).

    After a key that goes up: a key at or below it that does; after a key that is struck: any that goes up, a
    key at or below it that is struck; the pedal never.
    """
    played = np.arange(PEDAL_DOWN + 2)
    up = (played >= OFF) & (played < PEDAL_DOWN)
    last = token[:, None]
    early = np.where(last < OFF, up | (played <= last), up & (played <= last))
    return (early & (last < PEDAL_DOWN)) | (played >= PEDAL_DOWN)
