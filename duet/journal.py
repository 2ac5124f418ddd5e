"""A file that is written as things happen, so that a crash or a power cut loses at most the last second.

Lines are queued by whoever plays, at no cost; a thread appends them and asks the disk to keep them. A disk that
refuses is asked again each time, and nothing that was queued is dropped or torn.
"""

import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

FLUSH = 0.4
"""Seconds between two writings."""


class Journal:
    """An append-only file of lines."""

    def __init__(self, path: Path, stamp: Callable[[], str | None]) -> None:
        """`stamp()` gives a line to end each writing with, or None for none. Raises OSError."""
        self.path = path
        self.problem = ""
        """Why the disk refuses, as long as it does."""
        self._stamp = stamp
        self._file = path.open("xb", buffering=0)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._unwritten = b""
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def add(self, line: str) -> None:
        """Queue a line; returns at once."""
        self._lines.put(line)

    def write(self) -> None:
        """Append what is queued, and return when the disk has it or has refused it."""
        with self._writing:
            self._unwritten += "".join(f"{self._lines.get()}\n" for _ in range(self._lines.qsize())).encode()
            if stamp := self._stamp():
                self._unwritten += f"{stamp}\n".encode()
            try:
                while self._unwritten:
                    self._unwritten = self._unwritten[self._file.write(self._unwritten) or 0 :]
                    os.fsync(self._file.fileno())
                self.problem = ""
            except OSError as error:
                self.problem = error.strerror or str(error)

    def close(self) -> None:
        """Write the last lines and end."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join(timeout=5.0)
        self._file.close()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH):
            self.write()
        self.write()
