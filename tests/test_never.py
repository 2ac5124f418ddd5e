"""No note ever hangs, whatever happens in whatever order: a state machine over the whole session, in virtual time.

`DUET_FUZZ=1000 pytest tests/test_never.py` runs 1,000 sessions of 100 happenings, more than 10^5 events.
"""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from duet.errors import DuetError
from duet.news import Cut, Message, News, Turned
from duet.note import Event, NoteOff, NoteOn, Pedal, Sounding
from duet.performance import FIRST_STALL, STALL
from duet.phrase_end import Adaptive, Bars, Expectation, Explicit, Fixed, Learned
from duet.plan import LONGEST_NOTE
from duet.request import Request
from duet.session import Session
from duet.tempo import Tempo
from duet.turn import HandOver, State
from duet.virtual_time import VirtualTimeLoop
from tests.fakes import RecordingOut

EXAMPLES = int(os.environ.get("DUET_FUZZ", "25"))
PITCHES = st.integers(58, 63)


class MoodySeat:
    """A partner that plays anything at all, late or early, breaks, stalls, or is killed with its process."""

    def __init__(self) -> None:
        self.mood = "well"
        self.draw = random.Random(0)
        self._take: Callable[[Expectation], None] = lambda expectation: None

    def attend(self, take: Callable[[Expectation], None]) -> None:
        self._take = take

    def hear(self, event: Event) -> None:
        if self.draw.random() < 0.5:
            self._take(Expectation(event.time, self.draw.random()))

    async def respond(self, request: Request) -> AsyncIterator[Event]:
        draw, time = random.Random(f"{request.seed} {self.mood}"), 0.0
        for _ in range(draw.randrange(12)):
            time += draw.choice([0.0, 0.01, 0.2, 1.0])
            kind = draw.randrange(5)
            if kind < 2:
                yield NoteOn(time, draw.randrange(58, 64), draw.randrange(1, 128))
            elif kind < 4:
                yield NoteOff(time, draw.randrange(58, 64))
            else:
                yield Pedal(time, draw.randrange(128))
            match self.mood:
                case "slow":
                    await asyncio.sleep(draw.random())
                case "killed":
                    raise DuetError("the models' process died; starting it again")
                case "broken" if draw.random() < 0.3:
                    raise ZeroDivisionError("division by zero")
                case "stalled" if draw.random() < 0.3:
                    await asyncio.sleep(1e6)
            await asyncio.sleep(0)

    def cut(self, seconds: float) -> None:
        assert seconds >= 0


class FlakyOut:
    """An out whose port comes and goes: it raises while it is gone."""

    gone = False

    def send(self, event: Event) -> None:
        if self.gone:
            raise OSError("the port is gone")

    def silence(self) -> None:
        if self.gone:
            raise OSError("the port is gone")


