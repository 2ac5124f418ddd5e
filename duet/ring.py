"""A ring of samples in shared memory: the voice writes in one process, the audio callback reads in another.

Positions are absolute sample counts since the start and only ever grow; each has one writer, so no lock is
needed. A cut (barge-in) is a generation number: the reader fades out what is left in 10 ms, then plays
silence until the writer says from which position on the samples belong to the new generation.
"""

import time
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from duet.ports import Block

CAPACITY = 1 << 15
"""Samples in each channel of the ring."""
CHANNELS = 2
"""A voice of one channel is written to both."""
FADE = 0.01
"""Seconds a cut takes to fade out."""

_WRITTEN, _READ, _UNDERRUNS, _WANTED, _STARTED, _START, _SOUNDING = range(7)
"""Counters: samples written, samples read, underruns, generation wanted by the reader, generation the
writer is in, the position where that generation starts, and whether what is written is more than silence."""


class Ring:
    """Either end of it. Make it in the engine (`name` None), attach it by name in the models' process."""

    def __init__(self, rate: int, name: str | None = None) -> None:
        self.rate = rate
        self._memory = SharedMemory(name, create=name is None, size=64 + 16 + 4 * CAPACITY * CHANNELS)
        self._owner = name is None
        self._counters = np.ndarray(8, np.int64, self._memory.buf)
        self._clock = np.ndarray(2, np.float64, self._memory.buf, 64)
        self._samples = np.ndarray((CAPACITY, CHANNELS), np.float32, self._memory.buf, 80)
        self._fading = False
        if self._owner:
            self._counters[:] = 0
            self._clock[:] = 0

    @property
    def name(self) -> str:
        """What the other process attaches by."""
        return self._memory.name

    @property
    def fill(self) -> int:
        """Samples written and not yet read or skipped."""
        return int(self._counters[_WRITTEN] - max(self._counters[_READ], self._counters[_START]))

    @property
    def written(self) -> int:
        """Samples written since the start."""
        return int(self._counters[_WRITTEN])

    @property
    def underruns(self) -> int:
        """How many times the reader found too little while there was something to hear."""
        return int(self._counters[_UNDERRUNS])

    @property
    def clock(self) -> tuple[int, float]:
        """(samples read, `time.monotonic()` at that moment), as of the last callback."""
        return int(self._clock[0]), float(self._clock[1])

    def restart_clock(self) -> None:
        """Another device is about to read on: what is in the ring sounds from now on (called on the reader's side)."""
        self._clock[:] = self._counters[_READ], time.monotonic()

    def peak(self, seconds: float) -> float:
        """The loudest sample of the last `seconds` that were read, 0..1."""
        read = int(self._counters[_READ])
        if self._counters[_WANTED] != self._counters[_STARTED]:
            return 0.0  # cut, and nothing new has begun
        length = min(round(seconds * self.rate), read, CAPACITY // 2)
        places = np.arange(read - length, read) % CAPACITY
        return float(min(1.0, np.abs(self._samples[places]).max(initial=0.0)))

    def write(self, block: Block, sounding: bool = True) -> None:
        """Append samples, (length, 1 or 2); the writer sees to it that there is room.

        sounding: False if they are silence, and a gap after them could not be heard.
        """
        self._counters[_SOUNDING] = sounding
        start = self.written % CAPACITY
        first = min(len(block), CAPACITY - start)
        self._samples[start : start + first] = block[:first]
        self._samples[: len(block) - first] = block[first:]
        self._counters[_WRITTEN] += len(block)

    def begin_generation(self) -> None:
        """What is written from now on belongs to what the reader wants (called by the writer after a cut)."""
        self._counters[_START] = self._counters[_WRITTEN]
        self._counters[_SOUNDING] = False  # an empty ring is no gap until there is something to hear
        self._counters[_STARTED] = self._counters[_WANTED]

    @property
    def is_cut(self) -> bool:
        """True from a cut until the writer has begun anew."""
        return bool(self._counters[_WANTED] != self._counters[_STARTED])

    def cut(self) -> None:
        """Fade out now and drop the rest of this generation (called on the reader's side)."""
        self._counters[_WANTED] += 1
        self._fading = True

    def read_into(self, out: Block) -> None:
        """Fill `out` (length, channels) with the next samples; zeros where there are none.

        Called in the audio callback: copies, counts, stamps, and nothing else.
        """
        length = len(out)
        counters = self._counters
        waiting_for_writer = counters[_WANTED] != counters[_STARTED]
        if not waiting_for_writer and not self._fading and counters[_READ] < counters[_START]:
            counters[_READ] = counters[_START]
        read = int(counters[_READ])
        available = min(length, int(counters[_WRITTEN]) - read)
        if waiting_for_writer and not self._fading:
            out[:] = 0
        else:
            start = read % CAPACITY
            first = min(available, CAPACITY - start)
            channels = out.shape[1]  # a device of one channel hears the left
            out[:first] = self._samples[start : start + first, :channels]
            out[first:available] = self._samples[: available - first, :channels]
            out[available:] = 0
            if self._fading:
                ramp = 1 - np.arange(length, dtype=np.float32) / min(FADE * self.rate, length)
                out *= np.maximum(ramp, 0)[:, None]
                self._fading = False
            elif available < length and counters[_SOUNDING]:
                counters[_UNDERRUNS] += 1
        counters[_READ] = read + available
        self._clock[:] = counters[_READ], time.monotonic()

    def close(self) -> None:
        """Let go of the memory; the owner frees it."""
        del self._counters, self._clock, self._samples
        self._memory.close()
        if self._owner:
            self._memory.unlink()
