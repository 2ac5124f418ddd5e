"""Keeps the evening: the take that is being played, its sound where that is wanted, and the next take after it."""

from collections.abc import Callable
from pathlib import Path

from duet.news import News
from duet.takes import Take

SOUND = ".wav"
"""What the name of a take's sound ends in; for the rest it is the take's."""


class TakeKeeper:
    """Observes a session. `record(path, zero)` has what is heard recorded, from session time `zero` on."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """`tell(text)` is called once a take if the disk refuses. Raises FileError."""
        self.record: Callable[[Path, float], None] | None = None
        self._tell = tell
        self._take = Take(folder, tell)
        self._recorded: Path | None = None

    def observe(self, news: News) -> None:
        """Take what the session reports; from a take's first event on its sound is recorded."""
        take = self._take
        take.observe(news)
        if self.record and take.began is not None and take.path != self._recorded:
            self._recorded = take.path
            self.record(take.path.with_suffix(SOUND), take.began)

    def move(self, folder: Path) -> str:
        """End this take and begin another in that folder; say so. Raises FileError, and this one goes on."""
        take = Take(folder, self._tell)
        kept = self._take.close()
        self._take = take
        return f"recording to {folder}" + (f"; what was played so far is {kept}" if kept else "")

    def close(self) -> str:
        """End the take; say where it is. Empty if nothing was played."""
        path = self._take.close()
        if path is None:
            return ""
        sound = path.with_suffix(SOUND)
        return f"take saved: {path}" + (f"; its sound: {sound}" if self.record and sound.exists() else "")
