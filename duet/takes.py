"""A take: everything both players did in one session, kept as a MIDI file of two tracks.

While the session lasts it is a journal, a line an event, written at the end of each turn; the MIDI file is
made of it when the session ends, or by the next session if this one ended with the power.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from duet.errors import FileError
from duet.midi import write_midi
from duet.news import Cut, News, Played, Turned, Who
from duet.note import Event, NoteOff, NoteOn, Pedal, at, cut
from duet.take_story import Answer, Story, answer_of_line, latest, words_of
from duet.take_story import line_of as story_line

logger = logging.getLogger(__name__)

JOURNAL = ".journal"
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

    def settle(self) -> list[Event]:
        """The turn is over and nothing can be taken back any more; return what is new since the last time."""
        new, self._recent = self._recent, []
        self._settled += new
        return new


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
        self._tell = tell
        self._hands = {Who.PLAYER: Hands(), Who.PARTNER: Hands()}
        self._story = Story()
        now = time.strftime("%Y-%m-%d %H-%M-%S")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = {path.name.split(".")[0] for path in folder.iterdir()}
            name = next(name for n in count(1) if (name := now if n == 1 else f"{now} ({n})") not in taken)
            self.path = folder / f"{name}.mid"
            self._journal = folder / f"{name}.{os.getpid()}{JOURNAL}"
            self._file = self._journal.open("x")
        except OSError as error:
            raise FileError(
                f"{folder}: takes cannot be kept there ({error.strerror}); name another folder with --takes"
            ) from error

    def observe(self, news: News) -> None:
        """Take what the session reports."""
        if answer := self._story.observe(news):
            self._write([ANSWER + story_line(answer)])
        match news:
            case Played(who, event):
                self._hands[who].add(event)
            case Cut(time):
                self._hands[Who.PARTNER].cut(time)
            case Turned("IDLE"):
                self._keep()

    def close(self) -> Path | None:
        """Write the MIDI file; return where it is, or None if nothing was played."""
        self._keep()
        with contextlib.suppress(OSError):  # a full disk has been told of
            self._file.close()
        if not any(hands.events for hands in self._hands.values()):
            self._journal.unlink(missing_ok=True)
            return None
        try:
            write_take(
                self.path,
                self._hands[Who.PLAYER].events,
                self._hands[Who.PARTNER].events,
                self._story.answers,
            )
        except FileError as error:
            self._tell(f"{error}; the take's journal is {self._journal}")
            return None
        self._journal.unlink(missing_ok=True)
        return self.path

    def _keep(self) -> None:
        self._write([line_of(who, event) for who, hands in self._hands.items() for event in hands.settle()])

    def _write(self, lines: list[str]) -> None:
        try:
            self._file.writelines(line + "\n" for line in lines)
            self._file.flush()
        except (OSError, ValueError) as error:
            self._tell(f"{self._journal}: the take cannot be written ({error}); it is kept in memory")
            self._tell = logger.warning  # said once


def line_of(who: Who, event: Event) -> str:
    """A journal's line: who, when, what."""
    match event:
        case NoteOn(time, pitch, velocity):
            return json.dumps([who.value, time, "on", pitch, velocity])
        case NoteOff(time, pitch):
            return json.dumps([who.value, time, "off", pitch, 0])
        case Pedal(time, value):
            return json.dumps([who.value, time, "pedal", 0, value])


def event_of_line(line: str) -> tuple[Who, Event]:
    """Read a journal's line back. Raises ValueError."""
    who, time, what, pitch, value = json.loads(line)
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
        hands: dict[Who, list[Event]] = {Who.PLAYER: [], Who.PARTNER: []}
        answers: list[Answer] = []
        for line in journal.read_text().splitlines():
            if line.startswith(ANSWER):
                answer = answer_of_line(line.removeprefix(ANSWER))
                answers += [answer] if answer else []
                continue
            try:
                who, event = event_of_line(line)
            except ValueError:
                break  # cut off in the middle of a line
            hands[who].append(event)
        if any(hands.values()):
            made.append(folder / f"{name}.mid")
            write_take(made[-1], hands[Who.PLAYER], hands[Who.PARTNER], latest(answers))
        journal.unlink()
    return made
