"""What the session tells its observers, and what an observer may ask of it.

The face (terminal UI) runs in a process of its own and lives on these alone: news come through a pipe,
requests go back. All are small frozen values that pickle.
"""

from dataclasses import dataclass
from enum import Enum

from duet.note import Event
from duet.request import Settings


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
    styles: tuple[str, ...]
    """The styles the partner knows; the empty one, "like me", is first."""
    settings: Settings
    """What the next answer will be asked for."""
    turn: str = "adaptive"
    """The turn-taking policy, as `--turn` writes it."""
    turns: tuple[str, ...] = ()
    """The policies that can be chosen."""
    muted: bool = False
    """The voice is silenced."""
    metronome: bool = False
    """Our own metronome is on."""
    learning: str = ""
    """The setting that the next turned MIDI knob will be bound to; empty if we are not learning."""
    takes: str = ""
    """The folder where this evening is kept; empty if it is not."""


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
    recorded: bool = True
    """False for what comes out of a kept take: it is heard and seen, and no part of this evening's."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The partner was interrupted: what it had planned after `time` will not sound."""

    time: float


@dataclass(frozen=True, slots=True)
class Moved:
    """The partner is late: what it had planned from `time` on comes `by` seconds later."""

    time: float
    by: float


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer has begun: how long the player waited, in seconds."""

    turn: int
    wait: float
    """From the player's last key or pedal release to the answer's first key press."""
    decision: float
    """From deciding that the phrase was over to the first key press."""
    held: float = 0.0
    """How much of that the answer waited for the beat."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The player has marked the last exchange as worth keeping."""


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


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat of the clock we follow, or of our own metronome."""

    number: int
    """Beats since the start; 0 is a bar's first if the bars are known."""
    bpm: float
    """Quarter notes a minute, smoothed."""
    time: float
    """When it sounds, on the session clock."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud the voice has been since this was last told; about ten times a second while it sounds."""

    peak: float
    """0 .. 1 of full scale."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """What could be plugged in. Told at the start and whenever it changes."""

    midi_ins: tuple[str, ...]
    midi_outs: tuple[str, ...]
    audio_devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeLine:
    """An evening that was kept, as a list shows it."""

    path: str
    date: str
    """Year-month-day and the time it began."""
    turns: int
    """How many calls were answered; 0 if the file is not one of Duet's."""
    seconds: float
    styles: tuple[str, ...]
    kept: tuple[int, ...]
    """The turns marked as worth keeping."""


@dataclass(frozen=True, slots=True)
class Takes:
    """The evenings that were kept in a folder, the latest first; the answer to `ListTakes`."""

    folder: str
    takes: tuple[TakeLine, ...]


News = (
    Setup
    | Turned
    | Played
    | Cut
    | Moved
    | Answered
    | Kept
    | Health
    | Message
    | Beat
    | Level
    | Plugged
    | Takes
)


@dataclass(frozen=True, slots=True)
class Choose:
    """Change a setting."""

    setting: str
    """ "partner", "voice", "turn", "port", "out", "audio", "takes" (a folder), or a field of Settings or its Character;
    or "blend": 0..1, from the first voice of a mixture to the others;
    or "learn": bind the next turned MIDI knob to the setting named in value."""
    value: str | float | None
    """None leaves it to the partner, where that is possible; for "port" and "out" it is our own virtual port, for
    "audio" no sound, for "learn" no more learning."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The player gives the turn away now, without waiting for silence."""


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence everything at once."""


@dataclass(frozen=True, slots=True)
class Again:
    """Another answer to the last call, please."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Play the last answer once more, as it was; or a kept take, both players."""

    path: str = ""
    """The take's file; empty is the last answer."""


@dataclass(frozen=True, slots=True)
class ListTakes:
    """Tell which takes are kept where this evening is."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Mark the last exchange as one worth keeping (`duet takes` shows the mark)."""


@dataclass(frozen=True, slots=True)
class Mute:
    """The voice falls silent, or sounds again; MIDI goes on."""


@dataclass(frozen=True, slots=True)
class Metronome:
    """The metronome on or off."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap of the tempo."""

    time: float


@dataclass(frozen=True, slots=True)
class Press:
    """A key of the computer keyboard, for who has no other: a note of fixed length, since no release is told."""

    pitch: int
    velocity: int = 80


@dataclass(frozen=True, slots=True)
class Quit:
    """End the session, cleanly."""


Wish = Choose | HandOver | Panic | Again | Replay | ListTakes | Keep | Mute | Metronome | Tap | Press | Quit
