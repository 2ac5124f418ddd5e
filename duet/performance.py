"""One answer being composed and played at once: takes events as they come, plans them, sends them when due.

What can go wrong ends here: a partner that fails or stalls ends its answer and says so once; whatever is
late moves what is left (`duet/plan.py`); and whatever happens, what sounds is ended.
"""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence

from duet.errors import DuetError
from duet.news import Message, Moved, News, Played, Who
from duet.note import Event
from duet.plan import Plan
from duet.ports import MidiOut

logger = logging.getLogger(__name__)

COMMIT = 0.05
"""Seconds ahead of their time that planned events go to the outs; until then they may be dropped."""
BATCH = 0.01
"""Seconds of events that one waking of the pump takes together, so that a chord costs one."""
FORESIGHT = 10.0
"""Seconds ahead of its time that music which is already there is planned: more than the face shows."""
FIRST_STALL, STALL = 5.0, 2.0
"""Seconds without an event after which an answer is given up: before its first, and after all has sounded."""


class Performance:
    """One answer. `ended()` is called when its last note has sounded, unless it was stopped before."""

    def __init__(
        self,
        source: AsyncIterator[Event],
        start: Callable[[], Plan],
        outs: Sequence[MidiOut],
        observe: Callable[[News], None],
        ended: Callable[[], None],
        longest: float | None = None,
        early: float = 0.0,
        recorded: bool = True,
    ) -> None:
        """`start()` makes the plan when the first event is there; `longest` cuts the answer, seconds.

        early: seconds before COMMIT at which the outs want their events. recorded: what `Played` says.
        """
        self.plan: Plan | None = None
        self.composed: list[Event] = []
        """What came from the source, in its own time."""
        self.broken = False
        """True if the answer ended before its source did."""
        self._source = source
        self._start = start
        self._outs = outs
        self._observe = observe
        self._ended = ended
        self._longest = longest
        self._commit = COMMIT + early
        self._recorded = recorded
        self._closes: float | None = None
        self._out_failed = False
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._play())

    def stop(self) -> None:
        """No more of it, from now on; ending what sounds is the caller's business."""
        self._task.cancel()
        if self._timer:
            self._timer.cancel()

    def heard(self, now: float) -> float:
        """How much of the answer has passed, in composed seconds."""
        return self.plan.heard(now) if self.plan else 0.0

    @property
    def length(self) -> float:
        """Composed seconds up to where the answer ended: at its last event, or where it was cut."""
        last = self.composed[-1].time if self.composed else 0.0
        return math.nextafter(last, math.inf) if self._closes is None else self._closes

    async def _play(self) -> None:
        try:
            await self._compose()
        except DuetError as error:
            self._give_up(str(error))
        except TimeoutError:
            self._give_up("the partner has stalled; this answer ends here")
        except Exception as error:
            logger.exception("an answer failed")
            self._give_up(f"the answer failed ({error}); the next one begins afresh")
        if self.plan:
            now = self._now()
            self.plan.finish(now if self._closes is None else max(now, self.plan.origin + self._closes))
            self._pump()
        else:
            self._ended()

    async def _compose(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience()):
                    event = await anext(self._source)
            except StopAsyncIteration:
                return
            if self._longest is not None and event.time >= self._longest:
                self.broken, self._closes = True, self._longest
                return
            self.composed.append(event)
            self.plan = self.plan or self._start()
            placed = self.plan.add(event, self._now())
            self._observe(Played(Who.PARTNER, placed, self._recorded))
            self._pump()

    def _patience(self) -> float:
        """Seconds to wait for the next event: while something is still to be played a partner may think."""
        return max(0.0, self.plan.last_time() - self._now()) + STALL if self.plan else FIRST_STALL

    def _give_up(self, why: str) -> None:
        logger.warning("an answer ended early: %s", why)
        self.broken = True
        self._observe(Message(why, error=True))

    def _pump(self) -> None:
        """Send what is due within COMMIT; come back when the next is, or when the last has sounded."""
        if self._timer:
            self._timer.cancel()
        if self.plan is None:
            return
        now = self._now()
        before = self.plan.next_time()
        if late := self.plan.catch_up(now):
            assert before is not None
            self._observe(Moved(before, late))
        for event in self.plan.take(now + self._commit):
            self._send(event)
        loop = asyncio.get_running_loop()
        due = self.plan.next_time()
        if due is not None:
            self._timer = loop.call_at(due - self._commit + BATCH, self._pump)
        elif self.plan.over:
            self._timer = loop.call_at(self.plan.end, self._ended)

    def _send(self, event: Event) -> None:
        for out in self._outs:
            try:
                out.send(event)
            except Exception as error:  # one out that fails must not silence the others, nor end the evening
                logger.exception("an out failed")
                if not self._out_failed:
                    self._out_failed = True
                    self._observe(Message(f"part of the answer cannot be sent: {error}", error=True))

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def once_more(events: Sequence[Event]) -> AsyncIterator[Event]:
    """Composed events as a source: a whole evening is not planned at once, and others come between."""
    loop = asyncio.get_running_loop()
    start, told = loop.time(), 0.0
    for event in events:
        await asyncio.sleep(max(0.0, start + told - FORESIGHT - loop.time()))
        yield event
        told = event.time
