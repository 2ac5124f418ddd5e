"""The notes of a take, whole or some turns of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from duet.errors import TakeError
from duet.midi import read_tracks
from duet.note import Event, NoteOff, NoteOn, Pedal, at, let_go, order
from duet.take_list import TakeFile
from duet.take_story import Answer

PLAYER, PARTNER = "player", "partner"
"""The names of a take's two tracks."""
BREATH = 1.0
"""Seconds between turns that were picked out of a take."""


@dataclass(frozen=True, slots=True)
class Music:
    """The notes of a take, or of some turns of it, from time 0."""

    player: list[Event]
    partner: list[Event]
    answers: list[Answer]

    @property
    def both(self) -> list[Event]:
        """What was heard."""
        return sorted([*self.player, *self.partner], key=order)

    @property
    def start(self) -> float:
        """The first event's time."""
        return min((event.time for event in self.both), default=0.0)


def read_music(take: TakeFile, turns: str | None = None) -> Music:
    """Both players' notes; `turns`: "3", "3-5", or "kept". Raises FileError or TakeError."""
    tracks, _ = read_tracks(take.path)
    player, partner = tracks.get(PLAYER, []), tracks.get(PARTNER, [])
    if not player and not partner:
        raise TakeError(f"{take.path}: not a take of Duet's: it has no track called {PLAYER} or {PARTNER}")
    if turns is None:
        return Music(player, partner, list(take.answers))
    return _one_after_another(
        [_turn(player, partner, take.answers, number) for number in _turns(turns, take)]
    )


def _turns(text: str, take: TakeFile) -> list[int]:
    there = sorted({answer.turn for answer in take.answers})
    if text == "kept":
        wanted = take.kept
        if not wanted:
            raise TakeError(f"{take.path.name}: no turn of it is marked as kept")
        return wanted
    ends = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    wanted = [n for n in there if ends and int(ends[1]) <= n <= int(ends[2] or ends[1])]
    if not wanted:
        known = f"it has {there[0]} to {there[-1]}" if there else "it has none that were answered"
        raise TakeError(f"{take.path.name}: no such turns as {text!r}: say 3, 3-5 or kept; {known}")
    return wanted


def _turn(player: Sequence[Event], partner: Sequence[Event], answers: Sequence[Answer], number: int) -> Music:
    own = [answer for answer in answers if answer.turn == number]
    start = own[0].time - 0.001  # what was written as text is rounded to a tick
    end = min((answer.time for answer in answers if answer.time > own[0].time), default=float("inf")) - 0.001
    return Music(_between(player, start, end), _between(partner, start, end), own)


def _between(events: Sequence[Event], start: float, end: float) -> list[Event]:
    """What begins there; what sounds at the end is let go, what sounded before is left out."""
    kept: list[Event] = []
    down: set[int] = set()
    for event in events:
        match event:
            case NoteOn(time, pitch, _) if start <= time < end:
                down.add(pitch)
                kept.append(event)
            case NoteOff(time, pitch) if pitch in down and time < end:
                down.discard(pitch)
                kept.append(event)
            case Pedal(time) if start <= time < end:
                kept.append(event)
    last = kept[-1].time if kept else start
    return [*kept, *let_go(kept, min(end, max((event.time for event in events), default=last)))]


def _one_after_another(parts: Sequence[Music]) -> Music:
    """Several turns with a breath between them."""
    now = 0.0
    whole = Music([], [], [])
    for part in parts:
        shift = now - part.start
        for into, events in ((whole.player, part.player), (whole.partner, part.partner)):
            into.extend(at(event, event.time + shift) for event in events)
        for answer in part.answers:
            whole.answers.append(_moved(answer, shift))
        now = max((event.time for event in whole.both), default=now) + BREATH
    return whole


def _moved(answer: Answer, by: float) -> Answer:
    return replace(answer, time=max(0.0, answer.time + by), answered=answer.answered + by)
