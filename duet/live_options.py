"""What the command line asks of live play."""

from dataclasses import dataclass
from pathlib import Path

from duet.request import Character


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """None is "you choose"."""

    port: str | None
    out: str | None
    voice: str
    partner: str
    audio: str | None
    headless: bool
    character: Character
    seed: int
    length: float
    takes: Path
    log: Path
    """Where native libraries print to while the face has the terminal."""
    partners: tuple[str, ...]
    voices: tuple[str, ...]
