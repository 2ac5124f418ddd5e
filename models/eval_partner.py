"""How good the partner is: what it expects of music it never heard, and what its answers are like.

Nats a note are all the nats of a piece but those of its pedal events, over its notes, teacher-forced, the
whole piece being one turn of the partner's with no style label; velocities count only where they are real.
Performances (tier A) make the headline, scores (tier B) stand apart. Intervals are 95 % bootstraps over
pieces, those of the lead over a baseline paired by piece. Without a train split the baselines learn from one
half of the pieces what they are judged on in the other. `models/eval_answers.py` judges the answers.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.errors import FileError
from duet.piece import Piece
from models.eval_answers import Ear, Known, excerpt, judge_answers, passages
from models.eval_knobs import judge_knobs
from models.eval_styles import evaluate_styles
from models.events import OFF, PARTNER, PEDAL_DOWN, PLAYED, Metre
from models.markov import MarkovPartner
from models.nats import Steps, nats_of_net, surprisal
from models.neural import NeuralPartner
from models.partner import PartnerNet
from models.partner_baseline import Chain, chain_of
from models.partner_data import Tune, read_tunes, write_tunes
from models.partner_file import load_net

logger = logging.getLogger(__name__)


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
) -> dict[str, Any]:
    """Nats a note and a second, of the network and of the baselines.

    chain_for: the baseline for the tune of a number, which it has not learnt from; None if there is none.
    against: a network to stand among the baselines.
    """
    rows: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    sources: dict[str, list[dict[str, float]]] = defaultdict(list)
    for number, tune in enumerate(tunes):
        steps, tier = steps_of_tune(tune), "A" if tune.expressive else "B"
        ways: dict[str, Callable[[], dict[str, NDArray[np.float64]]]] = {
            "neural": lambda s=steps: nats_of_net(net, s)
        }
        if chain := chain_for(number):
            ways["markov"] = lambda s=steps, c=chain: c.nats(*s)
            ways["unigram"] = lambda s=steps, c=chain: c.nats(*s, longest=1)
        if against:
            ways["against"] = lambda s=steps, other=against: nats_of_net(other, s)
        for name, way in ways.items():
            row = sums_of(tune, steps, way())
            rows[name, tier].append(row)
            if name == "neural":
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
        "by_source": {source: _figures(part) for source, part in sorted(sources.items())},
    }


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


def _chain_of(tunes: Sequence[Tune], fit_on: Sequence[Tune]) -> Chain:
    chain = chain_of([steps_of_tune(tune) for tune in tunes], [tune.real_velocity for tune in tunes])
    chain.fit([steps_of_tune(tune) for tune in fit_on])
    return chain


def evaluate_partner(
    weights: Path,
    test: Iterable[Piece],
    train: Iterable[Piece] | None,
    cache: Path,
    *,
    answers: int = 150,
    seed: int = 0,
    knobs: int = 0,
    styles: int = 0,
    piece_of: Mapping[str, str] | None = None,
    against: Path | None = None,
) -> dict[str, Any]:
    """All figures of a weights file on held-out pieces.

    train: what the baselines learn from, or None to learn from one half of `test` for the other. cache:
    folder where the tokens of both are kept; what is there already is not read again. knobs, styles: on how
    many calls every knob is turned, every style asked for. piece_of: what piece each is a version of. against:
    other weights of the kind, to compare with piece by piece.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "test.npz").exists():
        write_tunes(cache / "test.npz", test)
    tunes = read_tunes(cache / "test.npz")
    if not tunes:
        raise FileError("no piece to judge on; --data takes a folder of MIDI files of 16 notes or more")
    played = [tune for tune in tunes if tune.expressive] or tunes
    partner = NeuralPartner(weights)
    result: dict[str, Any] = {}
    if knobs:
        calls = [excerpt(tune, start) for tune, start in passages(played, knobs, seed)]
        net = load_net(weights)
        result = judge_knobs(partner, calls, seed, surprise=lambda call, said: surprisal(net, call, said))
        logger.info("knobs: %s", result)
    if styles and train is not None:
        result["style"] = evaluate_styles(partner, tunes, _learnt(train, cache), piece_of or {}, styles, seed)
        logger.info("style: %s", result["style"])
    chain_for, learnt, result["baselines_learnt_from"] = _baselines(tunes, train, cache)
    result |= judge_notes(load_net(weights), tunes, chain_for, load_net(against) if against else None)
    logger.info("nats a note: %s", result["nats_per_note"])
    partners = {"neural": partner, "markov": MarkovPartner()}
    known = Known(learnt) if learnt else None
    found = judge_answers(partners, played, answers, seed, known, Ear(NeuralPartner(weights)))
    rates = found.get("copy_rate", {})
    return {**result, **found, "copy_rate": rates.get("neural"), "copy_rates": rates}


def _learnt(train: Iterable[Piece], cache: Path) -> list[Tune]:
    """The pieces of the splits train and valid."""
    if not (cache / "tokens.npz").exists():
        write_tunes(cache / "tokens.npz", train)
    return read_tunes(cache / "tokens.npz")


def _baselines(
    tunes: Sequence[Tune], train: Iterable[Piece] | None, cache: Path
) -> tuple[Callable[[int], Chain | None], list[Tune], str]:
    """A chain for each tune's number, the training set they know, and what they have learnt from."""
    if train is None:
        if len(tunes) < 2:
            return lambda number: None, [], "nothing: a folder of one piece has none to learn from"
        halves = [_chain_of(tunes[1 - half :: 2], tunes[1 - half :: 2][:4]) for half in (0, 1)]
        return lambda number: halves[number % 2], [], "the other half of the pieces"
    known = _learnt(train, cache)
    learnt = [tune for tune in known if tune.split == "train"]
    logger.info("counting for the baselines: %d pieces", len(learnt))
    held_out = [tune for tune in known if tune.split == "valid" and tune.real_velocity][::4]
    chain = _chain_of(learnt, held_out or learnt[:4])
    logger.info("doubt: %s", chain.doubt)
    return lambda number: chain, learnt, "the train split"