class Evening(RuleBasedStateMachine):
    """One session; each rule is something that may happen at any time."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)  # a thousand tracebacks of what is broken on purpose
        self.loop = VirtualTimeLoop()
        self.out, self.flaky, self.seat = RecordingOut(), FlakyOut(), MoodySeat()
        self.keyboard: asyncio.Queue[Event | HandOver | None] = asyncio.Queue()
        self.hands = Sounding()
        self.news: list[News] = []
        self.session = self.do(self.begin)
        self.playing = self.loop.create_task(self.session.run())
        self.wait(0.0)

    def do(self, deed: Callable[[], Any]) -> Any:
        """Do something on the loop, and let what follows at once happen."""

        async def on_loop() -> Any:
            done = deed()
            await asyncio.sleep(0)
            return done

        return self.loop.run_until_complete(on_loop())

    def begin(self) -> Session:
        async def listen() -> AsyncIterator[Event | HandOver]:
            while (event := await self.keyboard.get()) is not None:
                yield event

        return Session(listen(), self.seat, [self.flaky, self.out], self.news.append)

    def play(self, event: Event | HandOver) -> None:
        if not isinstance(event, HandOver):
            self.hands.follow(event)
        self.do(lambda: self.keyboard.put_nowait(event))
        self.wait(0.0)

    @rule(pitch=PITCHES, velocity=st.integers(1, 127))
    def a_key_goes_down(self, pitch: int, velocity: int) -> None:
        self.play(NoteOn(self.loop.time(), pitch, velocity))

    @rule(pitch=PITCHES)
    def a_key_comes_up(self, pitch: int) -> None:
        self.play(NoteOff(self.loop.time(), pitch))

    @rule(value=st.integers(0, 127))
    def the_pedal_moves(self, value: int) -> None:
        self.play(Pedal(self.loop.time(), value))

    @rule()
    def all_is_let_go(self) -> None:
        for event in self.hands.let_go(self.loop.time()):
            self.play(event)

    @rule(seconds=st.sampled_from([0.0, 0.005, 0.03, 0.2, 0.5, 1.5, 6.0]))
    def wait(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @rule(seconds=st.sampled_from([0.02, 0.5, 60.0]))
    def the_computer_sleeps(self, seconds: float) -> None:
        self.loop.hold_up(seconds)

    @rule()
    def the_turn_is_handed_over(self) -> None:
        self.play(HandOver(self.loop.time()))

    @rule()
    def another_answer(self) -> None:
        self.do(self.session.again)

    @rule()
    def the_last_answer_once_more(self) -> None:
        self.do(self.session.replay)

    @rule()
    def panic(self) -> None:
        def and_it_is_silent() -> None:
            self.session.panic()
            assert self.session.turn.state is not State.RESPONSE
            assert self.out.sounding == set()
            assert not self.out.pedal_down

        self.do(and_it_is_silent)

    @rule(policy=st.sampled_from([Fixed(0.3), Adaptive(), Learned(), Bars(1), Bars(2), Explicit()]))
    def turns_are_taken_otherwise(self, policy: Any) -> None:
        self.do(lambda: self.session.choose_policy(policy))

    @rule(bpm=st.one_of(st.none(), st.floats(20, 400)))
    def the_clock_changes_or_stops(self, bpm: float | None) -> None:
        tempo = bpm and Tempo(bpm, self.loop.time() - 0.3)
        self.do(lambda: self.session.follow(tempo or None))

    @rule(bpm=st.floats(20, 400))
    def the_transport_stops(self, bpm: float) -> None:
        self.do(lambda: (self.session.follow(None), self.session.panic()))

    @rule(mood=st.sampled_from(["well", "slow", "broken", "stalled", "killed"]))
    def the_partner_changes_its_mood(self, mood: str) -> None:
        self.seat.mood = mood

    @rule(gone=st.booleans())
    def a_port_goes_or_comes_back(self, gone: bool) -> None:
        self.flaky.gone = gone

    @rule(length=st.floats(0.1, 4))
    def the_settings_change(self, length: float) -> None:
        self.do(lambda: self.session.change(length=length))

    @precondition(lambda self: self.session.turn.state is State.RESPONSE)
    @rule()
    def everybody_waits_for_the_answer_to_end(self) -> None:
        self.wait(FIRST_STALL + 12 * (STALL + 1.0) + LONGEST_NOTE + 8.0)
        assert self.session.turn.state is State.IDLE
        self.do(self.check_silence)
        assert not self.out.pedal_down

    def check_silence(self) -> None:
        """What sounds and whose turn it is are of one instant: after it the loop moves on."""
        self.out.flush()
        if self.session.turn.state is not State.RESPONSE:
            assert self.out.sounding == set(), "nothing of the partner's sounds while it is not its turn"

    @invariant()
    def the_session_lives_and_only_the_answer_sounds(self) -> None:
        assert not self.playing.done(), self.playing.exception()
        self.do(self.check_silence)

    @invariant()
    def the_news_are_consistent(self) -> None:
        states = [item.state for item in self.news if isinstance(item, Turned)]
        assert all(state in ("IDLE", "CALL", "RESPONSE") for state in states)
        assert sum(isinstance(item, Cut) for item in self.news) <= len(states)

    def teardown(self) -> None:
        """The evening ends, as by Ctrl-C: whatever was going on, silence."""
        self.playing.cancel()
        self.loop.run_until_complete(asyncio.gather(self.playing, return_exceptions=True))
        self.out.finish()
        assert self.out.sounding == set()
        assert not self.out.pedal_down
        texts = [item.text for item in self.news if isinstance(item, Message)]
        assert not any("Traceback" in text for text in texts)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        logging.disable(logging.NOTSET)


TestEvening = Evening.TestCase
TestEvening.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=100,
    deadline=None,
    phases=[Phase.generate] if EXAMPLES > 100 else list(Phase),  # shrinking so much takes for ever
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
