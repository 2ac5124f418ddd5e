"""One end of a pipe between two of Duet's processes: small frozen values, in order, neither side ever blocked.

A thread writes what `send` queues, a thread reads and hops onto the loop; a stalled or dead process at the
other end costs the engine nothing but its answers.
"""

import asyncio
import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


class Wire:
    """`deliver(value)` is called on the loop for each value that arrives, `gone()` once when the end dies."""

    def __init__(
        self, connection: "Connection[Any, Any]", deliver: Callable[[Any], None], gone: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._deliver = deliver
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        """Held to close the connection or to hang up: a number closed twice may by then be another file's."""
        threading.Thread(target=self._read, name="wire-in", daemon=True).start()
        threading.Thread(target=self._write, name="wire-out", daemon=True).start()

    def send(self, value: object) -> None:
        """Queue a value for the other end; returns at once. After the other end died it is dropped."""
        self._outbox.put(value)

    def close(self) -> None:
        """Hang up; `gone` is not called for it."""
        self._closed = True
        self._outbox.put(None)

    def _read(self) -> None:
        try:
            while True:
                self._hop(self._deliver, self._connection.recv())
        except (EOFError, OSError):
            with self._closing:
                self._connection.close()  # here, where nobody can be reading from it
            if not self._closed:
                self._hop(self._gone)

    def _write(self) -> None:
        with contextlib.suppress(OSError, ValueError, TypeError):  # closed by the reader, even in mid-send
            while (value := self._outbox.get()) is not None:
                self._connection.send(value)
        self._hang_up()

    def _hang_up(self) -> None:
        """End the line so that both ends notice, though our own reader may be waiting in it; it closes."""
        with self._closing:
            if self._connection.closed:
                return
            try:
                line = socket.fromfd(self._connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
            except AttributeError:  # a pipe that is no socket, on Windows
                self._connection.close()
                return
        with line, contextlib.suppress(OSError):  # the other end has gone, which our reader sees for itself
            line.shutdown(socket.SHUT_RDWR)

    def _hop(self, call: Callable[..., None], *values: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call, *values)
