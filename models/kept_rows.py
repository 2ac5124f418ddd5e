"""Long evaluations go row by row: each row is kept as it is made, processes share the work, the log says how far it is.

What was stopped goes on where it was, as long as neither the weights nor the code that makes the rows have changed:
both are in the name of the file where they are kept.
"""

import hashlib
import json
import logging
import multiprocessing
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

logger = logging.getLogger(__name__)
Row = dict[str, Any]
"""What JSON can hold."""
ROOT = Path(__file__).resolve().parents[1]
SAID_EVERY = 30.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where rows are kept and by how many processes they are made."""

    folder: Path | None = None
    """None keeps nothing."""
    workers: int = 1
    weights: str = ""
    """What tells the weights from others."""

    def rows(
        self, name: str, code: str, work: Callable[[int], Row], number: int, options: str = ""
    ) -> list[Row]:
        """The rows 0 .. number - 1, in order: those kept, and what `work` makes of the others.

        code: the module whose source, with all that it imports from this project, the rows depend on; options: on
        what else they do.
        """
        stamp = _digest(code, f"{self.weights} {options}")
        path = self.folder / f"{name}-{stamp}.jsonl" if self.folder else None
        found = _read(path)
        missing = [index for index in range(number) if index not in found]
        if found:
            logger.info("%s: %d of %d are kept in %s", name, number - len(missing), number, path)
        said = began = time.monotonic()
        for done, (index, row) in enumerate(_made(work, missing, self.workers), 1):
            found[index] = json.loads(json.dumps(row))
            if path:
                with path.open("a") as file:
                    file.write(json.dumps([index, row]) + "\n")
            if time.monotonic() > said + SAID_EVERY:
                said = time.monotonic()
                left = (said - began) / done * (len(missing) - done) / 60
                logger.info("%s: %d of %d, %.1f minutes to go", name, len(found), number, left)
        return [found[index] for index in range(number)]


def digest_of(*files: Path) -> str:
    """What tells files' contents from others'; files that are not there count as empty."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"-")
    return digest.hexdigest()[:16]


def sources_of(module: str) -> set[Path]:
    """The files of a module and of all that it imports from this project, wherever in it."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = ROOT.joinpath(*waiting.pop().split(".")).with_suffix(".py")
        if path not in found and path.exists():
            found.add(path)
            waiting += re.findall(r"^\s*from ((?:models|duet)\.[\w.]+) import", path.read_text(), re.M)
    return found


def _digest(code: str, options: str) -> str:
    return hashlib.sha256(f"{digest_of(*sorted(sources_of(code)))} {options}".encode()).hexdigest()[:12]


def _read(path: Path | None) -> dict[int, Row]:
    """The rows of a file; a last line that was cut short is none."""
    found: dict[int, Row] = {}
    if path and path.exists():
        text = path.read_text()
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole)
        found = dict(json.loads(line) for line in whole.splitlines())
    return found


_at_hand: list[Callable[[int], Row]] = []
"""What this process's workers are to do; they are copies of it, so nothing is sent to them but numbers."""


def _made(work: Callable[[int], Row], indices: Iterable[int], workers: int) -> Iterator[tuple[int, Row]]:
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from ((index, work(index)) for index in indices)
        return
    _at_hand.append(work)
    try:
        # One thread each: a copy waits for ever for the threads that its original's library had.
        with multiprocessing.get_context("fork").Pool(workers, torch.set_num_threads, (1,)) as pool:
            yield from pool.imap_unordered(_one, indices)
    finally:
        _at_hand.pop()


def _one(index: int) -> tuple[int, Row]:
    return index, _at_hand[-1](index)
