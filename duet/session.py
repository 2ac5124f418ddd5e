"""The session: carries out what the turn decides, on the one clock, for live play, files and tests alike.

Knows neither networks, devices nor the face: only the ports. It alone reads the time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from duet.errors import DuetError
from duet.news import Answered, Cut, Message, News, Played, Turned, Who
from duet.note import Event, NoteOn
from duet.phrase_end import Policy, adaptive
from duet.plan import Plan
from duet.ports import Listener, MidiOut, Seat
from duet.request import Request, Settings
from duet.turn import Effect, HandOver, Hear, Respond, Sounded, State, Stop, Turn

logger = logging.getLogger(__name__)

LEAD = 0.01
"""Seconds between the first composed note and its sounding: time for it to reach the sender."""
COMMIT = 0.05
"""Seconds ahead of their time that planned events go to the outs; until then they may be dropped."""
BATCH = 0.01
"""Seconds of events that one waking of the pump takes together, so that a chord costs one."""


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
        policy: Policy = adaptive,
    ) -> None:
        self.seat = seat
        self.settings = settings or Settings()
        self.turn = Turn(policy)
        self._listener = listener
        self._outs = outs
        self._observe = observe
        self._plan: Plan | None = None
        self._answer: asyncio.Task[None] | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._pump_timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()

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

    def feed(self, event: Event | HandOver | Sounded) -> None:
        """Take an event: the player's, an explicit hand-over, or the end of an answer."""
        number, state = self.turn.number, self.turn.state
        effects = self.turn.feed(event)
        for effect in effects:
            self._carry_out(effect)
        if not isinstance(event, HandOver | Sounded):
            self._observe(Played(Who.PLAYER, event))
        self._after_turn(number, state)

    def panic(self) -> None:
        """Silence everything at once, whoever has the floor."""
        self._interrupt()
        self._silence()
        self.feed(Sounded(self.turn.number))

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
            case Respond():
                self._answer = asyncio.create_task(self._compose(effect, self._now()))
            case Stop():
                self._interrupt()

    def _interrupt(self) -> None:
        """End the answer under way, if there is one: nothing of it sounds after this."""
        answer, plan, self._answer, self._plan = self._answer, self._plan, None, None
        if answer is None:
            return
        answer.cancel()
        if self._pump_timer:
            self._pump_timer.cancel()
        self._silence()
        now = self._now()
        self.seat.cut(plan.heard(now) if plan else 0.0)
        self._observe(Cut(now))

    def _silence(self) -> None:
        for out in self._outs:
            out.silence()

    async def _compose(self, respond: Respond, decided: float) -> None:
        """Ask for an answer and plan it while it is being composed; `_pump` plays it meanwhile."""
        try:
            async for event in self.seat.respond(self._request(respond)):
                now = self._now()
                if self._plan is None:
                    self._plan = Plan(now + LEAD)
                    wait = self._plan.origin - self.turn.quiet_since
                    self._observe(Answered(respond.turn, wait, self._plan.origin - decided))
                self._observe(Played(Who.PARTNER, self._plan.add(event, now)))
                self._pump()
        except DuetError as error:
            logger.warning("the answer of turn %d ended early: %s", respond.turn, error)
            self._observe(Message(str(error), error=True))
        if self._plan:
            self._plan.finish()
            self._pump()
        else:
            self._end_answer()

    def _pump(self) -> None:
        """Send what is due within COMMIT; come back when the next is, or when the last has sounded."""
        if self._pump_timer:
            self._pump_timer.cancel()
        if self._plan is None:
            return
        for event in self._plan.take(self._now() + COMMIT):
            for out in self._outs:
                out.send(event)
        loop = asyncio.get_running_loop()
        due = self._plan.next_time()
        if due is not None:
            self._pump_timer = loop.call_at(due - COMMIT + BATCH, self._pump)
        elif self._plan.over:
            self._pump_timer = loop.call_at(self._plan.end, self._end_answer)

    def _end_answer(self) -> None:
        self._answer = self._plan = None
        self.feed(Sounded(self.turn.number))

    def _request(self, respond: Respond) -> Request:
        onset = next(event.time for event in respond.call if isinstance(event, NoteOn))
        return self.settings.request(respond.turn, respond.call[-1].time - onset)

    def change(self, **settings: object) -> None:
        """Change settings (see `Settings.changed`); they hold from the next answer on."""
        self.settings = self.settings.changed(**settings)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
