"""What a network expects of music it never heard: nats a note, beside those of simple baselines.

Nats a note are all the nats of a piece but those of its pedal events, over its notes, teacher-forced, the
whole piece being one turn of the partner's with no style label; velocities count only where they are real.
Performances (tier A) make the headline, scores (tier B) stand apart. Intervals are 95 % bootstraps over
pieces, those of the lead over a baseline paired by piece.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.events import OFF, PARTNER, PEDAL_DOWN, PLAYED, Metre
from models.kept_rows import Desk, Row
from models.nats import Steps, nats_of_net
from models.partner import PartnerNet
from models.partner_baseline import Chain
from models.partner_data import Tune


def steps_of_tune(tune: Tune) -> Steps:
    """A tune as one turn of the partner's; velocities that mean nothing are those of an even player."""
    metre = Metre()
    rows = tune.tokens.tolist()
    gap = np.array([0, *(metre.gap(time) for time, _, _ in rows)])
    token = np.array([PARTNER, *(token for _, token, _ in rows)])
    velocity = np.array([0, *(velocity // 4 for _, _, velocity in rows)])
    if not tune.real_velocity:
        made_up = np.random.default_rng(0).normal(16, 1.5, len(token)).round().astype(np.int64)
        velocity = np.where(token < OFF, made_up, 0)
    return gap, token, velocity


def sums_of(tune: Tune, steps: Steps, nats: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """What a piece adds to the figures."""
    token = steps[1]
    pedal = (token >= PEDAL_DOWN) & (token < PLAYED)
    total = nats["gap"] + nats["token"] + (nats["velocity"] if tune.real_velocity else 0)
    sums = {part: float(nats[part][~pedal].sum()) for part in ("gap", "token", "velocity")}
    sums["velocity"] *= tune.real_velocity
    return {
        **sums,
        "nats": float(total[~pedal].sum()),
        "pedal_nats": float(total[pedal].sum()),
        "pedals": float(pedal.sum()),
        "notes": float((token < OFF).sum()),
        "seconds": float(tune.tokens["time"][-1] - tune.tokens["time"][0]),
    }


def interval(rows: Sequence[dict[str, float]], above: str = "nats", below: str = "notes") -> list[float]:
    """The 95 % bootstrap interval over pieces of a ratio of sums."""
    table = np.array([[row[above], row[below]] for row in rows])
    draws = np.random.default_rng(0).integers(0, len(table), (1000, len(table)))
    totals = table[draws].sum(1)
    return [round(float(q), 3) for q in np.quantile(totals[:, 0] / totals[:, 1], [0.025, 0.975])]


def _ratio(rows: Sequence[dict[str, float]], above: str = "nats", below: str = "notes") -> float:
    return round(sum(row[above] for row in rows) / max(1e-9, sum(row[below] for row in rows)), 4)


def judge_notes(
    net: PartnerNet,
    tunes: Sequence[Tune],
    chain_for: Callable[[int], Chain | None],
    against: PartnerNet | None = None,
    desk: Desk | None = None,
    about: str = "",
) -> dict[str, Any]:
    """Nats a note and a second, of the network and of the baselines.

    chain_for: the baseline for the tune of a number, which it has not learnt from; None if there is none.
    against: a network to stand among the baselines. desk: where the rows are kept; about: what else they depend on.
    """

    def judged(number: int) -> Row:
        """What one piece adds to the figures, by who expects it."""
        steps = steps_of_tune(tunes[number])
        ways: dict[str, Callable[[], dict[str, NDArray[np.float64]]]] = {
            "neural": lambda: nats_of_net(net, steps)
        }
        if chain := chain_for(number):
            ways["markov"] = lambda: chain.nats(*steps)
            ways["unigram"] = lambda: chain.nats(*steps, longest=1)
        if against:
            ways["against"] = lambda: nats_of_net(against, steps)
        return {name: sums_of(tunes[number], steps, way()) for name, way in ways.items()}

    rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    sources: dict[str, list[Row]] = defaultdict(list)
    kept = (desk or Desk()).rows("notes", __name__, judged, len(tunes), about)
    for tune, row in zip(tunes, kept, strict=True):
        for name, sums in row.items():
            rows[name, "A" if tune.expressive else "B"].append(sums)
        sources[tune.source or "."].append(row)
    tier = "A" if rows["neural", "A"] else "B"
    ours = rows["neural", tier]
    baselines = ("markov", "unigram", "against")
    names = [name for name in baselines if rows[name, tier]]
    return {
        "pieces": len(ours),
        "notes": int(sum(row["notes"] for row in ours)),
        "nats_per_note": _ratio(ours),
        "nats_per_note_interval": interval(ours),
        "nats_per_second": _ratio(ours, below="seconds"),
        "nats_per_note_parts": {part: _ratio(ours, part) for part in ("gap", "token", "velocity")},
        "pedal_nats_per_pedal": _ratio(ours, "pedal_nats", "pedals"),
        "baseline_nats_per_note": {name: _ratio(rows[name, tier]) for name in names},
        "baseline_intervals": {name: interval(rows[name, tier]) for name in names},
        "lead_intervals": {name: interval(leads(ours, rows[name, tier])) for name in names},
        "scores_nats_per_note": {
            name: _ratio(rows[name, "B"]) for name in ("neural", *baselines) if rows[name, "B"]
        },
        "by_tier": {tier: _figures(rows["neural", tier]) for tier in "AB" if rows["neural", tier]},
        "by_source": {source: _beside(part) for source, part in sorted(sources.items())},
    }


def _beside(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of a source, and if there are other weights to compare with, theirs and the lead over them."""
    ours, theirs = [row["neural"] for row in rows], [row["against"] for row in rows if "against" in row]
    beside = {"against": _ratio(theirs), "lead_interval": interval(leads(ours, theirs))} if theirs else {}
    return _figures(ours) | beside


def _figures(rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {
        "nats_per_note": _ratio(rows),
        "interval": interval(rows),
        "nats_per_second": _ratio(rows, below="seconds"),
        "pedal_nats_per_pedal": _ratio(rows, "pedal_nats", "pedals"),
        "pieces": len(rows),
    }


def leads(ours: Sequence[dict[str, float]], theirs: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """By piece, how many nats a baseline needs more."""
    return [
        {"nats": other["nats"] - row["nats"], "notes": row["notes"]}
        for row, other in zip(ours, theirs, strict=True)
    ]
