"""How good the partner is: what it expects of music it never heard, and what its answers are like.

Nats a note are all the nats of a piece but those of its pedal events, over its notes, teacher-forced, the
whole piece being one turn of the partner's with no style label; velocities count only where they are real.
Performances (tier A) make the headline, scores (tier B) stand apart. Intervals are 95 % bootstraps over
pieces. Answers are drawn after 10 s of a held-out performance and are 10 s long; the true next 10 s are the
ceiling, the next 10 s of another piece the floor.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from duet.errors import FileError
from duet.note import Event, Note, NoteOff, NoteOn, at, let_go, notes_of
from duet.piece import Piece
from duet.request import Request
from models.compose import UNTIL
from models.events import OFF, PARTNER, PEDAL_DOWN, PLAYED, Metre, event_of
from models.markov import MarkovPartner
from models.neural import NeuralPartner
from models.partner import Hands, PartnerNet, hands_of
from models.partner_baseline import Chain, chain_of
from models.partner_data import Tune, read_tunes, write_tunes
from models.partner_file import load_net
from models.partner_overlap import ROWS, copied, overlaps

logger = logging.getLogger(__name__)

Steps = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Gaps, tokens and velocities of a piece."""
CHUNK, OVERLAP = 1024, 384
SECONDS = 10.0


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


@torch.inference_mode()
def nats_of_net(net: PartnerNet, steps: Steps) -> dict[str, NDArray[np.float64]]:
    """Nats of each part of each step of one piece. (T,) each; the first step costs nothing."""
    gap, token, velocity = (torch.from_numpy(part)[None] for part in steps)
    hands = hands_of(gap, token)
    result = {part: np.zeros(token.shape[1]) for part in ("gap", "token", "velocity")}
    for start in range(0, token.shape[1] - 1, CHUNK - OVERLAP):
        window = slice(start, start + CHUNK)
        here = Hands(*(part[:, window] for part in hands))
        parts = [part[:, window] for part in (gap, token, velocity, torch.zeros_like(gap))]
        logits = net(*parts, here)
        for part, said, true in zip(
            result, (logits.gap, logits.token, logits.velocity), parts[:3], strict=False
        ):
            chances = said[0, :-1].log_softmax(-1)
            nats = -chances.gather(-1, true[0, 1:, None].clamp(max=chances.shape[-1] - 1))[:, 0]
            fresh = OVERLAP - 1 if start else 0
            result[part][start + 1 + fresh : start + 1 + len(nats)] = nats[fresh:].numpy()
    result["velocity"][(steps[1] >= OFF)] = 0
    return result


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


def judge_notes(net: PartnerNet, tunes: Sequence[Tune], chain: Chain | None) -> dict[str, Any]:
    """Nats a note and a second, of the network and of the baselines."""
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    sources: dict[str, list[dict[str, float]]] = defaultdict(list)
    for tune in tunes:
        steps = steps_of_tune(tune)
        ways: dict[str, Callable[[], dict[str, NDArray[np.float64]]]] = {
            "neural": lambda s=steps: nats_of_net(net, s)
        }
        if chain:
            ways["markov"] = lambda s=steps: chain.nats(*s)
            ways["unigram"] = lambda s=steps: chain.nats(*s, longest=1)
        for name, way in ways.items():
            row = sums_of(tune, steps, way())
            rows[f"{name} {'A' if tune.expressive else 'B'}"].append(row)
            if name == "neural":
                sources[tune.source or "."].append(row)
    tier = "A" if rows["neural A"] else "B"
    ours = rows[f"neural {tier}"]
    names = [name for name in ("markov", "unigram") if rows[f"{name} {tier}"]]
    return {
        "pieces": len(ours),
        "notes": int(sum(row["notes"] for row in ours)),
        "nats_per_note": _ratio(ours),
        "nats_per_note_interval": interval(ours),
        "nats_per_second": _ratio(ours, below="seconds"),
        "nats_per_note_parts": {part: _ratio(ours, part) for part in ("gap", "token", "velocity")},
        "pedal_nats_per_pedal": _ratio(ours, "pedal_nats", "pedals"),
        "baseline_nats_per_note": {name: _ratio(rows[f"{name} {tier}"]) for name in names},
        "baseline_intervals": {name: interval(rows[f"{name} {tier}"]) for name in names},
        "scores_nats_per_note": {
            name: _ratio(rows[f"{name} B"]) for name in ("neural", "markov", "unigram") if rows[f"{name} B"]
        },
        "by_source": {
            source: {"nats_per_note": _ratio(part), "pieces": len(part)}
            for source, part in sorted(sources.items())
        },
    }


