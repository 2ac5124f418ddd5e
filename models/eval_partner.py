"""How good the partner is: what it expects of music it never heard, and what its answers are like.

`models/eval_notes.py` counts the nats, `models/judge_answers.py` judges the answers, `models/eval_knobs.py` and
`models/eval_styles.py` what is asked of them. Without a train split the baselines learn from one half of the pieces
what they are judged on in the other.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache as once
from pathlib import Path
from typing import Any

from duet.errors import FileError
from duet.piece import Piece
from models.eval_answers import Ear, Known, excerpt, passages
from models.eval_knobs import judge_knobs
from models.eval_notes import judge_notes, steps_of_tune
from models.eval_spans import judge_spans
from models.eval_styles import evaluate_styles
from models.judge_answers import judge_answers
from models.kept_rows import Desk, digest_of
from models.markov import MarkovPartner
from models.nats import surprisal
from models.neural import NeuralPartner
from models.partner_baseline import Chain, chain_of
from models.partner_data import Tune, read_tunes, write_tunes
from models.partner_file import load_net

logger = logging.getLogger(__name__)
PARTS = ("notes", "answers", "knobs", "styles", "spans")
BESIDE = ("styles.safetensors", "commonplaces.safetensors", "listener.safetensors")
"""What lies beside the weights and makes the answers, too."""


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
    spans: int = 0,
    piece_of: Mapping[str, str] | None = None,
    against: Path | None = None,
    parts: Collection[str] = PARTS,
    workers: int = 1,
    baselines: bool = True,
) -> dict[str, Any]:
    """All figures of a weights file on held-out pieces.

    train: what the baselines learn from, or None to learn from one half of `test` for the other. cache:
    folder where the tokens of both are kept, and the figures' rows; what is there already is not made again. knobs,
    styles: on how many calls every knob is turned, every style asked for. spans: the steps to which one layer
    after another is held, on the split valid. piece_of: what piece each is a version of.
    against: other weights of the kind, to compare with piece by piece. parts: those of PARTS that are wanted;
    workers: processes that share the work. baselines: whether to judge what has counted the train split, too.
    """
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "test.npz").exists():
        write_tunes(cache / "test.npz", test)
    tunes = read_tunes(cache / "test.npz")
    if not tunes:
        raise FileError("no piece to judge on; --data takes a folder of MIDI files of 16 notes or more")
    played = [tune for tune in tunes if tune.expressive] or tunes
    partner, net = NeuralPartner(weights), load_net(weights)
    desk = Desk(cache, workers, digest_of(weights, *(weights.with_name(name) for name in BESIDE)))
    result: dict[str, Any] = {}
    if knobs and "knobs" in parts:
        calls = [excerpt(tune, start) for tune, start in passages(played, knobs, seed)]
        result = judge_knobs(
            partner, calls, seed, surprise=lambda call, said: surprisal(net, call, said), desk=desk
        )
    if styles and train is not None and "styles" in parts:
        result["style"] = evaluate_styles(
            partner, tunes, _learnt(train, cache), piece_of or {}, styles, seed, desk
        )
    if spans and "spans" in parts:
        known = _learnt(train, cache) if train is not None else tunes
        judged = [tune for tune in known if tune.split == "valid"] or tunes
        result["spans"] = judge_spans(net, judged, spans, seed, desk)
    if "notes" in parts:
        chain_for, result["baselines_learnt_from"] = (
            _baselines(tunes, train, cache) if baselines else (lambda number: None, "not asked for")
        )
        rival = load_net(against) if against else None
        about = f"{result['baselines_learnt_from']} {digest_of(against) if against else ''}"
        alone = replace(desk, workers=1)  # or each process would count the train split for itself
        result |= judge_notes(net, tunes, chain_for, rival, alone if baselines else desk, about)
        logger.info("nats a note: %s", result["nats_per_note"])
    if "answers" in parts:
        learnt = (
            [tune for tune in _learnt(train, cache) if tune.split == "train"] if train is not None else []
        )
        partners = {"neural": partner, "markov": MarkovPartner()}
        known = Known(learnt) if learnt else None
        found = judge_answers(partners, played, answers, seed, known, Ear(net), desk)
        rates = found.get("copy_rate", {})
        result |= {**found, "copy_rate": rates.get("neural"), "copy_rates": rates}
    return result


def _learnt(train: Iterable[Piece], cache: Path) -> list[Tune]:
    """The pieces of the splits train and valid."""
    if not (cache / "tokens.npz").exists():
        write_tunes(cache / "tokens.npz", train)
    return read_tunes(cache / "tokens.npz")


def _baselines(
    tunes: Sequence[Tune], train: Iterable[Piece] | None, folder: Path
) -> tuple[Callable[[int], Chain | None], str]:
    """A chain for each tune's number, made when it is first asked for, and what they have learnt from."""
    if train is None:
        if len(tunes) < 2:
            return lambda number: None, "nothing: a folder of one piece has none to learn from"
        half = once(lambda odd: _chain_of(tunes[1 - odd :: 2], tunes[1 - odd :: 2][:4]))
        return lambda number: half(number % 2), "the other half of the pieces"

    @once
    def chain() -> Chain:
        known = _learnt(train, folder)
        learnt = [tune for tune in known if tune.split == "train"]
        logger.info("counting for the baselines: %d pieces", len(learnt))
        held_out = [tune for tune in known if tune.split == "valid" and tune.real_velocity][::4]
        made = _chain_of(learnt, held_out or learnt[:4])
        logger.info("doubt: %s", made.doubt)
        return made

    return lambda number: chain(), "the train split"
