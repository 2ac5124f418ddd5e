"""The settings as knobs: which stops each has, how they read, and where a turn takes it; pure.

Whatever is unset reads "free": it is the partner's to choose.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from duet.news import Setup
from duet.request import Character

Value = str | float | None

_PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_DYNAMICS = (("ppp", 20), ("pp", 33), ("p", 46), ("mp", 58), ("mf", 71), ("f", 86), ("ff", 100), ("fff", 115))
"""Mean velocities, MIDI 1..127, as notation programs play the signs."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting as the player turns it."""

    setting: str
    """As `Choose` names it."""
    meaning: str
    """What it does, in a few words."""
    say: Callable[[Value], str]
    """A value in the player's words, short."""
    stops: tuple[Value, ...] = ()
    """In rising order, None (free) before the numbers; empty if the session says what there is."""
    short: str = ""
    """A narrower name."""
    key: str = ""
    """The letter that turns it on, and with shift back."""
    neutral: Value = None
    """What backspace sets."""
    scale: bool = True
    """It has two ends; if not, it goes round."""


def _word(value: Value) -> str:
    return str(value or "none")


def _loudness(value: Value) -> str:
    if not isinstance(value, (int, float)):
        return "free"
    sign, exactly = min(_DYNAMICS, key=lambda dynamic: abs(dynamic[1] - value))
    return sign if exactly == value else f"{sign} {value:.0f}"


def _register(value: Value) -> str:
    if not isinstance(value, (int, float)):
        return "free"
    pitch = round(value)
    return f"{_PITCHES[pitch % 12]}{pitch // 12 - 1}"


def _closeness(value: Value) -> str:
    if not isinstance(value, (int, float)):
        return "free"
    return {0.0: "contrast", 1.0: "echo"}.get(value, f"{100 * value:.0f}%")


def _number(unit: str, free: str = "free", places: int = 1) -> Callable[[Value], str]:
    return lambda value: f"{value:.{places}f}{unit}" if isinstance(value, (int, float)) else free


_SCALES = ("", "call", *(f"{tonic} {mode}" for tonic in _PITCHES for mode in ("major", "minor")))

KNOBS = (
    Knob("partner", "who composes the answers", _word, key="p", scale=False),
    Knob("voice", "who sounds them", lambda value: str(value or "no sound"), key="v", scale=False),
    Knob("style", "the manner of the answers", lambda value: str(value or "like me"), key="s", scale=False),
    Knob("turn", "how Duet knows that your phrase is over", _word, scale=False),
    Knob(
        "key", "only notes of this scale",
        lambda value: {"": "any", "call": "yours"}.get(str(value or ""), str(value)),
        _SCALES, neutral="", scale=False,
    ),
    Knob(
        "temperature", "higher is bolder, lower is safer", _number(""),
        tuple(tenths / 10 for tenths in range(2, 21)), "temp", neutral=1.0,
    ),
    Knob(
        "density", "notes a second", _number("/s", places=0),
        (None, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0),
    ),
    Knob(
        "length", "how long an answer is, in lengths of your phrase", _number("×"),
        (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0), neutral=1.0,
    ),
    Knob(
        "loudness", "how loud the answers are", _loudness,
        (None, *(float(velocity) for _, velocity in _DYNAMICS)), "loud",
    ),
    Knob(
        "register", "around which pitch they lie", _register,
        (None, 36.0, 41.0, 48.0, 53.0, 60.0, 65.0, 72.0, 77.0, 84.0),
    ),
    Knob(
        "closeness", "whether they take up what you played or contrast with it", _closeness,
        (None, 0.0, 0.25, 0.5, 0.75, 1.0),
    ),
)  # fmt: skip
LEARNABLE = (
    "temperature", "density", "length", "loudness", "register", "closeness", "bpm", "blend",
    "handover", "again", "replay", "keep", "panic", "mute", "metronome", "tap",
)  # fmt: skip
"""What a knob or pad of a MIDI controller can be given, as the engine names it."""
CHOICES = 5
"""The first so many are choices, the others are amounts."""

_OF_CHARACTER = {field.name for field in fields(Character)}


def value_of(knob: Knob, setup: Setup) -> Value:
    """Where it stands."""
    if knob.setting in _OF_CHARACTER:
        return getattr(setup.settings.character, knob.setting)  # type: ignore[no-any-return]
    owner = setup.settings if knob.setting == "length" else setup
    return getattr(owner, knob.setting)  # type: ignore[no-any-return]


def stops_of(knob: Knob, setup: Setup) -> tuple[Value, ...]:
    """What it can be turned to."""
    return knob.stops or tuple(getattr(setup, f"{knob.setting}s"))


def turn(stops: Sequence[Value], value: Value, by: int, scale: bool) -> Value:
    """The stop so many further on. A value between two stops (a MIDI knob's) goes to the next in that direction."""
    if not stops:
        return value
    if value in stops:
        place = stops.index(value) + by
    elif isinstance(value, (int, float)) and stops[-1] is not None and not isinstance(stops[-1], str):
        numbers = [stop for stop in stops if isinstance(stop, (int, float))]
        free = len(stops) - len(numbers)
        place = free + (bisect_right(numbers, value) - 1 + by if by > 0 else bisect_left(numbers, value) + by)
    else:
        place = 0
    return stops[min(max(place, 0), len(stops) - 1)] if scale else stops[place % len(stops)]


def share_of(stops: Sequence[Value], value: Value) -> float | None:
    """How far it is turned up, 0..1 of its stops; None if it is free or there is no telling."""
    if value is None or len(stops) < 2:
        return None
    if value in stops:
        first = 1 if stops[0] is None else 0
        return (stops.index(value) - first) / (len(stops) - 1 - first)
    numbers = [stop for stop in stops if isinstance(stop, (int, float))]
    if not numbers or not isinstance(value, (int, float)):
        return None
    return min(1.0, bisect_left(numbers, value) / (len(numbers) - 1))
