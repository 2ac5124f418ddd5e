"""The way of a message from the keyboard: into the call, through to the MIDI out, to a setting, or nowhere.

Pure. What a message does is decided by a `Route`, which may be changed at any moment; where a note went is
remembered, so its release ends it there, at the pitch and on the channel it began with.

| message                     | the call                   | through to the out            |
|-----------------------------|----------------------------|-------------------------------|
| echo of our own output      | -                          | -                             |
| the hand-over pedal or key  | hand-over                  | -                             |
| bound to a setting or wish  | -                          | -                             |
| of another channel          | -                          | -                             |
| key below the split         | -                          | yes                           |
| key                         | transposed, curved         | the same, with `thru`         |
| sustain pedal               | yes                        | with `thru` or a split        |
| all notes off, panic (below)| all its keys come up       | with `thru` or a split        |
| bend, pressure, other CC    | -                          | with `thru` or a split        |
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from duet.controls import Controls
from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.phrase_end import Explicit
from duet.turn import HandOver

LENGTHS = {0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3, 0xC0: 2, 0xD0: 2, 0xE0: 3}
"""Bytes of a channel message, by its status."""
SUSTAIN = 64
ALL_SOUND_OFF, RESET = 120, 121
LETS_GO = frozenset((ALL_SOUND_OFF, 123, 124, 125, 126, 127))
"""Controllers by which a keyboard says that none of its keys is down: MIDI 1.0, "Channel Mode Messages"."""
ECHO = 0.06
"""Seconds within which the very message we sent, coming in, is our own: a loop takes two periods of JACK at most."""

Bytes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Touch:
    """A velocity curve."""

    gamma: float = 1.0
    """Below 1 a light touch plays louder, above 1 softer."""
    fixed: int | None = None
    """One velocity for every note."""

    def __post_init__(self) -> None:
        if self.gamma <= 0:
            raise ValueError(f"a velocity curve must be above 0, got {self.gamma}")
        if self.fixed is not None and not 1 <= self.fixed <= 127:
            raise ValueError(f"a fixed velocity must be 1 .. 127, got {self.fixed}")

    def __call__(self, velocity: int) -> int:
        """A velocity as it should have been; 1..127 stays 1..127."""
        if self.fixed is not None:
            return self.fixed
        curved: float = 127 * (velocity / 127) ** self.gamma
        return min(127, max(1, round(curved)))

    @classmethod
    def read(cls, text: str) -> "Touch":
        """As a person writes it: linear, soft, hard, fixed:N, or a number. Raises ValueError."""
        known = {"linear": 1.0, "soft": 0.6, "hard": 1.6}
        if text in known:
            return cls(known[text])
        if text.startswith("fixed:"):
            return cls(fixed=int(text.removeprefix("fixed:")))
        return cls(float(text))


@dataclass(frozen=True, slots=True)
class Route:
    """Where messages go and what becomes of them."""

    channel: int | None = None
    """The only channel listened to, 0..15; None is all."""
    transpose: int = 0
    """Semitones added to each key."""
    touch: Touch = Touch()
    split: int | None = None
    """Keys below this pitch, as they are on the keyboard, only go through; None is no split."""
    thru: bool = False
    """What is played also goes to the MIDI out."""


@dataclass(frozen=True, slots=True)
class Call:
    """To the session: the player does this."""

    event: Event | HandOver


@dataclass(frozen=True, slots=True)
class Thru:
    """To the MIDI out, at once."""

    message: Bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """To the settings: a knob or pad that is bound, or is being learnt, has moved."""

    message: Bytes


Way = Call | Thru | Moved


class Echoes:
    """What we sent a moment ago, so that an output that loops back to the input is not taken for the player."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, Bytes]] = deque(maxlen=512)
        self._lock = Lock()
        self.count = 0
        """Echoes recognised so far."""

    def sent(self, message: Sequence[int], time: float) -> None:
        """We have sent this."""
        with self._lock:
            self._sent.append((time, tuple(message)))

    def is_echo(self, message: Bytes, time: float) -> bool:
        """Whether it is ours coming back; each message we sent comes back once."""
        with self._lock:
            while self._sent and self._sent[0][0] < time - ECHO:
                self._sent.popleft()
            for place, (_, sent) in enumerate(self._sent):
                if sent == message:
                    del self._sent[place]
                    self.count += 1
                    return True
        return False


@dataclass(frozen=True, slots=True)
class _Begun:
    """Where a key that is down began to sound."""

    call: int | None
    """Its pitch in the call."""
    thru: Bytes | None
    """The message that ends it at the out."""


