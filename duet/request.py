"""What a partner is asked for when the player's phrase is over."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One answer, please."""

    turn: int
    """The turn's number; rides on everything that answers it."""
    seconds: float
    """About how long the answer should be: the call's length by default."""
    temperature: float = 1.0
    """Sampling temperature, above 0; 1 is as learned, lower is safer."""
    style: str = ""
    """A style label the partner knows; empty is "like me"."""
    seed: int = 0
    """Same seed, same call, same settings: same answer."""

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError(f"an answer must last longer than {self.seconds} s")
        if self.temperature <= 0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")
