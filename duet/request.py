"""What a partner is asked for when the player's phrase is over."""

from dataclasses import dataclass, field, fields, replace

from duet.scale import CALL, pitch_classes


@dataclass(frozen=True, slots=True)
class Character:
    """How an answer should sound. Whatever is left unset is the partner's to choose."""

    temperature: float = 1.0
    """Sampling temperature, above 0; 1 is as learned, lower is safer."""
    style: str = ""
    """A style label the partner knows; empty is "like me"."""
    density: float | None = None
    """Notes a second, above 0."""
    loudness: float | None = None
    """Mean velocity, 1..127."""
    register: float | None = None
    """Mean pitch, 0..127."""
    closeness: float | None = None
    """How much it takes up what was played: 0 contrast .. 1 echo."""
    key: str = ""
    """Only notes of this scale, such as "C major" or "F# minor"; "call" is the call's own; empty is any note."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")
        for name, low, high in (("loudness", 1, 127), ("register", 0, 127), ("closeness", 0, 1)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} must be {low} .. {high}, got {value}")
        if self.density is not None and self.density <= 0:
            raise ValueError(f"density must be above 0 notes a second, got {self.density}")
        if self.key and self.key != CALL:
            pitch_classes(self.key)


@dataclass(frozen=True, slots=True)
class Request:
    """One answer, please."""

    turn: int
    """The turn's number; rides on everything that answers it."""
    seconds: float
    """About how long the answer should be."""
    character: Character = field(default_factory=Character)
    seed: int = 0
    """Same seed, same call, same character: same answer."""

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError(f"an answer must last longer than {self.seconds} s")


SHORTEST_ANSWER, LONGEST_ANSWER = 2.0, 20.0
"""Bounds, in seconds, of what is asked of the partner."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may change between two answers."""

    character: Character = field(default_factory=Character)
    seed: int = 0
    """Turn n asks with seed + n, so that two answers differ and a session can be had again."""
    length: float = 1.0
    """How long an answer is, in lengths of its call; above 0."""

    def __post_init__(self) -> None:
        if self.length <= 0:
            raise ValueError(f"length must be above 0, got {self.length}")

    def changed(self, **settings: object) -> "Settings":
        """The same but for these, of our own fields or the character's. Raises ValueError or TypeError."""
        names = {each.name for each in fields(Character)}
        own = {name: value for name, value in settings.items() if name not in names}
        its = {name: value for name, value in settings.items() if name in names}
        return replace(self, character=replace(self.character, **its), **own)  # type: ignore[arg-type]

    def request(self, turn: int, call: float) -> Request:
        """What to ask for after a call of so many seconds."""
        seconds = min(LONGEST_ANSWER, max(SHORTEST_ANSWER, self.length * call))
        return Request(turn, seconds, self.character, self.seed + turn)
