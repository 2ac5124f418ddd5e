"""What the command line asks of live play."""

from dataclasses import dataclass, field
from pathlib import Path

from duet.controls import Controls
from duet.latency import Latency
from duet.request import Character
from duet.route import Route


@dataclass(frozen=True, slots=True)
class Studio:
    """How Duet sits among the other machines."""

    route: Route = field(default_factory=Route)
    channel_out: int = 0
    """The answers' MIDI channel, 0..15."""
    monitor: bool = False
    """The player's own keys sound through the voice."""
    clock: str = "internal"
    """What tells the time: "internal", "keyboard" (the keyboard's own port), or another port's name or number."""
    clock_out: bool = False
    bpm: float | None = None
    """Our own clock's tempo; None while nobody asks for one."""
    beats_in_bar: int = 4
    metronome: bool = False
    latency_in: float = 0.0
    """Seconds from a key to its message, taken off each stamp."""
    latency_out: Latency = field(default_factory=Latency)
    """The delay of the instrument at the MIDI out."""
    controls: Controls = field(default_factory=Controls)
    state_cc: int | None = None
    """The controller that says whose turn it is; None is not to say it."""
    learn: tuple[str, ...] = ()
    """What is to be bound to the knobs moved next, one after the other."""
    settings_path: Path | None = None
    """The file that keeps what is learnt; None keeps nothing."""
    buffer: int = 512
    """Samples of sound a callback is asked for."""


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
    turn: str = "adaptive"
    """The turn-taking policy, as `--turn` writes it."""
    studio: Studio = field(default_factory=Studio)
    wav: bool = False
    """What the voice plays is recorded beside the take."""
    insists_on_style: bool = True
    """The style was asked for on the command line; one of the settings file's is left out if it is unknown."""
