"""The takes in a folder: what a list of them shows, and how a person names one."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from duet.errors import FileError, TakeError, nearest
from duet.midi import read_conductor
from duet.take_story import Answer, answers_of

DATED = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d)-(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True)
class TakeFile:
    """One of them, as the list shows it; its notes are not read yet."""

    path: Path
    number: int
    """1 is the latest."""
    date: str
    """Year-month-day and the time it began."""
    seconds: float
    answers: tuple[Answer, ...]
    """Empty if the file is not one of ours."""

    @property
    def turns(self) -> int:
        """How many calls were answered."""
        return len({answer.turn for answer in self.answers})

    @property
    def kept(self) -> list[int]:
        """The turns marked as worth keeping."""
        return sorted({answer.turn for answer in self.answers if answer.kept})

    def asked(self, name: str) -> list[str]:
        """What was asked under that name, each once: the partners, the styles, the seeds, ..."""
        held = (
            getattr(answer, name) if name in {"partner", "voice"} else answer.settings.get(name, "")
            for answer in self.answers
        )
        return list(dict.fromkeys(str(value) for value in held if value not in (None, "")))


def default_folder() -> Path:
    """Where takes are kept unless --takes says otherwise."""
    import platformdirs

    return platformdirs.user_music_path() / "Duet"


def list_takes(folder: Path) -> list[TakeFile]:
    """All of them, the latest first; a file that cannot be read is left out."""
    found = []
    for path in folder.glob("*.mid") if folder.is_dir() else ():
        try:
            words, seconds = read_conductor(path)
            found.append((_date(path), path, seconds, tuple(answers_of(words))))
        except FileError:
            continue
    return [
        TakeFile(path, number, date, seconds, answers)
        for number, (date, path, seconds, answers) in enumerate(sorted(found, reverse=True), 1)
    ]


def _date(path: Path) -> str:
    if named := DATED.match(path.name):
        return "{} {}:{}:{}".format(*named.groups())
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(path.stat().st_mtime))


def choose_take(wanted: str, folder: Path) -> TakeFile:
    """The take a person means by its number in the list, by a path, or by a part of its name. Raises TakeError."""
    takes = list_takes(folder)
    if Path(wanted).is_file():
        path = Path(wanted)
        here = [take for take in takes if take.path.resolve() == path.resolve()]
        words, seconds = read_conductor(path)
        return here[0] if here else TakeFile(path, 0, _date(path), seconds, tuple(answers_of(words)))
    if not takes:
        raise TakeError(f"{folder}: no take is there yet; play one, or name another folder with --takes")
    if wanted.isdecimal() and 1 <= int(wanted) <= len(takes):
        return takes[int(wanted) - 1]
    matches = [take for take in takes if wanted.casefold() in take.path.stem.casefold()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = "; ".join(f"{take.number}: {take.path.stem}" for take in matches)
        raise TakeError(f"{wanted!r} could be any of {len(matches)} takes: {names}; say the number")
    close = nearest(wanted, [take.path.stem for take in takes])
    raise TakeError(
        f"no take is called {wanted!r}{close or f'; `duet takes` lists the {len(takes)} there are'}"
    )
