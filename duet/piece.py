"""A piece of music to learn from or to be judged on."""

from dataclasses import dataclass

from duet.note import Event


@dataclass(frozen=True, slots=True)
class Piece:
    """A performance or score, with what is known about it."""

    name: str
    """Where it was read from, relative to its folder."""
    events: tuple[Event, ...]
    """In playing order, from time 0, seconds."""
    split: str
    """ "train", "valid" or "test"; by piece, so that no music is in two of them."""
    source: str = ""
    """The collection, as the manifest names it."""
    style: str = ""
    """A label to condition on: a composer, "pop", "jazz"; empty if unknown."""
    expressive: bool = True
    """Played by a person (tier A), rather than a score's note values (tier B)."""
    real_velocity: bool = True
    """Velocities mean something; if False no model should learn from them."""
