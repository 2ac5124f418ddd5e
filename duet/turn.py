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
| CALL     | nothing, a key down   | CALL                  | Waiting, GiveUp |

The phrase is over when the policy says so (`duet/phrase_end.py`) or the player hands over. Every event is
legal in every state.
"""

from dataclasses import dataclass
from enum import Enum

from duet.held_keys import LONGEST, PATIENCE, HeldKeys
from duet.note import Event, NoteOff, NoteOn, Pedal
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing has happened for long, and the turn is kept by what is down."""

    pitches: tuple[int, ...]
    pedal: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody seems to hold these keys: they are down no more, as far as the turn is concerned."""

    pitches: tuple[int, ...]


Input = Event | HandOver | Sounded | Again | Replay | Expectation
"""What `Turn.feed` takes."""
Effect = Hear | Respond | Repeat | Stop | Waiting | GiveUp


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
        self._hands = HeldKeys()
        self._pedal = Pedal(0.0, 0)
        self._asked_after = False
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
        return ending.time if ending else self._patience_ends()

    def tick(self, now: float) -> list[Effect]:
        """Time has passed; return the effects that causes."""
        ending = self._ending()
        if ending:
            return self._end_call(ending) if now >= ending.time else []
        patience = self._patience_ends()
        if patience is None or now < patience:
            return []
        if self._given_up_after() == patience:
            given_up: list[Effect] = [GiveUp(self._hands.let_go())]
            return [*given_up, *self.tick(now)]
        self._asked_after = True
        asked: list[Effect] = [Waiting(self._hands.pitches, self._pedal.down)]
        return [*asked, *self.tick(now)]

    def _ending(self) -> Ending | None:
        return self._ending_if(None if self._is_down else self.quiet_since)

    def _ending_if(self, quiet_since: float | None) -> Ending | None:
        """The phrase's, if all had been let go then."""
        if self.state is not State.CALL:
            return None
        began = next(event.time for event in self._call if isinstance(event, NoteOn))
        return self.policy(Phrase(self._call[-RECENT:], began, quiet_since, self._expected, self.tempo))

    def _patience_ends(self) -> float | None:
        """When the player is asked after what is down, or it is given up; None if it keeps nobody waiting."""
        if not self._is_down or self._ending_if(self.quiet_since) is None:
            return None
        given_up = self._given_up_after()
        asked = None if self._asked_after else self.quiet_since + PATIENCE
        return min((moment for moment in (given_up, asked) if moment is not None), default=None)

    def _given_up_after(self) -> float | None:
        """When keys that are down are taken for released; never while the pedal is down."""
        if self._pedal.down:
            return None
        return self.quiet_since + (PATIENCE if self._hands.left_behind else LONGEST)

    @property
    def _is_down(self) -> bool:
        return bool(self._hands) or self._pedal.down

    def _follow_hands(self, event: Event) -> None:
        was_down = self._is_down
        self._hands.follow(event)
        if isinstance(event, Pedal):
            self._pedal = event
        if was_down or self._is_down:  # a released pedal's trembling is no move
            self.quiet_since = event.time
            self._expected = None
            self._asked_after = False

    def _begin_call(self, press: NoteOn) -> list[Effect]:
        self.state = State.CALL
        self.number += 1
        # A pedal put down before the first key belongs to the phrase.
        self._call = [Pedal(press.time, self._pedal.value), press] if self._pedal.down else [press]
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
