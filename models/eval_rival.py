"""How good a rival is, by the measures of `models/eval_partner.py`.

Nats a note are of a whole piece but its first wait (`biaxial`: but its first step), over its notes. The
composers of chord symbols say the same notes as the neural partner, with gaps and velocities in the same
bins; they say lengths where it says releases, and know nothing of the pedal. `biaxial` says less: notes on a
grid of 125 ms, without touch, of the first 64 s of each piece; the neural kind taught on grids says the same of
them (`models/grid_net.py`), what others say of them is bounded from above in `models/grid_bound.py`. The neural
partner is asked of the same pieces, as they are and with the pedal's events left out, and how many nats the rival
needs more has an interval paired by piece. Answers are judged alike for all.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from duet.errors import CheckpointError, FileError
from duet.piece import Piece
from models import grid_net
from models.biaxial import BiaxialNet
from models.chord_net import ChordNet
from models.eval_notes import interval, leads, steps_of_tune, sums_of
from models.events import PEDAL_DOWN
from models.grid_bound import bound_of_chords, bound_of_net
from models.judge_answers import judge_answers
from models.nats import nats_of_net
from models.partner_data import Tune, read_tunes, write_tunes
from models.partner_file import is_of_kind, load_net
from models.partners import RIVALS, WEIGHTS
from models.rivals import is_rival, load_rival

logger = logging.getLogger(__name__)

Row = dict[str, float]
"""What a piece adds to the figures: at least "nats" and "notes"."""


def evaluate_rival(
    name_or_path: str,
    test: Iterable[Piece],
    cache: Path,
    *,
    answers: int = 150,
    seed: int = 0,
    against: Path | None = None,
) -> dict[str, Any]:
    """All figures of a rival on held-out pieces; cache: folder where their tokens are kept.

    against: weights of the neural partner or of another rival to be asked the same, the shipped neural ones if None.
    """
    path = WEIGHTS / f"{name_or_path}.safetensors" if name_or_path in RIVALS else Path(name_or_path)
    rival = load_rival(path)
    on_grid = isinstance(rival.net, BiaxialNet)
    ask = asked(against or WEIGHTS / "partner.safetensors", on_grid)
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "test.npz").exists():
        write_tunes(cache / "test.npz", test)
    tunes = read_tunes(cache / "test.npz")
    if not tunes:
        raise FileError("no piece to judge on; --data takes a folder of MIDI files of 16 notes or more")
    tiers: dict[bool, list[Row]] = defaultdict(list)
    others: dict[bool, list[Row]] = defaultdict(list)
    unpedalled: dict[bool, list[Row]] = defaultdict(list)
    sources: dict[str, list[Row]] = defaultdict(list)
    for tune in tunes:
        row = rival.nats(tune)
        tiers[tune.expressive].append(row)
        others[tune.expressive].append(ask(tune))
        if not on_grid:
            unpedalled[tune.expressive].append(ask(without_pedal(tune)))
        sources[tune.source or "."].append(row)
    played = [tune for tune in tunes if tune.expressive] or tunes
    tier = bool(tiers[True])
    ours = tiers[tier]
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
        "against": _compared(ours, others[tier]),
        "against_without_pedal": _compared(ours, unpedalled[tier]) if unpedalled else None,
        "scores_against": _compared(tiers[False], others[False]) if tiers[False] else None,
        **judge_answers({rival.name: rival.partner()}, played, answers, seed),
    }


def without_pedal(tune: Tune) -> Tune:
    """The tune's keys alone, so that nobody is told by a pedal when the next one comes."""
    return replace(tune, tokens=tune.tokens[tune.tokens["token"] < PEDAL_DOWN])


def asked(weights: Path, on_grid: bool) -> Callable[[Tune], Row]:
    """What some weights expect of a tune, or at most expect of it on the grid."""
    if is_rival(weights):
        other = load_rival(weights)
        if not isinstance(other.net, ChordNet):
            raise CheckpointError(f"{weights}: its nats are of a grid; compare with another kind of weights")
        net = other.net
        return (lambda tune: bound_of_chords(net, tune)) if on_grid else other.nats
    if is_of_kind(weights, grid_net.GridNet.kind):
        if not on_grid:
            raise CheckpointError(f"{weights}: knows music on a grid only; compare it with biaxial")
        on_grids = load_net(weights, grid_net.GridNet)
        return lambda tune: grid_net.nats_of_tune(on_grids, tune)
    neural = load_net(weights)
    if on_grid:
        return lambda tune: bound_of_net(neural, tune)

    def ask(tune: Tune) -> Row:
        steps = steps_of_tune(tune)
        return sums_of(tune, steps, nats_of_net(neural, steps))

    return ask


def _compared(ours: list[Row], others: list[Row]) -> dict[str, Any]:
    """The other's nats on the same pieces, and how many more the rival needs."""
    more = leads(others, ours)
    return {
        "nats_per_note": _ratio(others),
        "nats_per_note_interval": interval(others),
        "rival_needs_more": _ratio(more),
        "rival_needs_more_interval": interval(more),
    }


def _ratio(rows: list[Row], above: str = "nats", below: str = "notes") -> float:
    return round(sum(row[above] for row in rows) / max(1e-9, sum(row[below] for row in rows)), 4)
