"""The partner `neural`: hears event by event, answers event by event, from one network with a cache.

Every event of the player's is one step of the network, taken as it happens, so that an answer can begin at
once. The silence between turns is no part of the music: each turn begins with a token of its own.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from duet.note import Event, NoteOff, NoteOn, Pedal
from duet.request import Request
from models.commonplaces import load_commonplaces
from models.compose import Composer, Manners
from models.ending import TakeStep, best_ending
from models.events import PARTNER, PLAYER, Keyboard, Metre, Step, event_of, key_of
from models.next_onset import NextOnset, next_onset
from models.partner_file import load_net
from models.partner_step import State, Stepper
from models.steering import Call
from models.style_drafts import best_draft, load_listener
from models.style_tables import load_tables

UNDRAFTED = 1.5
"""Seconds of an answer that are composed once, whatever is asked: while they sound there is time to draft."""
LATELY = 100
"""Key strokes of the player's that say what key the music is in."""


class NeuralPartner:
    """A network that plays; what it must keep to is in `duet.ports.Partner`."""

    def __init__(self, weights: Path, manners: Manners | None = None) -> None:
        self._net = load_net(weights)
        self._tables = load_tables(weights.with_name("styles.safetensors"), self._net.config.styles)
        self._commonplaces = load_commonplaces(weights.with_name("commonplaces.safetensors"))
        self._listener = load_listener(weights.with_name("listener.safetensors"), self._net.config.styles)
        self._manners = manners or Manners()
        self.styles: Sequence[str] = self._net.config.styles
        self._stepper, self._aside = Stepper(self._net), Stepper(self._net, back=600)
        self.forget()
        self._stepper.step(self._state, Step(0, PLAYER))  # the first step is slow: have it over with

    def forget(self) -> None:
        """Forget the whole conversation."""
        self._state = self._stepper.start()
        self._turn = 0
        self._keyboard, self._metre = Keyboard(), Metre()
        self._pedal = False
        self._call = Call(pitches=deque(maxlen=LATELY))
        self._answer: list[tuple[float, State, dict[int, float], bool]] = []
        self._answers = 0

    def hear(self, event: Event) -> None:
        """Take one event of the player's: one step of the network."""
        if isinstance(event, Pedal):
            self._pedal = event.down
        if self._turn != PLAYER:
            if not isinstance(event, NoteOn):
                return  # a key or the pedal let go after its call ended
            self._begin(PLAYER, 0)
            self._call = Call(pitches=self._call.pitches)
            if self._pedal:
                self._take(Pedal(event.time, 127))
        if isinstance(event, NoteOff) and (since := self._keyboard.held.get(key_of(event.pitch))) is not None:
            self._call.lengths.append(event.time - since)
        self._take(event)
        if isinstance(event, NoteOn):
            self._note(event)

    def _note(self, event: NoteOn) -> None:
        """Keep what the answer will keep to."""
        self._call.strokes.append((event.time, event.pitch, event.velocity))
        self._call.most_keys = max(self._call.most_keys, len(self._keyboard.held))
        self._call.pitches.append(event.pitch)

    def _take(self, event: Event) -> None:
        for token, velocity in self._keyboard.take(event):
            step = Step(self._metre.gap(event.time), token, velocity // 4)
            self._state = self._stepper.step(self._state, step)

    def _begin(self, turn: int, style: int, wish: Tensor | None = None) -> None:
        """Hand over: whatever is still down is let go, then comes the turn's token."""
        for token, _ in self._keyboard.release():
            self._state = self._stepper.step(self._state, Step(0, token), style)
        self._state = self._stepper.step(self._state, Step(0, turn), style, wish)
        self._turn, self._metre = turn, Metre()

    def next_onset(self) -> NextOnset:
        """When the next stroke is expected after what was heard last; changes nothing, costs half a step."""
        return next_onset(self._net, self._state.h, self._state.hands)

    def respond(self, request: Request) -> Iterator[Event]:
        """Compose the answer event by event."""
        if request.character.style and request.character.style not in self.styles:
            raise ValueError(f"no style {request.character.style!r}; there are {', '.join(self.styles)}")
        style = self.styles.index(request.character.style) + 1 if request.character.style else 0
        self._answers += 1
        number = self._answers
        self._answer = []
        table = self._tables.get(request.character.style)
        composer = Composer(self._net, request, self._manners, self._call, table, self._commonplaces)
        self._begin(PARTNER, style, composer.wish())

        def take(state: State, step: Step, composer: Composer) -> State:
            after = self._stepper.step(state, step, style, composer.wish())
            if state.bare is None:
                return after
            return replace(after, bare=self._aside.step(state, step).h)

        for step, after in self._steps(composer, take, request.character.style):
            event = event_of(step.token, composer.time, step.velocity)
            before = composer.time, self._state, dict(self._keyboard.held), self._keyboard.pedal
            self._answer.append(before)
            self._keyboard.take(event)
            self._state = after or take(self._state, step, composer)
            yield event
            if self._answers != number:
                return

    def _steps(self, composer: Composer, take: TakeStep, style: str) -> Iterator[tuple[Step, State | None]]:
        """The answer's steps, each counted as composed, and the state after it, if the step is taken already."""
        said: list[Event] = []
        while not composer.may_end:
            if composer.time >= UNDRAFTED and style and self._listener:
                merit = partial(self._listener.merit, style=style)
                draft = best_draft(composer, self._state, self._stepper, take, merit, said)
                if not draft.steps:
                    return
                for step, state in zip(draft.steps, draft.states, strict=True):
                    yield composer.give(step), state
                said += draft.events
                continue
            step = composer.next(self._state)
            if step is None:
                return
            yield step, None
            said.append(event_of(step.token, composer.time, step.velocity))
        self._aside.follow(self._stepper, self._state.length)
        start = replace(self._state, bare=self._state.h)
        for step in best_ending(self._net, composer, start, take, self._manners.roundness):
            yield composer.give(step), None

    def cut(self, seconds: float) -> None:
        """Take back what was not heard of the last answer."""
        for time, state, held, pedal in self._answer:
            if time >= seconds:
                self._state = state
                self._keyboard.held, self._keyboard.pedal = held, pedal
                break
        self._answer = []
        self._answers += 1
