"""What the session tells its observers, and what an observer may ask of it.

The face (terminal UI) runs in a process of its own and lives on these alone: news come through a pipe,
requests go back. All are small frozen values that pickle.
"""

from dataclasses import dataclass
from enum import Enum

from duet.note import Event


class Who(Enum):
    """Who played."""

    PLAYER = "player"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Setup:
    """First news: what is plugged in. Sent again when something changes (another voice, a lost port)."""

    midi_in: str
    """The name of the port the player's keyboard is on."""
    midi_out: str
    """The name of the port the answers go to; empty if none."""
    audio: str
    """The audio device, or why there is none."""
    partner: str
    partners: tuple[str, ...]
    """All partners that can be chosen."""
    voice: str
    """Empty if there is no sound."""
    voices: tuple[str, ...]
    style: str
    styles: tuple[str, ...]
    temperature: float


@dataclass(frozen=True, slots=True)
class Turned:
    """The turn has changed."""

    state: str
    """ "IDLE", "CALL" or "RESPONSE"."""
    number: int
    time: float


@dataclass(frozen=True, slots=True)
class Played:
    """Somebody plays an event (the partner's are told when they are planned, so their time may be ahead)."""

    who: Who
    event: Event


@dataclass(frozen=True, slots=True)
class Cut:
    """The partner was interrupted: what it had planned after `time` will not sound."""

    time: float


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer has begun: how long the player waited, in seconds."""

    turn: int
    wait: float
    """From the player's last key or pedal release to the answer's first key press."""
    decision: float
    """From deciding that the phrase was over to the first key press."""


@dataclass(frozen=True, slots=True)
class Health:
    """Told about once a second while live."""

    underruns: int
    """Times the audio ring ran empty, since the start."""
    real_time_factor: float
    """Seconds of sound a second of computing; 0 while unknown."""


@dataclass(frozen=True, slots=True)
class Message:
    """A line in plain words for the player."""

    text: str
    error: bool = False


News = Setup | Turned | Played | Cut | Answered | Health | Message


@dataclass(frozen=True, slots=True)
class Choose:
    """Change a setting: partner, voice, style or temperature."""

    setting: str
    """ "partner", "voice", "style" or "temperature"."""
    value: str | float


@dataclass(frozen=True, slots=True)
class HandOver:
    """The player gives the turn away now, without waiting for silence."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence everything at once."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the session, cleanly."""


Wish = Choose | HandOver | Panic | Quit
