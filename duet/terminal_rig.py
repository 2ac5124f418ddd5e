"""A terminal for measuring and testing: a program on a pseudo-terminal of its own, its output read as one would.

For what draws on a terminal; for what prints lines a pipe is enough. Linux and macOS (and `/proc` for the CPU).
"""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_KEPT = 1 << 20
"""Bytes of output that are kept."""


class Terminal:
    """Runs a command on a terminal of so many columns and rows, and keeps reading it, or it would stall."""

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        looks = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **looks, **(environment or {})},
            start_new_session=True,
        )
        os.close(slave)
        self.written = 0
        """Bytes that it has drawn so far."""
        self._kept = bytearray()
        threading.Thread(target=self._read, name="terminal", daemon=True).start()

    @property
    def text(self) -> str:
        """The last megabyte that it has drawn, escapes and all."""
        return self._kept.decode(errors="replace")

    def press(self, keys: str) -> None:
        """Type these characters, as the terminal would send them."""
        os.write(self._master, keys.encode())

    def cpu_seconds(self) -> float:
        """What the command itself (not its children) has computed so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self, patience: float = 5.0) -> int:
        """Wait for its end, or end it; return its exit code."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _read(self) -> None:
        try:
            while more := os.read(self._master, 1 << 16):
                self.written += len(more)
                self._kept = (self._kept + more)[-_KEPT:]
        except OSError:  # the last program on it has ended
            pass
        finally:
            os.close(self._master)