def excerpt(tune: Tune, start: float) -> list[Event]:
    """The events of 10 s of a tune, from time 0, as a pianist would begin and end there."""
    events: list[Event] = []
    held: set[int] = set()
    rows = tune.tokens
    inside = rows[(rows["time"] >= start) & (rows["time"] < start + SECONDS)]
    for time, token, velocity in inside.tolist():
        event = event_of(token, time - start)
        match event:
            case NoteOn(_, pitch, _):
                event = NoteOn(event.time, pitch, velocity)
                held.add(pitch)
            case NoteOff(_, pitch):
                if pitch not in held:
                    continue
                held.remove(pitch)
        events.append(event)
    return events + let_go(events, SECONDS)


def passages(tunes: Sequence[Tune], number: int, seed: int) -> list[tuple[Tune, float]]:
    """Places with at least ten notes in the 10 s before and in the 10 s after, spread over the tunes."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Tune, float]] = []
    for _ in range(20 * number):
        tune = tunes[len(found) % len(tunes)] if len(found) < len(tunes) else tunes[rng.integers(len(tunes))]
        start = float(rng.uniform(0, max(0.1, tune.tokens["time"][-1] - 2 * SECONDS)))
        if all(len(notes_of(excerpt(tune, moment))) >= 10 for moment in (start, start + SECONDS)):
            found.append((tune, start))
        if len(found) == number:
            break
    return found


def judge_answers(partners: dict[str, Any], tunes: Sequence[Tune], number: int, seed: int) -> dict[str, Any]:
    """Overlaps of calls with answers, true continuations and other pieces; copying; endings."""
    table: dict[str, list[dict[str, float]]] = defaultdict(list)
    copies: dict[str, list[float]] = defaultdict(list)
    clean: dict[str, list[bool]] = defaultdict(list)
    places = passages(tunes, number, seed)
    for index, (tune, start) in enumerate(places):
        heard = excerpt(tune, start)
        call = notes_of(heard)
        other, moment = next(
            (
                places[(index + k) % len(places)]
                for k in range(1, len(places))
                if places[(index + k) % len(places)][0] is not tune
            ),
            places[index - 1],
        )
        said = {
            "ceiling": notes_of(excerpt(tune, start + SECONDS)),
            "floor": notes_of(excerpt(other, moment + SECONDS)),
        }
        for name, partner in partners.items():
            said[name], ends_well = _answer(partner, heard, seed + index)
            clean[name].append(ends_well)
        for name, notes in said.items():
            if len(notes) >= 2:
                table[name].append(overlaps(call, notes))
            copies[name].append(copied(notes, call))
    summary = {
        name: {
            **{row: round(float(np.mean([line[row] for line in lines])), 3) for row in ROWS},
            "density": round(float(np.median([line["density"] for line in lines])), 3),
        }
        for name, lines in table.items()
    }
    return {
        "overlap": summary,
        "passages": len(places),
        "copy_rate": {name: round(float(np.mean(rates)), 4) for name, rates in copies.items()},
        "clean_endings": {name: round(float(np.mean(rates)), 3) for name, rates in clean.items()},
    }


def _answer(partner: Any, call: Sequence[Event], seed: int) -> tuple[list[Note], bool]:
    """A fresh conversation's answer to one call, and whether it found an end before it was told to."""
    partner.forget()
    for event in call:
        partner.hear(at(event, event.time))
    events = list(partner.respond(Request(1, SECONDS, seed=seed)))
    return notes_of(events), bool(events) and events[-1].time < UNTIL * SECONDS


def evaluate_partner(
    weights: Path,
    test: Iterable[Piece],
    train: Iterable[Piece] | None,
    cache: Path,
    *,
    answers: int = 150,
    seed: int = 0,
) -> dict[str, Any]:
    """All figures of a weights file on held-out pieces.

    train: what the baselines learn from, or None for no baselines. cache: folder where the tokens of both are
    kept; what is there already is not read again.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "test.npz").exists():
        write_tunes(cache / "test.npz", test)
    tunes = read_tunes(cache / "test.npz")
    if not tunes:
        raise FileError("no piece to judge on; --data takes a folder of MIDI files of 16 notes or more")
    chain = None
    if train is not None:
        if not (cache / "tokens.npz").exists():
            write_tunes(cache / "tokens.npz", train)
        known = read_tunes(cache / "tokens.npz")
        learnt = [tune for tune in known if tune.split == "train"]
        logger.info("counting for the baselines: %d pieces", len(learnt))
        chain = chain_of([steps_of_tune(tune) for tune in learnt], [tune.real_velocity for tune in learnt])
        chain.fit(
            [steps_of_tune(tune) for tune in known if tune.split == "valid" and tune.real_velocity][::4]
        )
        logger.info("doubt: %s", chain.doubt)
    result = judge_notes(load_net(weights), tunes, chain)
    logger.info("nats a note: %s", result["nats_per_note"])
    played = [tune for tune in tunes if tune.expressive] or tunes
    partners = {"neural": NeuralPartner(weights), "markov": MarkovPartner()}
    found = judge_answers(partners, played, answers, seed)
    rates = found["copy_rate"]
    return {**result, **found, "copy_rate": rates.get("neural"), "copy_rates": rates}
