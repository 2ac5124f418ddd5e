"""Whose turn it is: a pure state machine of events in, effects out.

| state    | event                | next              | effects    |
|----------|----------------------|-------------------|------------|
| IDLE     | key down             | CALL (new number) | Hear       |
| CALL     | key, pedal           | CALL              | Hear       |
| CALL     | the phrase is over   | RESPONSE          | Respond    |
| RESPONSE | key down (barge-in)  | CALL (new number) | Stop, Hear |
| RESPONSE | last note has sounded| IDLE              | -          |

The phrase is over when silence has lasted as long as the policy says (`duet/phrase_end.py`) with no key and
no pedal held, or when the player hands over. Every event is legal in every state.
"""

from dataclasses import dataclass
from enum import Enum

from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.phrase_end import Policy, adaptive

RECENT = 96
"""Events of the call that a policy is shown: enough to know a pace by, and no more work late in a long call."""


class State(Enum):
    """Who has the floor."""

    IDLE = "idle"
    CALL = "call"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class HandOver:
    """The player gives the turn away explicitly."""

    time: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Sounded:
    """The last note of an answer has ended."""

    turn: int


@dataclass(frozen=True, slots=True)
class Hear:
    """The partner must hear this event of the player's."""

    turn: int
    event: Event


@dataclass(frozen=True, slots=True)
class Respond:
    """The phrase is over: answer it."""

    turn: int
    call: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """The player has interrupted: the answer of this turn ends now."""

    turn: int


Effect = Hear | Respond | Stop


class Turn:
    """The conversation's state. `feed` and `tick` return effects in the order they must be carried out."""

    def __init__(self, policy: Policy = adaptive) -> None:
        self.policy = policy
        self.state = State.IDLE
        self.number = 0
        """Rides on each effect, so that a late answer is recognised. Grows with each call."""
        self.quiet_since = 0.0
        """When the player last moved a key or the pedal, seconds."""
        self._call: list[Event] = []
        self._held: set[int] = set()
        self._pedal = 0

    def feed(self, event: Event | HandOver | Sounded) -> list[Effect]:
        """Take one event; return the effects it causes, in order."""
        if isinstance(event, NoteOn | NoteOff | Pedal):
            self._follow_hands(event)
        match self.state, event:
            case State.IDLE, NoteOn():
                return self._begin_call(event)
            case State.RESPONSE, NoteOn():  # barge-in: the player always wins
                return [Stop(self.number), *self._begin_call(event)]
            case State.CALL, NoteOn() | NoteOff() | Pedal():
                self._call.append(event)
                return [Hear(self.number, event)]
            case State.CALL, HandOver():
                return self._end_call()
            case State.RESPONSE, Sounded(turn) if turn == self.number:
                self.state = State.IDLE
                return []
            case _:
                return []  # a late Sounded, nothing to hand over, or a key let go after its call ended

    def deadline(self) -> float | None:
        """When `tick` should be called next if nothing happens before, seconds; None for never."""
        if self.state is not State.CALL or self._held or self._pedal >= 64:
            return None
        return self.quiet_since + self.policy(self._call[-RECENT:])

    def tick(self, now: float) -> list[Effect]:
        """Time has passed; return the effects that causes."""
        deadline = self.deadline()
        return self._end_call() if deadline is not None and now >= deadline else []

    def _follow_hands(self, event: Event) -> None:
        self.quiet_since = event.time
        match event:
            case NoteOn(_, pitch, _):
                self._held.add(pitch)
            case NoteOff(_, pitch):
                self._held.discard(pitch)
            case Pedal(_, value):
                self._pedal = value

    def _begin_call(self, press: NoteOn) -> list[Effect]:
        self.state = State.CALL
        self.number += 1
        # A pedal put down before the first key belongs to the phrase.
        self._call = [Pedal(press.time, self._pedal), press] if self._pedal >= 64 else [press]
        return [Hear(self.number, event) for event in self._call]

    def _end_call(self) -> list[Effect]:
        self.state = State.RESPONSE
        return [Respond(self.number, tuple(self._call))]
