"""How long the answers let the player wait, over one session; pure."""

from math import ceil


class Delays:
    """Delays in seconds, in the order they were measured."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def add(self, seconds: float) -> None:
        """One more answer."""
        self._seconds.append(seconds)

    def __len__(self) -> int:
        return len(self._seconds)

    @property
    def last(self) -> float:
        """Seconds."""
        return self._seconds[-1]

    def percentile(self, percent: float) -> float:
        """The delay that so many percent of the answers do not exceed (nearest rank)."""
        ranked = sorted(self._seconds)
        return ranked[max(0, ceil(len(ranked) * percent / 100) - 1)]
