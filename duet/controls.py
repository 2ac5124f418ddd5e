"""Knobs and pads bound to settings and wishes: MIDI learn as one frozen value. Pure.

Written `cc 74` or `note 36`, with `ch 10` behind it if only that channel is meant.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duet.news import Again, Choose, HandOver, Keep, Metronome, Mute, Panic, Replay, Tap, Wish

RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0.1, 2.0),
    "density": (0.5, 16.0),
    "length": (0.25, 4.0),
    "loudness": (1, 127),
    "register": (21, 108),
    "closeness": (0, 1),
    "bpm": (40, 240),
    "blend": (0, 1),
}
"""What a knob sets, from 0 to 127."""
GEOMETRIC = {"density", "length"}
"""Settings whose half way is the geometric one: as far from half as from double."""
WISHES: Mapping[str, type] = {
    "handover": HandOver, "panic": Panic, "again": Again, "replay": Replay, "keep": Keep, "mute": Mute,
    "metronome": Metronome,
}  # fmt: skip
"""What a pad or button asks for; and "tap"."""
TARGETS = (*RANGES, *WISHES, "tap")
"""All that can be bound."""

_PATTERN = re.compile(r"(cc|note) (\d{1,3})(?: ch (\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Control:
    """One knob or pad."""

    is_note: bool
    """A pad that sends notes, rather than a knob that sends control changes."""
    number: int
    """The controller's number, or the pitch; 0..127."""
    channel: int | None = None
    """0..15; None is any."""

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 127 or (self.channel is not None and not 0 <= self.channel <= 15):
            raise ValueError(f"there is no such knob or pad: {self}")

    def __str__(self) -> str:
        channel = "" if self.channel is None else f" ch {self.channel + 1}"
        return f"{'note' if self.is_note else 'cc'} {self.number}{channel}"

    @classmethod
    def read(cls, text: str) -> "Control":
        """Read `cc 74` or `note 36 ch 10`. Raises ValueError."""
        found = _PATTERN.fullmatch(text.strip().casefold())
        if not found:
            raise ValueError(f"{text!r} is no knob or pad: write `cc 74`, or `note 36 ch 10`")
        kind, number, channel = found.groups()
        return cls(kind == "note", int(number), int(channel) - 1 if channel else None)

    @classmethod
    def of(cls, message: Sequence[int]) -> "Control":
        """The knob or pad that sends such messages, on its channel."""
        return cls(message[0] & 0xF0 != 0xB0, message[1], message[0] & 0x0F)

    def sends(self, message: Sequence[int]) -> bool:
        """Whether the message comes from it."""
        if self.channel not in (None, message[0] & 0x0F) or message[1] != self.number:
            return False
        return message[0] & 0xF0 in (0x80, 0x90) if self.is_note else message[0] & 0xF0 == 0xB0


@dataclass(frozen=True, slots=True)
class Controls:
    """All that is bound."""

    bound: tuple[tuple[str, Control], ...] = ()
    """Targets and what they are bound to; a target once, a control once."""

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "Controls":
        """A `[controls]` table of TOML. Raises ValueError."""
        controls = cls()
        for target, text in table.items():
            if not isinstance(text, str):
                raise ValueError(f'{target}: write its knob or pad in quotes, such as "cc 74"')
            controls = controls.bind(target, Control.read(text))
        return controls

    def table(self) -> dict[str, str]:
        """The same as such a table."""
        return {target: str(control) for target, control in self.bound}

    def bind(self, target: str, control: Control) -> "Controls":
        """With this target on that control; what either was bound to before is free. Raises ValueError."""
        if target not in TARGETS:
            raise ValueError(f"{target!r} cannot be bound to a knob or pad; choose from {', '.join(TARGETS)}")
        kept = (pair for pair in self.bound if pair[0] != target and pair[1] != control)
        return Controls((*kept, (target, control)))

    def binds(self, message: Sequence[int]) -> bool:
        """Whether the message is a control's, and so none of the music's."""
        return any(control.sends(message) for _, control in self.bound)

    def wishes(self, message: Sequence[int], time: float) -> list[Wish]:
        """What the player asks for by it."""
        value = message[2] if message[0] & 0xF0 != 0x80 else 0
        wishes: list[Wish] = []
        for target, control in self.bound:
            if not control.sends(message):
                continue
            if target in RANGES:
                wishes.append(Choose(target, _value(target, value)))
            elif value >= (1 if control.is_note else 64):  # else a pad let go, or a button's second half
                wishes.append(Tap(time) if target == "tap" else WISHES[target]())
        return wishes

    def echo(self, target: str, value: float) -> list[tuple[int, int, int]]:
        """The control changes that tell a controller with lights or motors how a setting stands."""
        return [
            (0xB0 | (control.channel or 0), control.number, _position(target, value))
            for name, control in self.bound
            if name == target and not control.is_note
        ]


def _value(target: str, position: int) -> float:
    """What a knob at a position of 0..127 sets."""
    low, high = RANGES[target]
    share = position / 127
    found = low * (high / low) ** share if target in GEOMETRIC else low + (high - low) * share
    return round(found, 3)


def _position(target: str, value: float) -> int:
    """Where the knob stands for this value, 0..127."""
    if target not in RANGES:
        return 127 if value else 0
    low, high = RANGES[target]
    inside = min(high, max(low, value))
    share = (
        math.log(inside / low) / math.log(high / low)
        if target in GEOMETRIC
        else (inside - low) / (high - low)
    )
    return round(127 * share)
