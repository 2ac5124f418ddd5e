"""Whether a style asked for is heard: an independent judge listens to answers to calls of other styles.

Each style is asked for on calls of the test split that are in another one, told otherwise nothing; agreement is the
share of the answers that the judge puts into the style asked for, averaged over styles. The judge learns from one
half of the train split's pieces, the partner's own listener (`models/style_drafts.py`) from the other. The ceiling
is the judge's own recall of true passages of pieces it has not learnt from, the floor what it says of the answers
to the same calls with no style asked for. Intervals are 95 % bootstraps over calls.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.note import Event
from duet.request import Character, Request
from models.eval_answers import SECONDS, excerpt, passages
from models.kept_rows import Desk, Row
from models.partner_data import Tune
from models.style_judge import Passages, StyleJudge, folded, half, passages_of
from models.style_traits import traits

logger = logging.getLogger(__name__)


def evaluate_styles(
    partner: Any,
    tunes: Sequence[Tune],
    learnt: Sequence[Tune],
    piece_of: Mapping[str, str],
    calls: int,
    seed: int,
    desk: Desk | None = None,
) -> dict[str, Any]:
    """The judge's own figures, and what it says of the partner's answers.

    tunes: the test split; learnt: the splits train and valid; piece_of: what piece each is a version of.
    """
    styles = partner.styles
    known = half(passages_of([tune for tune in learnt if tune.split == "train"], styles, piece_of), 0)
    held_out = passages_of([*tunes, *(tune for tune in learnt if tune.split == "valid")], styles, piece_of)
    judge = StyleJudge(known, styles, seed)
    ceiling = recall(folded(known, styles), known, styles)
    logger.info("the judge: %s", ceiling)
    return {
        "ceiling": ceiling,
        "ceiling_on_valid_and_test": recall(judge.chances(held_out.traits), held_out, styles),
        **judge_styles(partner, judge, style_calls(tunes, calls, seed), seed, desk),
    }


def judge_styles(
    partner: Any,
    judge: StyleJudge,
    calls: Sequence[tuple[str, Sequence[Event]]],
    seed: int = 0,
    desk: Desk | None = None,
) -> dict[str, Any]:
    """Agreement by style asked for, of answers to some calls, each with the style it is in."""
    styles = judge.styles

    def row(number: int) -> Row:
        """What the judge makes of the answers to one call, by the style asked for, "" for none."""
        own, heard = calls[number]
        partner.forget()
        for event in heard:
            partner.hear(event)
        asked = ["", *(style for style in styles if style != own)]
        return {"chances": {style: _chances(partner, judge, style, seed + number) for style in asked}}

    said: dict[str, list[NDArray[np.float64]]] = {style: [] for style in styles}
    unasked: dict[str, list[NDArray[np.float64]]] = {style: [] for style in styles}
    silent = 0
    for kept in (desk or Desk()).rows("styles", __name__, row, len(calls), str(seed)):
        found = kept["chances"]
        plain = found.pop("")
        for style, chances in found.items():
            if chances is None or plain is None:
                silent += 1
                continue
            said[style].append(np.array(chances))
            unasked[style].append(np.array(plain))
    asked, floor = (
        {
            style: float(np.mean([row.argmax() == styles.index(style) for row in rows]))
            for style, rows in table.items()
            if rows
        }
        for table in (said, unasked)
    )
    return {
        "calls": len(calls),
        "too_few_notes": silent,
        "agreement": {style: round(value, 3) for style, value in asked.items()},
        "unasked": {style: round(value, 3) for style, value in floor.items()},
        "mean_agreement": round(float(np.mean(list(asked.values()))), 3),
        "mean_agreement_interval": _interval(said, styles),
        "mean_unasked": round(float(np.mean(list(floor.values()))), 3),
        "mean_chance": round(_mean_chance(said, styles), 3),
        "mean_chance_unasked": round(_mean_chance(unasked, styles), 3),
        "confusion": {
            style: dict(zip(styles, _heard_as(rows, len(styles)), strict=True))
            for style, rows in said.items()
            if rows
        },
    }


def _chances(partner: Any, judge: StyleJudge, style: str, seed: int) -> list[float] | None:
    """What the judge makes of one answer, which is then taken back."""
    events = list(partner.respond(Request(1, SECONDS, Character(style=style), seed)))
    partner.cut(0.0)
    row = traits(events)
    return None if row is None else [float(chance) for chance in judge.chances(row[None])[0]]


def _heard_as(rows: Sequence[NDArray[np.float64]], number: int) -> list[float]:
    counts = np.bincount([int(row.argmax()) for row in rows], minlength=number)
    return [round(float(share), 3) for share in counts / len(rows)]


def _mean_chance(said: Mapping[str, Sequence[NDArray[np.float64]]], styles: Sequence[str]) -> float:
    return float(
        np.mean([np.mean([row[styles.index(style)] for row in rows]) for style, rows in said.items() if rows])
    )


def _interval(said: Mapping[str, Sequence[NDArray[np.float64]]], styles: Sequence[str]) -> list[float]:
    rng = np.random.default_rng(0)
    hits = [
        np.array([row.argmax() == styles.index(style) for row in rows])
        for style, rows in said.items()
        if rows
    ]
    means = [np.mean([rng.choice(each, len(each)).mean() for each in hits]) for _ in range(1000)]
    return [round(float(q), 3) for q in np.quantile(means, [0.025, 0.975])]


def recall(chances: NDArray[np.float64], known: Passages, styles: Sequence[str]) -> dict[str, Any]:
    """How many true passages of each style a judge finds, with what it takes them for."""
    each = {}
    confusion = {}
    for number, style in enumerate(styles):
        rows = chances[known.style == number]
        if len(rows):
            each[style] = round(float((rows.argmax(1) == number).mean()), 3)
            confusion[style] = dict(zip(styles, _heard_as(rows, len(styles)), strict=True))
    own = np.array(
        [
            chances[known.style == number][:, number].mean()
            for number in range(len(styles))
            if (known.style == number).any()
        ]
    )
    return {
        "recall": each,
        "mean_recall": round(float(np.mean(list(each.values()))), 3),
        "mean_chance": round(float(own.mean()), 3),
        "confusion": confusion,
        "passages": len(known.style),
    }


def style_calls(tunes: Sequence[Tune], number: int, seed: int) -> list[tuple[str, list[Event]]]:
    """Calls from performances, each with its style."""
    played = [tune for tune in tunes if tune.expressive] or list(tunes)
    return [(tune.style, excerpt(tune, start)) for tune, start in passages(played, number, seed)]
