"""A take: everything both players did in one session, kept as a MIDI file of two tracks.

While the session lasts it is a journal, a line an event, written as it happens (`duet/journal.py`); the MIDI
file is made when the session ends, or by the next session if this one ended with the power. What the partner
plans is written before it sounds, so a journal also says when it was cut or moved, and how late it was written.
"""

import json
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from duet.errors import FileError
from duet.journal import FLUSH, Journal
from duet.midi import write_midi
from duet.news import Cut, Moved, News, Played, Turned, Who
from duet.note import Event, NoteOff, NoteOn, Pedal, at, cut
from duet.take_story import Answer, Story, answer_of_line, latest, words_of
from duet.take_story import line_of as story_line

logger = logging.getLogger(__name__)

JOURNAL = ".journal"
NOW, CUT, MOVED = "now", "cut", "moved"
"""What a journal's line says that is no event: how late it is, and what became of what was planned."""
ANSWER = "answer "
"""What a journal's line about an answer begins with; all others are events."""


class Hands:
    """The events of one player, in order; what was planned and then cut is taken back."""

    def __init__(self) -> None:
        self._settled: list[Event] = []
        self._recent: list[Event] = []

    @property
    def events(self) -> list[Event]:
        """All of them."""
        return self._settled + self._recent

    def add(self, event: Event) -> None:
        """One more."""
        self._recent.append(event)

    def cut(self, time: float) -> None:
        """Nothing after `time` sounded; what sounded then ended then."""
        self._recent = cut(self._recent, time)

    def move(self, time: float, by: float) -> None:
        """What was planned from `time` on comes `by` seconds later."""
        self._recent = [at(event, event.time + by) if event.time >= time else event for event in self._recent]

    def settle(self) -> None:
        """The turn is over and nothing can be taken back any more."""
        self._settled += self._recent
        self._recent = []


def write_take(
    path: Path, player: Sequence[Event], partner: Sequence[Event], answers: Sequence[Answer]
) -> None:
    """Two named tracks whose time 0 is the first event of either, and their story. Raises FileError."""
    start = min((event.time for event in [*player, *partner]), default=0.0)
    tracks = {
        "player": [at(event, event.time - start) for event in player],
        "partner": [at(event, event.time - start) for event in partner],
    }
    write_midi(path, tracks, words_of(answers, start))


class Take:
    """Observes a session and keeps it. `tell(text)` is called once if the disk refuses."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Raises FileError if the folder cannot be made or written."""
        self.began: float | None = None
        """When its first event was, which is the MIDI file's time 0; session clock, seconds."""
        self._tell = tell
        self._hands = {Who.PLAYER: Hands(), Who.PARTNER: Hands()}
        self._story = Story()
        now = time.strftime("%Y-%m-%d %H-%M-%S")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = {path.name.split(".")[0] for path in folder.iterdir()}
            name = next(name for n in count(1) if (name := now if n == 1 else f"{now} ({n})") not in taken)
            self.path = folder / f"{name}.mid"
            self._ahead = float("-inf")
            self._journal = Journal(folder / f"{name}.{os.getpid()}{JOURNAL}", self._stamp)
        except OSError as error:
            raise FileError(
                f"{folder}: takes cannot be kept there ({error.strerror}); name another folder with --takes"
            ) from error

    def observe(self, news: News) -> None:
        """Take what the session reports."""
        if answer := self._story.observe(news):
            self._journal.add(ANSWER + story_line(answer))
        match news:
            case Played(who, event, recorded=True):
                self.began = event.time if self.began is None else self.began
                self._hands[who].add(event)
                self._ahead = max(self._ahead, event.time)
                self._journal.add(line_of(who, event))
            case Cut() | Moved():
                change(self._hands[Who.PARTNER], news)
                self._journal.add(line_of_change(news))
            case Turned("IDLE"):
                for hands in self._hands.values():
                    hands.settle()
        if self._journal.problem:
            self._tell(
                f"{self._journal.path}: the take cannot be written ({self._journal.problem}); it is kept in memory"
            )
            self._tell = logger.warning  # said once

    def write(self) -> None:
        """Bring the journal up to date now, rather than at its next writing."""
        self._journal.write()

    def close(self) -> Path | None:
        """Write the MIDI file; return where it is, or None if nothing was played."""
        self._journal.close()
        if not any(hands.events for hands in self._hands.values()):
            self._journal.path.unlink(missing_ok=True)
            return None
        try:
            write_take(
                self.path,
                self._hands[Who.PLAYER].events,
                self._hands[Who.PARTNER].events,
                self._story.answers,
            )
        except FileError as error:
            self._tell(f"{error}; the take's journal is {self._journal.path}")
            return None
        self._journal.path.unlink(missing_ok=True)
        return self.path

    def _stamp(self) -> str | None:
        """While something that was planned may yet sound, how late it is."""
        now = time.monotonic()
        if self._ahead == float("-inf") or now > self._ahead + 2 * FLUSH:
            return None
        return json.dumps(["", now, NOW, 0, 0])


