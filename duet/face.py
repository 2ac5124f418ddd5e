"""The engine's hold on the face: starts the terminal UI in a process of its own and speaks with it over a socket."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Listener
from pathlib import Path

from duet.errors import DuetError
from duet.news import News, Wish
from duet.wire import Wire

STARTUP = 20.0
"""Seconds the face may take to appear."""


class Face:
    """The terminal UI. `wish(w)` is called on the loop for what the player asks, `gone()` when it has closed."""

    def __init__(self, wish: Callable[[Wish], None], gone: Callable[[], None], log: Path) -> None:
        self._log = log
        self._wish = wish
        self._gone = gone
        self._wire: Wire | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it on this terminal and wait until it has called back. Raises DuetError."""
        key = secrets.token_bytes(16)
        loop = asyncio.get_running_loop()
        with Listener(authkey=key) as listener:
            place = listener.address
            address = place if isinstance(place, str) else f"{place[0]}:{place[1]}"
            environment = os.environ | {"DUET_FACE_ADDRESS": address, "DUET_FACE_KEY": key.hex()}
            self._process = subprocess.Popen([sys.executable, "-m", "terminal_ui"], env=environment)  # noqa: ASYNC220  before anybody plays
            try:
                connection = await asyncio.wait_for(loop.run_in_executor(None, listener.accept), STARTUP)
            except TimeoutError:
                self._process.kill()
                raise DuetError("the terminal UI did not start; try `duet --headless`") from None
        self._keep_terminal_clean()
        self._wire = Wire(connection, self._wish, self._gone)

    def _keep_terminal_clean(self) -> None:
        """The face draws on the terminal; what native code prints to file descriptor 2 goes to the log from now."""
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 2)
        os.close(log)

    def observe(self, news: News) -> None:
        """Show it."""
        if self._wire:
            self._wire.send(news)

    def close(self) -> None:
        """Close it and give the terminal back."""
        if self._wire:
            self._wire.close()
        if self._process:
            try:
                self._process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                self._process.terminate()
