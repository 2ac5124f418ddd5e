"""Whose turn it is: a pure state machine of events in, effects out.

| state    | event                 | next                  | effects         |
|----------|-----------------------|-----------------------|-----------------|
| IDLE     | key down              | CALL (new number)     | Hear            |
| CALL     | key, pedal            | CALL                  | Hear            |
| CALL     | the phrase is over    | RESPONSE              | Respond         |
| RESPONSE | key down (barge-in)   | CALL (new number)     | Stop, Hear      |
| RESPONSE | last note has sounded | IDLE                  | -               |
| IDLE     | once more             | RESPONSE (new number) | Respond, Repeat |
| RESPONSE | once more             | RESPONSE (new number) | Stop, then that |

The phrase is over when the policy says so (`duet/phrase_end.py`) or the player hands over. Every event is
legal in every state.
"""

from dataclasses import dataclass
from enum import Enum

from duet.note import Event, NoteOff, NoteOn, Pedal, Sounding
from duet.phrase_end import Adaptive, Ending, Expectation, Phrase, Policy
from duet.tempo import Tempo

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
class Again:
    """The player wants another answer to the last call."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The player wants the last answer once more, as it was, or a piece of music that is kept."""

    events: tuple[Event, ...] = ()
    """The piece, from time 0; empty is the last answer."""


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
    begin: float | None = None
    """When the answer begins, seconds; None is as soon as can be."""
    bars: int | None = None
    """How many bars of the clock it may last; None if that is free."""
    instead: bool = False
    """It takes the place of the answer before, which is as if it had not been."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Play the last answer once more, or a piece."""

    turn: int
    events: tuple[Event, ...] = ()
    """The piece; empty is the last answer."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The answer of this turn ends now."""

    turn: int


Input = Event | HandOver | Sounded | Again | Replay | Expectation
"""What `Turn.feed` takes."""
Effect = Hear | Respond | Repeat | Stop


class Turn:
    """The conversation's state. `feed` and `tick` return effects in the order they must be carried out."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy: Policy = policy or Adaptive()
        self.state = State.IDLE
        self.number = 0
        """Rides on each effect, so that a late answer is recognised. Grows with each call and each answer."""
        self.quiet_since = 0.0
        """When the last of keys and pedal came up, or the last event while something was down, seconds."""
        self.tempo: Tempo | None = None
        """The clock's, while one runs."""
        self._call: list[Event] = []
        self._hands = Sounding()
        self._pedal = 0
        self._expected: Expectation | None = None
        self._spared_until = float("-inf")
        self._answered = False

    def feed(self, event: Input) -> list[Effect]:
        """Take one event; return the effects it causes, in order."""
        match event:
            case Expectation(time):
                if time == self.quiet_since:  # else the player has moved since it was asked for
                    self._expected = event
                return []
            case HandOver() | Sounded() | Again() | Replay():
                pass
            case _:
                self._follow_hands(event)
        match self.state, event:
            case State.IDLE, NoteOn():
                return self._begin_call(event)
            case State.RESPONSE, NoteOn(time) if time < self._spared_until:
                return []  # the last notes of a phrase that the bar line has ended
            case State.RESPONSE, NoteOn():  # barge-in: the player always wins
                return [Stop(self.number), *self._begin_call(event)]
            case State.CALL, HandOver():
                return self._end_call(None)
            case State.RESPONSE, Sounded(turn) if turn == self.number:
                self.state = State.IDLE
                return []
            case ((State.IDLE | State.RESPONSE), Replay(events)) if events:
                return self._once_more(event)
            case ((State.IDLE | State.RESPONSE), (Again() | Replay())) if self._answered:
                return self._once_more(event)
            case State.CALL, NoteOn() | NoteOff() | Pedal():
                self._call.append(event)
                return [Hear(self.number, event)]
            case _:
                return []  # a late Sounded, nothing to hand over, or a key let go after its call ended

    def deadline(self) -> float | None:
        """When `tick` should be called next if nothing happens before, seconds; None for never."""
        ending = self._ending()
        return ending.time if ending else None

    def tick(self, now: float) -> list[Effect]:
        """Time has passed; return the effects that causes."""
        ending = self._ending()
        return self._end_call(ending) if ending and now >= ending.time else []

    def _ending(self) -> Ending | None:
        if self.state is not State.CALL:
            return None
        quiet = None if self._hands.is_down else self.quiet_since
        began = next(event.time for event in self._call if isinstance(event, NoteOn))
        return self.policy(Phrase(self._call[-RECENT:], began, quiet, self._expected, self.tempo))

    def _follow_hands(self, event: Event) -> None:
        was_down = self._hands.is_down
        self._hands.follow(event)
        if isinstance(event, Pedal):
            self._pedal = event.value
        if was_down or self._hands.is_down:  # a released pedal's trembling is no move
            self.quiet_since = event.time
            self._expected = None

    def _begin_call(self, press: NoteOn) -> list[Effect]:
        self.state = State.CALL
        self.number += 1
        # A pedal put down before the first key belongs to the phrase.
        self._call = [Pedal(press.time, self._pedal), press] if self._hands.pedal_down else [press]
        return [Hear(self.number, event) for event in self._call]

    def _end_call(self, ending: Ending | None) -> list[Effect]:
        self.state = State.RESPONSE
        self._answered = True
        begin, bars = (ending.begin, ending.bars) if ending else (None, None)
        self._spared_until = ending.spared_until if ending else float("-inf")
        return [Respond(self.number, tuple(self._call), begin, bars)]

    def _once_more(self, event: Again | Replay) -> list[Effect]:
        stop: list[Effect] = [Stop(self.number)] if self.state is State.RESPONSE else []
        self.state = State.RESPONSE
        self.number += 1
        if isinstance(event, Replay):
            return [*stop, Repeat(self.number, event.events)]
        return [*stop, Respond(self.number, tuple(self._call), instead=True)]