def line_of(who: Who, event: Event) -> str:
    """A journal's line: who, when, what."""
    match event:
        case NoteOn(time, pitch, velocity):
            return json.dumps([who.value, time, "on", pitch, velocity])
        case NoteOff(time, pitch):
            return json.dumps([who.value, time, "off", pitch, 0])
        case Pedal(time, value):
            return json.dumps([who.value, time, "pedal", 0, value])


def change(hands: Hands, news: Cut | Moved) -> None:
    """What becomes of a plan that is cut or moved."""
    match news:
        case Cut(time):
            hands.cut(time)
        case Moved(time, by):
            hands.move(time, by)


def line_of_change(news: Cut | Moved) -> str:
    """A journal's line about the partner's plan."""
    by = news.by if isinstance(news, Moved) else 0
    return json.dumps([Who.PARTNER.value, news.time, MOVED if isinstance(news, Moved) else CUT, 0, by])


def event_of_line(line: str) -> tuple[Who, Event]:
    """Read a journal's line back. Raises ValueError."""
    who, time, what, pitch, value = json.loads(line)
    time, pitch, value = float(time), int(pitch), int(value)
    if not math.isfinite(time):
        raise ValueError(f"an event must have a time, got {time}")
    event: Event = (
        NoteOn(time, pitch, value)
        if what == "on"
        else NoteOff(time, pitch)
        if what == "off"
        else Pedal(time, value)
    )
    return Who(who), event


def is_alive(process: int) -> bool:
    """Whether a process of that number runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True


def recover(folder: Path, alive: Callable[[int], bool] = is_alive) -> list[Path]:
    """Make MIDI files of the journals that a crash or a power cut has left; return them."""
    made = []
    for journal in sorted(folder.glob(f"*{JOURNAL}")):
        name, _, process = journal.name.removesuffix(JOURNAL).rpartition(".")
        if process.isdecimal() and alive(int(process)):
            continue  # another session is writing it
        try:
            hands, answers = read_journal(journal.read_text(errors="replace").splitlines())
            if any(hands.values()):
                path = folder / f"{name}.mid"
                write_take(path, hands[Who.PLAYER], hands[Who.PARTNER], latest(answers))
                made.append(path)
            journal.unlink()
        except (OSError, FileError) as error:
            logger.warning("%s: cannot be made a take now, so it stays: %s", journal, error)
    return made


def read_journal(lines: Sequence[str]) -> tuple[dict[Who, list[Event]], list[Answer]]:
    """What both players played, as far as it sounded, and the answers' story; a torn line is left out."""
    hands = {who: Hands() for who in Who}
    answers: list[Answer] = []
    now = float("inf")
    for line in lines:
        if line.startswith(ANSWER):
            answer = answer_of_line(line.removeprefix(ANSWER))
            answers += [answer] if answer else []
            continue
        try:
            who, time, what, _, value = json.loads(line)
            match what:
                case "now":
                    now = float(time)
                case "cut":
                    hands[Who.PARTNER].cut(float(time))
                case "moved":
                    hands[Who.PARTNER].move(float(time), float(value))
                case _:
                    hands[Who(who)].add(event_of_line(line)[1])
        except (ValueError, TypeError, RecursionError):
            continue
    hands[Who.PARTNER].cut(now + FLUSH)
    return {who: each.events for who, each in hands.items()}, answers
