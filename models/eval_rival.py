"""How good a rival is, by the measures of `models/eval_partner.py`.

Nats a note are of a whole piece but its first wait (`biaxial`: but its first step), over its notes. The
composers of chord symbols say the same notes as the neural partner, with gaps and velocities in the same
bins; they say lengths where it says releases, and know nothing of the pedal. `biaxial` says less: notes on a
grid of 125 ms, without touch, of the first 64 s of each piece; its figure compares only with other grids.
Answers are judged alike for all.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from duet.errors import FileError
from duet.piece import Piece
from models.eval_answers import judge_answers
from models.eval_partner import interval
from models.partner_data import read_tunes, write_tunes
from models.partners import RIVALS, WEIGHTS
from models.rivals import load_rival

logger = logging.getLogger(__name__)


def evaluate_rival(
    name_or_path: str, test: Iterable[Piece], cache: Path, *, answers: int = 150, seed: int = 0
) -> dict[str, Any]:
    """All figures of a rival on held-out pieces; cache: folder where their tokens are kept."""
    path = WEIGHTS / f"{name_or_path}.safetensors" if name_or_path in RIVALS else Path(name_or_path)
    rival = load_rival(path)
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "test.npz").exists():
        write_tunes(cache / "test.npz", test)
    tunes = read_tunes(cache / "test.npz")
    if not tunes:
        raise FileError("no piece to judge on; --data takes a folder of MIDI files of 16 notes or more")
    tiers: dict[bool, list[dict[str, float]]] = defaultdict(list)
    sources: dict[str, list[dict[str, float]]] = defaultdict(list)
    for tune in tunes:
        row = rival.nats(tune)
        tiers[tune.expressive].append(row)
        sources[tune.source or "."].append(row)
    played = [tune for tune in tunes if tune.expressive] or tunes
    ours = tiers[True] or tiers[False]
    logger.info("nats a note: %s", _ratio(ours))
    return {
        "partner": rival.name,
        "pieces": len(ours),
        "notes": round(sum(row["notes"] for row in ours)),
        "nats_per_note": _ratio(ours),
        "nats_per_note_interval": interval(ours),
        "nats_per_second": _ratio(ours, below="seconds"),
        "nats_per_note_parts": {
            part: _ratio(ours, part) for part in ours[0] if part not in ("nats", "notes", "seconds")
        },
        "scores_nats_per_note": _ratio(tiers[False]) if tiers[False] else None,
        "by_source": {source: _ratio(rows) for source, rows in sorted(sources.items())},
        **judge_answers({rival.name: rival.partner()}, played, answers, seed),
    }


def _ratio(rows: list[dict[str, float]], above: str = "nats", below: str = "notes") -> float:
    return round(sum(row[above] for row in rows) / max(1e-9, sum(row[below] for row in rows)), 4)
