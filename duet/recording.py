"""What the voice plays, kept as a .wav while it plays: laid out on the take's time, and valid at any moment.

Blocks come from the voice's own process with their places in the ring. What the device has read is written twice
a second by a thread, then the header, then the disk is asked to keep it; what a barge-in has cut off was not heard
and is not written. Where nothing sounds the file has a hole, which reads as silence.
"""

import logging
import os
import struct
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duet.ports import Block
from duet.ring import CHANNELS, FADE

logger = logging.getLogger(__name__)

FLUSH = 0.4
"""Seconds between two writings."""
HEADER = 44
"""Bytes before the samples."""
WIDTH = 2 * CHANNELS
"""Bytes of one sample of all channels: 16-bit integers."""
LARGEST = (1 << 32) - 1 - HEADER
"""Bytes of sound that a .wav's header can state: six hours at 48 kHz."""
KEPT = 30.0
"""Seconds of sound kept in memory for a disk that refuses it; older sound is lost."""


class Recording:
    """One file. `add`, `begin` and `cut` are called from the voice's thread and never wait for the disk."""

    def __init__(
        self, path: Path, rate: int, zero: float, heard: Callable[[], int | None], tell: Callable[[str], None]
    ) -> None:
        """zero: the session time of the file's first sample. `tell(text)` is called once if the disk refuses.

        `heard()` is the ring's position up to which the device has read; None while that is about to change.
        """
        self.path = path
        self._rate = rate
        self._zero = zero
        self._heard = heard
        self._tell = tell
        self._place = 0
        """Where the ring's position 0 lies in the file, samples."""
        self._waiting: list[tuple[int, int, Block]] = []
        """(position in the ring, place in the file, samples) of what is not written yet."""
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._length = 0
        """Samples in the file."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def begin(self, position: int, time: float) -> None:
        """From now on the ring's sample `position` belongs to session time `time`."""
        self._place = round((time - self._zero) * self._rate) - position

    def add(self, position: int, block: Block) -> None:
        """Sound that has just been put into the ring at `position`: (length, 1 or 2)."""
        with self._lock:
            self._waiting.append((position, position + self._place, block))

    def cut(self, position: int) -> None:
        """The device fades out from `position` on and plays nothing of what comes after."""
        fade = int(FADE * self._rate)
        with self._lock:
            kept = []
            for start, place, block in self._waiting:
                if start < position + fade:
                    ramp = 1 - (np.arange(start, start + len(block)) - position) / fade
                    kept.append((start, place, block * np.clip(ramp, 0, 1)[:, None].astype(np.float32)))
            self._waiting = kept

    def close(self, patience: float) -> None:
        """Write what is left and end, on the file's own thread; wait for that so many seconds at most."""
        self._closing.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._closing.wait(FLUSH):
            heard = self._heard()
            if heard is not None:
                self._write(heard)
        self._write(None)
        if self._file:
            self._file.close()

    def _write(self, heard: int | None) -> None:
        """Write what lies before a position of the ring; None is all of it."""
        with self._lock:
            due = [item for item in self._waiting if heard is None or item[0] + len(item[2]) <= heard]
            self._waiting = self._waiting[len(due) :]
        try:
            if due:
                self._put(due)
        except OSError as error:
            self._refuse(f"cannot be written ({error.strerror or error})")
            oldest = due[-1][1] - KEPT * self._rate
            with self._lock:
                self._waiting = [item for item in due if item[1] > oldest] + self._waiting

    def _put(self, due: list[tuple[int, int, Block]]) -> None:
        if self._file is None:
            exists = self.path.exists()  # a voice that died and was started again goes on in the same file
            self._file = FileIO(self.path, "r+" if exists else "x+")
            self._length = max(0, self._file.seek(0, 2) - HEADER) // WIDTH
            if not self._length:
                self._put_header()
        for _, start, block in due:
            samples, place = as_integers(block)[max(0, -start) :], max(0, start)
            if (place + len(samples)) * WIDTH > LARGEST:
                self._refuse("is full: a .wav holds no more")
                break
            self._file.seek(HEADER + place * WIDTH)
            left = memoryview(samples.tobytes())
            while left:
                left = left[self._file.write(left) :]
            self._length = max(self._length, place + len(samples))
        self._put_header()
        os.fsync(self._file.fileno())

    def _put_header(self) -> None:
        """Say how long the sound is; first of all, or the file would not be one for a moment."""
        assert self._file
        self._file.seek(0)
        self._file.write(wav_header(self._rate, self._length * WIDTH))

    def _refuse(self, why: str) -> None:
        self._tell(f"{self.path}: the sound {why}; play goes on")
        self._tell = logger.warning  # said once


def as_integers(block: Block) -> NDArray[np.int16]:
    """(length, 1 or 2) float32 in [-1, 1] -> (length, CHANNELS) 16-bit."""
    scaled = np.rint(np.clip(block, -1, 1) * 32767).astype("<i2")
    return np.ascontiguousarray(np.broadcast_to(scaled, (len(block), CHANNELS)))


def wav_header(rate: int, size: int) -> bytes:
    """What a .wav of 16-bit PCM begins with; size: bytes of sound."""
    form = struct.pack("<4sI4s", b"RIFF", HEADER - 8 + size, b"WAVE")
    kind = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, CHANNELS, rate, rate * WIDTH, WIDTH, 16)
    return form + kind + struct.pack("<4sI", b"data", size)
