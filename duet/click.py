"""The metronome's click, mixed into what the device plays: a barge-in cuts the answer and never the beat."""

import math
from collections import deque

import numpy as np

from duet.ports import Block

LENGTH = 0.03
"""Seconds a click lasts."""
LOUD = 0.25
"""Its peak."""
HERTZ = (1000.0, 1500.0)
"""A beat's pitch, and a bar's first."""
DRIFT = 0.02
"""Of the difference between the device's clock and ours that each callback makes up for."""


class Clicks:
    """Clicks for a stream of that rate; made on the loop (`add`), taken in the audio callback (`mix_into`)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        time = np.arange(round(LENGTH * rate), dtype=np.float32) / rate
        envelope = LOUD * np.exp(-time / (LENGTH / 5)) * np.minimum(1, time * 2000)
        self._sounds = tuple(
            (envelope * np.sin(2 * math.pi * hertz * time)).astype(np.float32) for hertz in HERTZ
        )
        self._waiting: deque[tuple[float, bool]] = deque(maxlen=64)
        self._tail: Block = np.zeros((0, 1), np.float32)
        self._start = 0.0

    def add(self, time: float, accent: bool) -> None:
        """Click at that time (session clock); in time order."""
        self._waiting.append((time, accent))

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def mix_into(self, out: Block, now: float) -> None:
        """Add what falls into `out`, (length, channels), whose first sample sounds at `now`."""
        length = len(out)
        expected = self._start + length / self._rate
        if abs(now - expected) > 0.05:
            expected = now  # the first block, or the stream has stood still
        self._start = start = expected + DRIFT * (now - expected)  # steadier than the callback's own moments
        if len(self._tail):
            part = self._tail[:length]
            out[: len(part)] += part
            self._tail = self._tail[length:]
        while self._waiting and (place := round((self._waiting[0][0] - start) * self._rate)) < length:
            sound = self._sounds[self._waiting.popleft()[1]][:, None]
            place = max(0, place)
            out[place:] += sound[: length - place]
            self._tail = sound[length - place :]