class Router:
    """Messages in, ways out; `route`, `controls` and `learning` may be set at any moment."""

    def __init__(
        self, route: Route | None = None, controls: Controls | None = None, echoes: Echoes | None = None
    ) -> None:
        self.route = route or Route()
        self.controls = controls or Controls()
        self.hand_over = Explicit.usual()
        """By what the player gives the turn away."""
        self.learning = False
        """The next knob or pad is to be bound: it comes out as Moved, whatever it is."""
        self._echoes = echoes or Echoes()
        self._down: dict[tuple[int, int], _Begun] = {}
        self._pedals: dict[int, bool] = {}
        """Channels whose sustain pedal is down, and whether that went through."""

    def take(self, message: Sequence[int], time: float) -> list[Way]:
        """Take the bytes of one message; return where they go, in order. Anything malformed goes nowhere."""
        status = message[0] & 0xF0 if message else 0
        length = LENGTHS.get(status, 0)
        if not length or len(message) < length:
            return []
        data = (message[0], *(byte & 0x7F for byte in message[1:length]))
        channel = data[0] & 0x0F
        if self._echoes.is_echo(data, time) and not self._ends(data):
            return []
        if status in (0x80, 0x90) and (channel, data[1]) in self._down:
            ends = self._release(channel, data[1], time)
            return ends if status == 0x80 or data[2] == 0 else [*ends, *self._press(data, time)]
        if not self.learning and self.hand_over.uses(data):
            return [Call(HandOver(time))] if self.hand_over.gives(data) else []
        bindable = data[1] != SUSTAIN if status == 0xB0 else status == 0x90 and data[2] > 0
        if self.controls.binds(data) or (self.learning and bindable):
            return [Moved(data)]
        if self.route.channel not in (None, channel):
            return []
        if status == 0x90 and data[2] > 0:
            return self._press(data, time)
        if status in (0x80, 0x90):
            return []  # released, but not pressed while we listened
        return self._other(data, time)

    def _ends(self, data: Bytes) -> bool:
        """Whether it lets go of what the player has down: taken for our own by mistake, it would be down for ever."""
        status, channel = data[0] & 0xF0, data[0] & 0x0F
        if status == 0xB0:
            return data[1] == SUSTAIN and data[2] < 64 and channel in self._pedals
        return (status == 0x80 or (status == 0x90 and data[2] == 0)) and (channel, data[1]) in self._down

    def let_go(self, time: float) -> list[Way]:
        """The keyboard is gone, or all is to be ended: whatever is down comes up where it went down."""
        ways: list[Way] = []
        for channel, key in list(self._down):
            ways += self._release(channel, key, time)
        for channel, through in self._pedals.items():
            ways.append(Call(Pedal(time, 0)))
            if through:
                ways.append(Thru((0xB0 | channel, SUSTAIN, 0)))
        self._pedals.clear()
        return ways

    def _press(self, data: Bytes, time: float) -> list[Way]:
        route, channel, key = self.route, data[0] & 0x0F, data[1]
        pitch, velocity = key + route.transpose, route.touch(data[2])
        if not 0 <= pitch <= 127:
            return []
        below = route.split is not None and key < route.split
        through = below or route.thru
        end = (0x80 | channel, pitch, 64) if through else None
        ways: list[Way] = []
        if not below:
            if any(begun.call == pitch for begun in self._down.values()):  # another key plays it already
                ways.append(Call(NoteOff(time, pitch)))
            ways.append(Call(NoteOn(time, pitch, velocity)))
        if end:
            if any(begun.thru == end for begun in self._down.values()):
                ways.append(Thru(end))
            ways.append(Thru((0x90 | channel, pitch, velocity)))
        self._down[channel, key] = _Begun(None if below else pitch, end)
        return ways

    def _release(self, channel: int, key: int, time: float) -> list[Way]:
        begun = self._down.pop((channel, key))
        ways: list[Way] = []
        still_held = any(other.call == begun.call for other in self._down.values())
        if begun.call is not None and not still_held:
            ways.append(Call(NoteOff(time, begun.call)))
        if begun.thru and all(other.thru != begun.thru for other in self._down.values()):
            ways.append(Thru(begun.thru))
        return ways

    def _other(self, data: Bytes, time: float) -> list[Way]:
        channel = data[0] & 0x0F
        through = self.route.thru or self.route.split is not None
        ways: list[Way] = []
        if data[0] & 0xF0 == 0xB0 and data[1] in LETS_GO:
            for _, key in [down for down in self._down if down[0] == channel]:
                ways += self._release(channel, key, time)
        if data[0] & 0xF0 == 0xB0 and data[1] in (ALL_SOUND_OFF, RESET) and channel in self._pedals:
            return [*ways, *self._other((data[0], SUSTAIN, 0), time), *([Thru(data)] if through else [])]
        if data[0] & 0xF0 == 0xB0 and data[1] == SUSTAIN:
            ways.append(Call(Pedal(time, data[2])))
            through = through or self._pedals.get(channel, False)  # what went down there comes up there
            if data[2] >= 64:
                self._pedals[channel] = through
            else:
                self._pedals.pop(channel, None)
        return [*ways, Thru(data)] if through else ways
