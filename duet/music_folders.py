"""Where the music to learn from and to judge on lies, and where trainings and judgements keep what they made."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from duet.errors import FileError

RUNS = Path("runs")
BENCHMARKS = (Path("benchmarks"), Path("../shared/benchmarks"))
CORPORA = (Path("corpus"), Path("../shared/corpus"))
"""Where data are looked for without --data: here, and where Duet's own developers have theirs."""


def data_of(options: argparse.Namespace) -> Path:
    """The folder of music meant. Raises FileError if none is named and none is found."""
    return found(options.data, CORPORA, "music to learn from or to judge on", "a folder of MIDI files")


def found(named: Path | None, usual: Sequence[Path], what: str, to_name: str) -> Path:
    """The folder named, or the first of the usual ones that is there. Raises FileError."""
    folder = named or next((folder for folder in usual if folder.is_dir()), None)
    if folder is None:
        raise FileError(f"no {what}: name {to_name} with --data")
    return Path(folder)
