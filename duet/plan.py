"""The answer on an absolute timeline: composed ahead, let out when due, cut off at any moment.

Every note-on that `take` lets out is followed by exactly one note-off, out of `take` or out of `stop`; a
pedal that went down comes up. What has been let out is committed; what has not may still be dropped.
"""

import heapq
import math
from itertools import count

from duet.note import Event, NoteOff, NoteOn, Pedal, at, order

LONGEST_NOTE = 12.0
"""Seconds after which a note is ended for its composer."""
SHORTEST_NOTE = 0.01
"""Seconds a note lasts at least when the end of the answer is what ends it."""
TOLERANCE = 0.03
"""Seconds an event may be late and still keep its place; later ones shift the rest of the plan."""


class Plan:
    """One answer. Composed times count from its first onset; everything let out is on the session clock."""

    def __init__(self, origin: float, step: float | None = None) -> None:
        self.origin = origin
        """Where the answer's time 0 lies, session clock; moves later when composing falls behind."""
        self._step = step
        """Seconds from beat to beat: what is late moves by whole ones. None if there is no beat to keep."""
        self.finished = False
        """True once nothing more will be added."""
        self._waiting: list[tuple[tuple[float, int], int, Event]] = []
        self._count = count()
        self._sounding: dict[int, float] = {}
        self._pedal_down = False
        self._last = origin

    def add(self, event: Event, now: float) -> Event:
        """Put a composed event on the timeline; return it as it stands there.

        If it is already late by more than TOLERANCE the rest of the answer moves later with it, by whole
        beats if there is a beat: better a breath than a burst of notes that make up for lost time.
        """
        self.origin += self._shift(now - (self.origin + event.time))
        placed = at(event, self.origin + event.time)
        self._put(placed)
        return placed

    def catch_up(self, now: float) -> float:
        """If what waits should have been let out long ago, move all of it later; return by how much.

        It happens when the whole program has been held up, by a sleeping laptop for one.
        """
        if not self._waiting:
            return 0.0
        shift = self._shift(now - self._waiting[0][2].time)
        if shift:
            self.origin += shift
            moved = [at(event, event.time + shift) for _, _, event in sorted(self._waiting)]
            self._waiting.clear()
            for event in moved:
                self._put(event)
        return shift

    def finish(self, not_before: float = float("-inf")) -> None:
        """Nothing more will be added: see to it that what stays open is closed at the end.

        not_before: when that is at the earliest, session clock.
        """
        if self.finished:
            return
        self.finished = True
        open_keys, pedal_down = dict(self._sounding), self._pedal_down
        end = max(self._last, not_before)
        for _, _, event in sorted(self._waiting):
            end = max(end, event.time)
            match event:
                case NoteOn(time, pitch, _):
                    open_keys[pitch] = time
                case NoteOff(_, pitch):
                    open_keys.pop(pitch, None)
                case Pedal():
                    pedal_down = event.down
        for pitch, struck in open_keys.items():
            self._put(NoteOff(max(end, struck + SHORTEST_NOTE), pitch))
        if pedal_down:
            self._put(Pedal(end + SHORTEST_NOTE, 0))

    def next_time(self) -> float | None:
        """When the next event is due; None if nothing waits."""
        times = [self._waiting[0][2].time] if self._waiting else []
        times += [min(self._sounding.values()) + LONGEST_NOTE] if self._sounding else []
        return min(times, default=None)

    def last_time(self) -> float:
        """When the last event known so far is due or was let out."""
        return max([self._last, *(event.time for _, _, event in self._waiting)])

    @property
    def over(self) -> bool:
        """True when all is composed and all is let out and ended."""
        return self.finished and not self._waiting and not self._sounding

    @property
    def end(self) -> float:
        """The time of the last event let out."""
        return self._last

    def take(self, until: float) -> list[Event]:
        """Let out what is due before `until`, in playing order."""
        events: list[Event] = []
        while (due := self.next_time()) is not None and due < until:
            if self._waiting and self._waiting[0][2].time <= due:
                events.extend(self._let_out(heapq.heappop(self._waiting)[2]))
            else:
                pitch = min(self._sounding, key=self._sounding.__getitem__)
                events.extend(self._let_out(NoteOff(due, pitch)))
        return events

    def stop(self, now: float) -> list[Event]:
        """Drop what waits; return what ends everything that sounds, at `now`."""
        self._waiting.clear()
        self.finished = True
        ends: list[Event] = [NoteOff(now, pitch) for pitch in self._sounding]
        if self._pedal_down:
            ends.append(Pedal(now, 0))
        self._sounding.clear()
        self._pedal_down = False
        self._last = max(self._last, now)
        return ends

    def heard(self, now: float) -> float:
        """How much of the answer has passed by `now`, in composed seconds."""
        return max(0.0, now - self.origin)

    def _shift(self, late: float) -> float:
        """By how much to move what is so late: not at all, by as much, or to the next beat."""
        if late <= TOLERANCE:
            return 0.0
        return late if self._step is None else math.ceil(late / self._step) * self._step

    def _put(self, event: Event) -> None:
        heapq.heappush(self._waiting, (order(event), next(self._count), event))

    def _let_out(self, event: Event) -> list[Event]:
        self._last = max(self._last, event.time)
        match event:
            case NoteOn(time, pitch, _):
                again: list[Event] = [NoteOff(time, pitch)] if pitch in self._sounding else []
                self._sounding[pitch] = time
                return [*again, event]
            case NoteOff(_, pitch):
                return [event] if self._sounding.pop(pitch, None) is not None else []
            case Pedal():
                self._pedal_down = event.down
                return [event]
