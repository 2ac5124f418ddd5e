"""The line to the engine: news come in, wishes go out.

The reader thread receives into a deque and does nothing else; who draws asks with `poll` when it is
ready to. So a slow terminal never holds up the engine, and no thread touches a widget.
"""

import threading
from collections import deque
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from typing import Protocol

from duet.errors import DuetError
from duet.news import News, Wish


class Link(Protocol):
    """What the app needs of a line to the engine; tests put a scripted one here."""

    @property
    def closed(self) -> bool:
        """True once the engine has hung up and all its news have been polled."""

    def poll(self) -> list[News]:
        """The news that came since the last poll, in order."""

    def send(self, wish: Wish) -> None:
        """Ask the engine for something; no complaint if it has hung up."""


class PipeLink:
    """A `Link` over a `multiprocessing` connection."""

    def __init__(self, connection: "Connection[Wish, News]") -> None:
        self._connection = connection
        self._inbox: deque[News] = deque()
        self._ended = threading.Event()
        threading.Thread(target=self._read, name="news", daemon=True).start()

    @property
    def closed(self) -> bool:
        """True once the engine has hung up and all its news have been polled."""
        return self._ended.is_set() and not self._inbox

    def poll(self) -> list[News]:
        """The news that came since the last poll, in order."""
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    def send(self, wish: Wish) -> None:
        """Ask the engine for something; no complaint if it has hung up."""
        try:
            self._connection.send(wish)
        except OSError:
            self._ended.set()

    def wait(self, seconds: float = 5.0) -> bool:
        """Wait until the engine hangs up; False if it has not in this time."""
        return self._ended.wait(seconds)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _read(self) -> None:
        try:
            while True:
                self._inbox.append(self._connection.recv())
        except (EOFError, OSError):
            self._ended.set()


def connect(address: str, key: str) -> PipeLink:
    """Call the engine at `address` (a socket's path, or "host:port"); `key` is the shared secret in hex."""
    host, _, port = address.rpartition(":")
    place: str | tuple[str, int] = (host, int(port)) if host and port.isdigit() else address
    try:
        return PipeLink(Client(place, authkey=bytes.fromhex(key)))
    except (OSError, EOFError, ValueError, AuthenticationError) as error:
        raise DuetError(
            f"cannot reach the engine at {address} ({error}); start the face with `duet`"
        ) from None
