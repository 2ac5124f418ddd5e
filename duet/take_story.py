"""What is known of a take beside its notes: turn by turn, who answered and what was asked of them.

It is kept in the MIDI file itself, as text that any other program leaves alone, so it survives being moved, and
as markers, which a DAW shows over its timeline.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from duet.midi import Words
from duet.news import Answered, Kept, News, Setup, Turned

SIGN = "duet "
"""What our texts begin with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in a take."""

    turn: int
    time: float
    """When its call began, in seconds: on the session's clock while it lasts, in the file from its start."""
    answered: float
    """When the floor went to the partner, on the same clock."""
    partner: str
    voice: str
    """Empty if the answer went out as MIDI only."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for: the fields of Settings and its Character, as they were called then."""
    kept: bool = False
    """The player marked it as worth keeping."""


class Story:
    """Gathers the answers of a session from its news."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._setup: Setup | None = None
        self._began = self._handed = 0.0

    def observe(self, news: News) -> Answer | None:
        """Take what the session reports; return the answer that is new or has changed."""
        match news:
            case Setup():
                self._setup = news
            case Turned("CALL", _, time):
                self._began = time
            case Turned("RESPONSE", _, time):
                self._handed = time
            case Answered(turn) if self._setup:
                setup = self._setup
                settings = asdict(setup.settings)
                settings |= settings.pop("character")
                self.answers.append(
                    Answer(turn, self._began, self._handed, setup.partner, setup.voice, settings)
                )
                return self.answers[-1]
            case Kept() if self.answers:
                self.answers[-1] = replace(self.answers[-1], kept=True)
                return self.answers[-1]
        return None


def words_of(answers: Sequence[Answer], start: float) -> list[Words]:
    """What is written into the file whose time 0 is `start`."""
    words = []
    for answer in answers:
        time = max(0.0, answer.time - start)
        mark = f"turn {answer.turn}{' (kept)' if answer.kept else ''}"
        moved = replace(answer, time=time, answered=max(0.0, answer.answered - start))
        words += [Words(time, mark, marker=True), Words(time, SIGN + line_of(moved))]
    return words


def answers_of(words: Sequence[Words]) -> list[Answer]:
    """What was written into a file; of a file that is not ours, nothing."""
    found = []
    for each in words:
        if not each.marker and each.text.startswith(SIGN):
            answer = answer_of_line(each.text.removeprefix(SIGN))
            if answer:
                found.append(answer)
    return found


def line_of(answer: Answer) -> str:
    """One line of JSON, without what was left to the partner."""
    held = asdict(answer) | {"settings": {k: v for k, v in answer.settings.items() if v not in (None, "")}}
    return json.dumps(held)


def answer_of_line(line: str) -> Answer | None:
    """Read it back; None if it is no such line."""
    try:
        held = json.loads(line)
        return Answer(
            int(held["turn"]), float(held["time"]), float(held["answered"]), str(held["partner"]), str(held["voice"]),
            dict(held["settings"]), bool(held["kept"]),
        )  # fmt: skip
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def latest(answers: Sequence[Answer]) -> list[Answer]:
    """Of several lines about one answer the last one: a mark comes after it."""
    return list({(answer.turn, answer.answered): answer for answer in answers}.values())
