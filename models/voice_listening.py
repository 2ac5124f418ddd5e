"""Voices made to sing what is known beforehand, and the two bare things a voice is compared with.

The bare things: the source without the network, and the truth as the voice's own quantiser would have it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from duet.note import Event, Pedal, at
from duet.piece import Piece
from duet.roll import Grid, frames_of
from models.piano_ar_config import PianoArConfig, encode, values_of
from models.source import GROUPS, SourceState, sound_source
from models.voice_features import fold_all
from models.voice_metrics import RATE

GRID = Grid(RATE, 64)


class Script:
    """A timeline whose events are all known beforehand."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = list(events)
        self._next = 0

    def take(self, until: float) -> list[Event]:
        """Events due before `until`."""
        first = self._next
        while self._next < len(self._events) and self._events[self._next].time < until:
            self._next += 1
        return self._events[first : self._next]


def sing(voice: Any, events: Sequence[Event], seconds: float) -> NDArray[np.float32]:
    """Render events with a voice: (round(seconds * 32000), channels), resampled if the voice has another rate."""
    count = int(np.ceil(seconds * voice.sample_rate / voice.block_length))
    blocks = voice.render(Script(events))
    sound = np.concatenate([next(blocks) for _ in range(count)])
    if voice.sample_rate != RATE:
        sound = soxr.resample(sound, voice.sample_rate, RATE)
    return sound[: round(seconds * RATE)]


def passage(piece: Piece, seconds: float) -> list[Event]:
    """The passage a piece is judged on: from a quarter of it on, at time 0.5, the pedal as it stands."""
    start = piece.events[-1].time / 4 if piece.events[-1].time > 2 * seconds else 0.0
    pedal = [event for event in piece.events if event.time < start and isinstance(event, Pedal)][-1:]
    rest = [event for event in piece.events if start <= event.time < start + seconds - 0.5]
    return [at(event, max(event.time - start, 0.0) + 0.5) for event in (*pedal, *rest)]


def source_rows(engine: Any, events: Sequence[Event], seconds: float) -> NDArray[np.float32]:
    """What an engine's network hears of the source: (rows, steps)."""
    c = engine.config
    grid = Grid(c.sample_rate, c.hop_length)
    count = round(seconds * grid.frame_rate)
    out = np.empty((engine.tables.rows, count * engine.tables.steps), np.float32)
    rolls = fold_all(frames_of(events, grid, count))
    sound_source(engine.tables, SourceState.silent(engine.tables), *rolls, out)
    return out


def source_alone(engine: Any, events: Sequence[Event], seconds: float) -> NDArray[np.float32]:
    """The source without the network, in mono at 32 kHz: (T,)."""
    rows = source_rows(engine, events, seconds)
    summed = rows.reshape(GROUPS, -1, rows.shape[1]).sum(axis=0)
    if isinstance(engine.config, PianoArConfig):
        return soxr.resample(summed[0], engine.config.sample_rate, RATE)
    import torch

    from models.piano_voice import Joiner

    return Joiner(engine.config)(torch.from_numpy(summed)[None])[0].mean(dim=0).numpy()


def quantised(
    engine: Any, events: Sequence[Event], seconds: float, truth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The truth through the voice's own quantiser, mono at 32 kHz; the truth itself if it has none."""
    c = engine.config
    if not isinstance(c, PianoArConfig):
        return truth
    sound = soxr.resample(truth, RATE, c.sample_rate)
    beside = source_rows(engine, events, seconds).sum(axis=0) if c.codes_rest else np.zeros_like(sound)
    length = min(len(sound), len(beside))
    rest = (sound[:length] - beside[:length]) / c.reach
    coded = beside[:length] + values_of(c.levels)[encode(rest, c.levels)] * c.reach
    return soxr.resample(coded.astype(np.float32), c.sample_rate, RATE)
