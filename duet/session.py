"""The session: carries out what the turn decides, on the one clock, for live play, files and tests alike.

Knows neither networks, devices nor the face: only the ports. It alone reads the time.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from duet.beat import beat_of
from duet.entry import LONGEST_STEP
from duet.held_keys import in_words
from duet.news import Answered, Cut, Message, News, Played, Turned, Who
from duet.note import Event, NoteOn
from duet.performance import Performance, once_more
from duet.phrase_end import Policy
from duet.plan import TOLERANCE, Plan
from duet.ports import Delayed, Listener, MidiOut, Seat
from duet.request import Request, Settings
from duet.tempo import Tempo
from duet.turn import (
    Again,
    Effect,
    GiveUp,
    HandOver,
    Hear,
    Input,
    Repeat,
    Replay,
    Respond,
    Sounded,
    State,
    Stop,
    Turn,
    Waiting,
)  # fmt: skip

logger = logging.getLogger(__name__)

LEAD = 0.01
"""Seconds between the first composed note and its sounding: time for it to reach the sender."""


class Session:
    """One player, one partner, and where the answers go.

    `observe` is told all that happens, after it has happened; it must return quickly.
    """

    def __init__(
        self,
        listener: Listener,
        seat: Seat,
        outs: Sequence[MidiOut],
        observe: Callable[[News], None],
        settings: Settings | None = None,
        policy: Policy | None = None,
        early: float = 0.0,
    ) -> None:
        """early: seconds by which the slowest of the outs needs its events before their time."""
        self.seat = seat
        self.settings = settings or Settings()
        self.turn = Turn(policy)
        self._listener = listener
        self._early = early
        self._outs = outs
        self._observe = observe
        self._performance: Performance | None = None
        self._last: Sequence[Event] = ()
        self._wake: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        seat.attend(self.feed)

    async def run(self) -> None:
        """Play until the listener ends and the last answer has sounded; then, or when cancelled, silence."""
        try:
            async for event in self._listener:
                self.feed(event)
            await self.wait_until_idle()
        finally:
            self._interrupt()
            self._silence()

    async def wait_until_idle(self) -> None:
        """Return when nobody has the floor."""
        await self._idle.wait()

    def feed(self, event: Input) -> None:
        """Take an event: the player's, a wish about the turn, what the partner expects, the end of an answer."""
        number, state = self.turn.number, self.turn.state
        effects = self.turn.feed(event)
        for effect in effects:
            self._carry_out(effect)
        if isinstance(event, Event):
            self._observe(Played(Who.PLAYER, event))
        self._after_turn(number, state)

    def hand_over(self) -> None:
        """The player gives the turn away now."""
        self.feed(HandOver(self._now()))

    def again(self) -> None:
        """Another answer to the last call, in the place of the last answer; nothing while the player plays."""
        self.feed(Again())

    def replay(self, piece: Sequence[Event] = ()) -> None:
        """The last answer once more, as it was, or a piece from time 0; nothing while the player plays."""
        self.feed(Replay(tuple(piece)))

    def panic(self) -> None:
        """Silence everything at once, whoever has the floor."""
        self._interrupt()
        self._silence()
        self.feed(Sounded(self.turn.number))

    def change(self, **settings: object) -> None:
        """Change settings (see `Settings.changed`); they hold from the next answer on."""
        self.settings = self.settings.changed(**settings)

    def choose_policy(self, policy: Policy) -> None:
        """Tell the end of a phrase by another policy from now on, in this phrase too."""
        self.turn.policy = policy
        self._after_turn(self.turn.number, self.turn.state)

    def follow(self, tempo: Tempo | None) -> None:
        """A clock runs at this tempo, or (None) no longer does."""
        self.turn.tempo = tempo
        self._after_turn(self.turn.number, self.turn.state)

    def _tick(self) -> None:
        number, state = self.turn.number, self.turn.state
        for effect in self.turn.tick(self._now()):
            self._carry_out(effect)
        self._after_turn(number, state)

    def _after_turn(self, number: int, state: State) -> None:
        if self._wake:
            self._wake.cancel()
        deadline = self.turn.deadline()
        self._wake = (
            asyncio.get_running_loop().call_at(deadline, self._tick) if deadline is not None else None
        )
        if (number, state) != (self.turn.number, self.turn.state):
            self._observe(Turned(self.turn.state.name, self.turn.number, self._now()))
        if self.turn.state is State.IDLE:
            self._idle.set()
        else:
            self._idle.clear()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Hear(_, event):
                self.seat.hear(event)
            case Respond(instead=instead):
                if instead:
                    self.seat.cut(0.0)
                self._perform(self.seat.respond(self._request(effect)), effect)
            case Repeat(_, piece):
                self._perform(once_more(piece or self._last), None, recorded=not piece)
            case Stop():
                self._interrupt()
            case Waiting(pitches, pedal):
                self._observe(Message(f"still your turn: {in_words(pitches, pedal)} down"))
            case GiveUp(pitches):
                lost = f"{in_words(pitches)} down for long: taken for let go; strike again what hangs"
                self._observe(Message(lost))

    def _perform(self, source: AsyncIterator[Event], respond: Respond | None, recorded: bool = True) -> None:
        """Begin an answer: a new one, or (None) what has been played before."""
        decided = self._now()
        tempo = self.turn.tempo
        longest = respond.bars * tempo.bar_s if respond and respond.bars and tempo else None

        delayed = [out for out in self._outs if isinstance(out, Delayed)]
        early = max([self._early, *(out.delay for out in delayed)])

        def start() -> Plan:
            earliest = self._now() + LEAD + self._early
            begin = self._begin(earliest, respond)
            for out in delayed:
                out.advance(begin - earliest)
            if respond:
                wait = max(0.0, begin - self.turn.quiet_since)
                self._observe(Answered(respond.turn, wait, begin - decided, max(0.0, begin - earliest)))
            return Plan(begin, tempo.beat_s if tempo else None)

        self._performance = Performance(
            source, start, self._outs, self._observe, self._end_answer, longest, early, recorded
        )
        self._repeats = respond is None

    def _begin(self, earliest: float, respond: Respond | None) -> float:
        """When an answer that could begin at `earliest` does: on the bar line or the beat, if there is one."""
        tempo = self.turn.tempo
        if respond is None:
            return earliest
        if respond.begin is not None and respond.begin > earliest - TOLERANCE:
            return respond.begin
        beat = tempo or beat_of(respond.call)
        if beat is None:
            return earliest
        return beat.next_part(earliest, LONGEST_STEP)

    def _interrupt(self) -> None:
        """End the answer under way, if there is one: nothing of it sounds after this."""
        performance, self._performance = self._performance, None
        if performance is None:
            return
        performance.stop()
        self._silence()
        now = self._now()
        self._keep(performance, performance.heard(now))
        self._observe(Cut(now))

    def _end_answer(self) -> None:
        """The last note has sounded, or there was none."""
        performance, self._performance = self._performance, None
        if performance and performance.broken:
            self._keep(performance, performance.length)
        elif performance and not self._repeats:
            self._last = performance.composed
        self.feed(Sounded(self.turn.number))

    def _keep(self, performance: Performance, heard: float) -> None:
        """An answer was cut short: remember what there is of it, and tell the partner how much was heard."""
        if not self._repeats:
            self._last = performance.composed
            self.seat.cut(heard)

    def _silence(self) -> None:
        for out in self._outs:
            try:
                out.silence()
            except Exception as error:  # the others must fall silent all the same
                logger.exception("an out cannot be silenced")
                self._observe(Message(f"part of the sound may hang: {error}", error=True))

    def _request(self, respond: Respond) -> Request:
        onset = next(event.time for event in respond.call if isinstance(event, NoteOn))
        request = self.settings.request(respond.turn, respond.call[-1].time - onset)
        if respond.bars and self.turn.tempo:
            return replace(request, seconds=respond.bars * self.turn.tempo.bar_s)
        return request

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
