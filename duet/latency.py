"""An instrument's own delay between a message and its sound, by how hard the key is struck; and playing early by it.

A reproducing piano needs longer for a soft note than for a loud one. Sent early by just that much, notes that
were meant together sound together.
"""

from dataclasses import dataclass

from duet.note import Event, NoteOff, NoteOn, at
from duet.ports import MidiOut

LONGEST = 1.0
"""Seconds; a longer delay is a mistake."""
APART = 0.002
"""Seconds between a key's release and its next stroke."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Delays at some velocities, straight lines between them, and level beyond."""

    points: tuple[tuple[int, float], ...] = ((64, 0.0),)
    """(velocity 1..127, seconds), velocities rising."""

    def __post_init__(self) -> None:
        velocities = [velocity for velocity, _ in self.points]
        if not self.points or velocities != sorted(set(velocities)):
            raise ValueError("a delay table needs velocities that rise")
        if not all(1 <= velocity <= 127 and 0 <= delay <= LONGEST for velocity, delay in self.points):
            raise ValueError(
                f"a delay table needs velocities 1 .. 127 and delays 0 .. {1000 * LONGEST:.0f} ms"
            )

    def of(self, velocity: int) -> float:
        """The delay of a note struck so, seconds."""
        before = [point for point in self.points if point[0] <= velocity] or [self.points[0]]
        after = [point for point in self.points if point[0] >= velocity] or [self.points[-1]]
        (low, slow), (high, fast) = before[-1], after[0]
        return slow if high <= low else slow + (fast - slow) * (velocity - low) / (high - low)

    @property
    def longest(self) -> float:
        """The longest delay of any note, seconds."""
        return max(delay for _, delay in self.points)

    def __str__(self) -> str:
        return ",".join(f"{velocity}:{1000 * delay:.0f}" for velocity, delay in self.points)

    @classmethod
    def read(cls, text: str) -> "Latency":
        """As a person writes it, in milliseconds: 50, or 20:155,64:90,120:50. Raises ValueError."""
        if ":" not in text:
            return cls(((64, float(text) / 1000),))
        pairs = [pair.split(":") for pair in text.split(",")]
        return cls(tuple((int(velocity), float(delay) / 1000) for velocity, delay in pairs))


class Early:
    """A `MidiOut` that sends each event early by the delay of the instrument it goes to."""

    def __init__(self, out: MidiOut, latency: Latency) -> None:
        self._out = out
        self._latency = latency
        self._delays: dict[int, float] = {}
        """Of the notes that were sent: a note keeps its length, so its release is as early as its stroke."""
        self._released: dict[int, float] = {}

    def send(self, event: Event) -> None:
        """Send it so that it sounds at its time."""
        match event:
            case NoteOn(time, pitch, velocity):
                delay = self._delays[pitch] = self._latency.of(velocity)
                due = max(time - delay, self._released.get(pitch, time - delay - APART) + APART)
            case NoteOff(time, pitch):
                due = self._released[pitch] = time - self._delays.get(pitch, 0.0)
            case _:
                due = event.time - self._latency.of(64)
        self._out.send(at(event, due))

    def silence(self) -> None:
        """At once."""
        self._delays.clear()
        self._released.clear()
        self._out.silence()
