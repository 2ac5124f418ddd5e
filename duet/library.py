"""A folder of MIDI files as pieces: the shared corpus with its manifest, or anybody's own files.

With a `manifest.csv` in the folder, splits, tiers and licences are the manifest's. Without, every MIDI
file below it counts, and a file's split is drawn from a hash of its name: 80 % train, 10 % valid, 10 % test.
"""

import csv
import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from duet.errors import FileError
from duet.midi import read_midi
from duet.piece import Piece

logger = logging.getLogger(__name__)

COMPOSERS = [
    "bach",
    "beethoven",
    "brahms",
    "chopin",
    "debussy",
    "grieg",
    "haydn",
    "liszt",
    "mendelssohn",
    "mozart",
    "schubert",
    "schumann",
]
"""Composers with enough music in the corpus to be a style of their own."""


def read_pieces(folder: Path, splits: tuple[str, ...] = ("train", "valid", "test")) -> Iterator[Piece]:
    """Yield the pieces of a folder; a file that does not parse is logged and left out.

    The order is fixed and takes the collections in turn, so that any first few are a fair sample of all.

    Raises FileError if the folder is not there or holds no MIDI file of those splits.
    """
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder; --data takes a folder of MIDI files")
    found = False
    for row in _in_turn(_rows(folder)):
        if row["split"] not in splits:
            continue
        try:
            events = tuple(read_midi(folder / row["file"]))
        except FileError as error:
            logger.warning("left out: %s", error)
            continue
        found = True
        yield Piece(
            row["file"],
            events,
            row["split"],
            row.get("source", ""),
            style_of(row["file"]),
            row.get("tier", "A") == "A",
            row.get("real_velocity", "1") == "1",
        )
    if not found:
        raise FileError(f"{folder}: holds no MIDI file of the split {' or '.join(splits)}")


def has_manifest(folder: Path) -> bool:
    """Whether the folder says itself which pieces are held out."""
    return (folder / "manifest.csv").exists()


def versions(folder: Path) -> dict[str, str]:
    """What piece each file is a version of, by the manifest; empty if there is none or it does not say."""
    rows = _rows(folder) if has_manifest(folder) else []
    return {row["file"]: row["piece_cluster"] for row in rows if row.get("piece_cluster")}


def _rows(folder: Path) -> list[dict[str, str]]:
    if has_manifest(folder):
        with (folder / "manifest.csv").open(newline="") as lines:
            return [row for row in csv.DictReader(lines) if (folder / row["file"]).exists()]
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".mid", ".midi"})
    names = [str(path.relative_to(folder)) for path in files]
    return [{"file": name, "split": _draw_split(name)} for name in names]


def _in_turn(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """One of each source, drawn by a hash of its name, then the next of each."""
    places: Counter[str] = Counter()
    ordered: list[tuple[int, dict[str, str]]] = []
    for row in sorted(rows, key=lambda row: _hash(row["file"])):
        source = row.get("source", "")
        ordered.append((places[source], row))
        places[source] += 1
    return [row for _, row in sorted(ordered, key=lambda item: (item[0], item[1].get("source", "")))]


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _draw_split(name: str) -> str:
    draw = _hash(name)[0]
    return "train" if draw < 205 else "valid" if draw < 230 else "test"


def style_of(name: str) -> str:
    """The style label in a corpus path: a composer, "pop", "jazz", or none."""
    if "pop909" in name:
        return "pop"
    if "wjazzd" in name or "openewld" in name:
        return "jazz"
    folders = name.lower().replace("-", "/").replace("_", "/").split("/")
    return next((composer for composer in COMPOSERS if composer in folders), "")
