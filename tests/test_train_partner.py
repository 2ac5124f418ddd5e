import csv
import logging
from dataclasses import replace
from itertools import repeat

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from duet.errors import DuetError, FileError
from duet.model_options import PARTS as OFFERED
from duet.note import Note, NoteOff, NoteOn, events_of, notes_of
from duet.piece import Piece
from models.company import Company
from models.eval_answers import Known, excerpt
from models.eval_notes import judge_notes, steps_of_tune
from models.eval_partner import PARTS, evaluate_partner
from models.events import OFF, PARTNER, PEDAL_DOWN, PEDAL_UP, PLAYED, PLAYER, TOKENS
from models.nats import nats_of_net
from models.partner import PartnerConfig
from models.partner_baseline import Chain, chain_of
from models.partner_check import nats_of_pieces, some_pieces
from models.partner_data import make_window, read_tunes, tune_of, weights_of, write_tunes
from models.partner_file import fresh_net, load_net, save_partner
from models.partner_lesson import PartnerLesson
from models.partner_overlap import copied, overlaps
from models.partner_training import length_at
from models.partner_turns import phrase_ends, turns_of
from models.train_partner import TrainingConfig, train_partner
from tests.company import run_by_two
from tests.playing import melody

torch.set_num_threads(1)  # networks this small only wait for each other

TINY = PartnerConfig(width=32, layers=1, heads=2, window=64)
QUICK = TrainingConfig(tokens=256, short=64, long=64, warm_up=2, iterations=60)


def scale_piece(name="a", split="train", repeats=20, **about):
    """Up and down the white keys in phrases of eight, a second apart."""
    notes = []
    for phrase in range(repeats):
        for place, pitch in enumerate([60, 62, 64, 65, 67, 65, 64, 62]):
            onset = phrase * 3.0 + place * 0.25
            notes.append(Note(onset, pitch, 60 + 2 * place, onset + 0.2))
    return Piece(name, tuple(events_of(notes)), split, **about)


PIECES = [scale_piece("a", style="pop"), scale_piece("b", "valid"), scale_piece("c", "test")]


def test_a_phrase_begins_after_a_long_wait():
    tune = tune_of(scale_piece(repeats=3))
    assert tune.tokens["time"][phrase_ends(tune.tokens)].tolist() == [3.0, 6.0]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(40, 200))
def test_a_window_is_something_a_duet_could_be(seed, length):
    window = make_window(tune_of(PIECES[0]), ("pop",), length, np.random.default_rng(seed))
    held, pedal, seen = set(), False, set()
    assert window["token"][0] in (PLAYER, PARTNER)
    for place, (gap, token) in enumerate(zip(window["gap"], window["token"], strict=True)):
        assert token < TOKENS
        if token < OFF:
            assert token not in held
            held.add(token)
        elif token < PEDAL_DOWN:
            held.remove(token - OFF)
        elif token < PLAYED:
            assert pedal == (token == PEDAL_UP)
            pedal = not pedal
        else:
            assert gap == 0
            assert not held or not window["counts"][place:].any()
            seen.add(token)
    assert not (window["velocity_counts"] & (window["token"] >= OFF)).any()


def test_a_window_goes_on_with_another_tune_where_the_first_is_over():
    short, other = tune_of(scale_piece(repeats=3)), tune_of(scale_piece(repeats=9, style="pop"))
    alone = make_window(short, ("pop",), 300, np.random.default_rng(0))
    assert not alone["counts"][80:].any()
    window = make_window(short, ("pop",), 300, np.random.default_rng(0), others=repeat(other))
    assert all((window[field][:40] == alone[field][:40]).all() for field in ("gap", "token", "velocity"))
    assert window["counts"][-40:].any()
    assert window["style"].any()
    held: set[int] = set()
    for token in window["token"][window["token"] < PEDAL_DOWN].tolist():
        assert (token % OFF in held) == (token >= OFF)
        held ^= {token % OFF}


def test_long_stretches_change_hands_as_often_as_short_ones_or_throughout():
    tokens = tune_of(scale_piece(repeats=200)).tokens
    turns = [len(turns_of(tokens, np.random.default_rng(seed))) for seed in range(60)]
    assert sum(number <= 6 for number in turns) > 10
    assert sum(number > 8 for number in turns) > 20


def test_windows_are_of_the_lengths_asked_for_in_their_shares():
    mixed = replace(QUICK, lengths=((64, 0.75), (16, 0.25)))
    lengths = [length_at(0.9, 3, iteration, mixed) for iteration in range(400)]
    assert 270 < lengths.count(64) < 330
    assert lengths.count(16) == 400 - lengths.count(64)
    assert length_at(0.1, 3, 0, replace(QUICK, short=32)) == 32
    assert length_at(0.9, 3, 0, QUICK) == 64


def test_some_windows_change_hands_and_some_do_not():
    tune = tune_of(PIECES[0])
    windows = [make_window(tune, ("pop",), 150, np.random.default_rng(seed)) for seed in range(40)]
    turns = {len(set(window["token"][window["counts"] == 0]) & {PLAYER, PARTNER}) for window in windows}
    assert turns == {1, 2}
    labels = [set(window["style"].tolist()) for window in windows]
    assert {0} in labels
    assert {1} in [label - {0} for label in labels]


def test_velocities_that_mean_nothing_are_not_learnt():
    tune = tune_of(scale_piece(real_velocity=False))
    window = make_window(tune, (), 100, np.random.default_rng(0))
    assert not window["velocity_counts"].any()


def test_scores_make_their_share_of_the_windows():
    tunes = [tune_of(scale_piece()), tune_of(scale_piece("b", repeats=200, expressive=False))]
    assert weights_of(tunes)[1] == pytest.approx(0.22)


def test_tunes_come_back_from_their_file(tmp_path):
    write_tunes(tmp_path / "tokens.npz", PIECES)
    again = read_tunes(tmp_path / "tokens.npz")
    assert [(tune.name, tune.split, tune.style) for tune in again] == [
        ("a", "train", "pop"),
        ("b", "valid", ""),
        ("c", "test", ""),
    ]
    assert (again[2].tokens == tune_of(PIECES[2]).tokens).all()


def test_training_learns_resumes_and_fine_tunes(tmp_path):
    out, run = tmp_path / "partner.safetensors", tmp_path / "run"
    train_partner(PIECES, out, 1, run, config=TINY, training=replace(QUICK, iterations=30))
    first = load_net(out)
    assert first.config.styles == ("pop",)

    def unread():
        raise AssertionError("a resumed run reads no pieces")
        yield

    train_partner(unread(), out, 1, run, resume=True, training=QUICK)
    with (run / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["iteration"]) for row in rows] == [0, 30, 60]
    untrained = fresh_net(load_net(out).config, 0)
    steps = steps_of_tune(tune_of(PIECES[2]))
    before, after = (
        sum(part.sum() for part in nats_of_net(net, steps).values()) for net in (untrained, load_net(out))
    )
    assert after < 0.7 * before

    tuned = train_partner(
        PIECES, tmp_path / "tuned.safetensors", 0.01, tmp_path / "two", start_from=out, training=QUICK
    )
    assert load_net(tuned).config == load_net(out).config
    farther = replace(QUICK, iterations=2, look_back=(2 * TINY.window,))
    train_partner(PIECES, tuned, 1, tmp_path / "three", start_from=out, training=farther)
    assert load_net(tuned).config == replace(load_net(out).config, window=2 * TINY.window)
    with pytest.raises(DuetError, match="a network of 6 layers; these weights have 1"):
        train_partner(PIECES, out, 1, run, start_from=out, preset="further")
    with pytest.raises(DuetError, match=r"--config.*further"):
        train_partner(PIECES, out, 1, run, start_from=out, preset="fast")

    save_partner(untrained, tmp_path / "untrained.safetensors")
    figures = evaluate_partner(
        out, PIECES[2:], PIECES[:2], tmp_path / "eval", answers=2, against=tmp_path / "untrained.safetensors"
    )
    assert figures["lead_intervals"]["against"][0] > 0
    source = figures["by_source"]["."]
    assert 0 < source["lead_interval"][0] <= source["against"] - source["nats_per_note"]
    alone = evaluate_partner(out, PIECES[2:], PIECES[:2], tmp_path / "eval", parts=["notes"], baselines=False)
    assert alone["nats_per_note"] == figures["nats_per_note"]
    assert alone["baseline_nats_per_note"] == {} and "against" not in alone["by_source"]["."]
    assert figures["baseline_nats_per_note"]["markov"] < figures["baseline_nats_per_note"]["unigram"]
    assert figures["nats_per_note"] == pytest.approx(sum(figures["nats_per_note_parts"].values()), abs=0.001)
    assert set(figures["overlap"]) == {"ceiling", "floor", "neural", "markov"}
    assert figures["overlap"]["ceiling"]["pitch_class"] > 0.9
    assert figures["lead_intervals"]["unigram"][0] > figures["lead_intervals"]["markov"][0] > -20
    assert figures["training_copy_rate"]["ceiling"] == 1.0  # one scale, everywhere
    assert set(figures["key_agreement"]) == set(figures["overlap"])
    assert {"neural", "cut_anywhere", "own_phrases"} <= set(figures["phrase_end_chance"])


WILD = replace(QUICK, iterations=2, matrix_rate=3.0, rate=3.0, kept=(0.0, 0.5, 1.0), pieces=5)
"""Teaches nothing, and asks whole pieces what to keep."""


def share_kept(path):
    with safe_open(path, "pt") as file:
        return file.metadata()["share_of_the_weights_before"]


def test_a_training_that_goes_on_from_weights_meets_windows_of_its_own(tmp_path, monkeypatch):
    drawn = []
    draw = PartnerLesson.batch

    def batch(self, shape, rng, told=True):
        made = draw(self, shape, rng, told)
        drawn.append((shape, made["token"]))
        return made

    monkeypatch.setattr(PartnerLesson, "batch", batch)
    brief = replace(QUICK, iterations=3)
    old = train_partner(PIECES, tmp_path / "old.safetensors", 1, tmp_path / "0", config=TINY, training=brief)
    for again in ("1", "2"):
        out = tmp_path / f"{again}.safetensors"
        train_partner(PIECES, out, 1, tmp_path / again, start_from=old, training=brief)
    learnt = [tokens for shape, tokens in drawn if shape == (4, 64)]
    first, second, third = learnt[:3], learnt[3:6], learnt[6:]
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(b, c) for b, c in zip(second, third, strict=True))


def test_whole_pieces_choose_how_much_of_the_old_weights_is_kept(tmp_path):
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    save_partner(fresh_net(replace(TINY, styles=("pop",)), 0), old)
    gentle = replace(WILD, iterations=40, matrix_rate=QUICK.matrix_rate, rate=QUICK.rate)
    train_partner(PIECES, new, 1, tmp_path / "one", start_from=old, training=gentle)
    assert share_kept(new) == "0.0"
    train_partner(PIECES, tmp_path / "wild.safetensors", 1, tmp_path / "two", start_from=new, training=WILD)
    assert share_kept(tmp_path / "wild.safetensors") == "1.0"
    taught, kept = load_net(new), load_net(tmp_path / "wild.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(taught.parameters(), kept.parameters(), strict=True))


def test_whole_pieces_are_judged_as_an_evaluation_judges_them():
    nets, tunes = [fresh_net(TINY, seed) for seed in (0, 1)], [tune_of(piece) for piece in PIECES]
    torch.nn.init.normal_(nets[1].gap_head.bias)
    theirs = [judge_notes(net, tunes, lambda number: None)["nats_per_note"] for net in nets]
    assert nats_of_pieces(nets, tunes, Company("cpu")) == pytest.approx(theirs, abs=1e-4)
    assert theirs[0] != theirs[1]


def test_performances_are_asked_before_scores():
    names = [f"{number}" for number in range(9)]
    tunes = [tune_of(scale_piece(name, expressive=number % 2 == 0)) for number, name in enumerate(names)]
    assert {tune.name for tune in some_pieces(tunes, 9)} == {"0", "2", "4", "6", "8"}
    assert len(some_pieces(tunes, 2)) == len({tune.name for tune in some_pieces(tunes[1::2], 2)}) == 2


def test_attention_that_is_held_stays_while_the_rest_learns(tmp_path):
    old = tmp_path / "old.safetensors"
    net = fresh_net(TINY, 0)
    torch.nn.init.normal_(net.layers[0].out.weight, std=0.1)
    torch.nn.init.normal_(net.layers[0].down.weight, std=0.1)
    save_partner(net, old)
    held = replace(QUICK, iterations=3, attention_held=True)
    new = train_partner(
        PIECES, tmp_path / "new.safetensors", 1, tmp_path / "run", start_from=old, training=held
    )
    before, after = (load_net(path).layers[0] for path in (old, new))
    assert torch.equal(before.qkv.weight, after.qkv.weight)
    assert torch.equal(before.out.weight, after.out.weight)
    assert not torch.equal(before.up.weight, after.up.weight)


def test_what_is_written_keeps_some_of_the_old_weights_where_that_is_better_held_out(tmp_path):
    old, far = tmp_path / "old.safetensors", replace(QUICK, iterations=3, rate=0.3, matrix_rate=0.3)
    train_partner(PIECES, old, 1, tmp_path / "run", config=TINY, training=QUICK)
    before, written = load_net(old), {}
    for kept in ((0.0,), (0.5,), (0.0, 1.0)):
        training = replace(far, kept=kept)
        new = train_partner(
            PIECES, tmp_path / "new.safetensors", 1, tmp_path / str(kept), start_from=old, training=training
        )
        written[kept] = load_net(new).token_head.weight
    halfway = (before.token_head.weight + written[0.0,]) / 2
    torch.testing.assert_close(written[0.5,], halfway, atol=2e-3, rtol=2e-3)
    assert not torch.equal(written[0.0,], before.token_head.weight)
    assert torch.equal(written[0.0, 1.0], before.token_head.weight)  # three such steps only do harm


def test_the_baselines_stand_where_no_velocity_was_real():
    steps = steps_of_tune(tune_of(PIECES[0]))
    chain = chain_of([steps], [False])
    chain.fit([steps])
    nats = chain.nats(*steps)
    assert nats["token"].sum() < 0.5 * chain.nats(*steps, longest=1)["token"].sum()
    assert nats["velocity"][steps[1] < OFF] == pytest.approx(np.log(32))


def test_training_on_nothing_says_so(tmp_path):
    with pytest.raises(FileError, match="no piece to train on"):
        train_partner([PIECES[2]], tmp_path / "x.safetensors", 1, tmp_path, config=TINY)


# The figures


def test_pieces_too_short_for_a_call_and_an_answer_have_nats_but_no_overlap(tmp_path):
    save_partner(fresh_net(TINY, 0), tmp_path / "partner.safetensors")
    figures = evaluate_partner(tmp_path / "partner.safetensors", [scale_piece(repeats=3)], None, tmp_path)
    assert figures["nats_per_note"] > 0
    assert figures["overlap"] == {}
    assert figures["baselines_learnt_from"].startswith("nothing")
    with pytest.raises(FileError, match="no piece to judge on"):
        evaluate_partner(tmp_path / "partner.safetensors", [], None, tmp_path / "none")


def test_a_folder_without_splits_has_baselines_from_its_other_half(tmp_path):
    save_partner(fresh_net(TINY, 0), tmp_path / "partner.safetensors")
    pieces = [scale_piece(name, "test") for name in "abc"]
    figures = evaluate_partner(tmp_path / "partner.safetensors", pieces, None, tmp_path, answers=1)
    assert figures["baselines_learnt_from"] == "the other half of the pieces"
    assert figures["baseline_nats_per_note"]["markov"] < 1
    assert figures["by_source"]["."]["pieces"] == figures["by_tier"]["A"]["pieces"] == 3


def test_only_the_parts_asked_for_are_judged(tmp_path):
    save_partner(fresh_net(TINY, 0), tmp_path / "partner.safetensors")
    pieces = [scale_piece(name, "test") for name in "ab"]
    part = evaluate_partner(
        tmp_path / "partner.safetensors", pieces, None, tmp_path, answers=1, parts=("answers",), workers=2
    )
    assert "nats_per_note" not in part
    assert part["passages"] == 1
    low, high = part["figure_intervals"]["last_stroke"]["neural"]
    assert low <= part["last_stroke"]["neural"] <= high
    assert OFFERED == PARTS


def test_what_stands_in_the_training_set_is_known():
    known = Known([tune_of(scale_piece())])
    assert known.share(notes_of(melody([60, 62, 64, 65, 67, 65, 64, 62]))) == 1
    assert known.share(notes_of(melody([60, 62, 64, 65, 67, 65, 64, 63]))) == 0
    assert known.share(notes_of(melody([60, 62]))) == 0


def test_the_chain_gives_probabilities():
    steps = steps_of_tune(tune_of(PIECES[0]))
    chain = chain_of([steps], [True])
    gap, token, velocity = (part[:50] for part in steps)
    place = 7
    assert token[place] < PLAYED
    total = 0.0
    for other in range(PLAYED):
        changed = token.copy()
        changed[place] = other
        with np.errstate(divide="ignore"):
            total += np.exp(-chain.nats(gap, changed, velocity)["token"][place])
    assert total == pytest.approx(1)


def test_the_chain_expects_what_it_has_seen_and_longer_contexts_help():
    steps = steps_of_tune(tune_of(PIECES[0]))
    chain = Chain(*steps, np.ones(len(steps[0]), bool))
    long, short = (chain.nats(*steps, longest=longest)["token"].sum() for longest in (99, 1))
    assert long < 0.3 * short


def test_longer_sequences_are_scored_in_pieces_that_fit_together():
    net = fresh_net(TINY, 0)  # of one layer: what it looks back on is all it hears of
    torch.nn.init.normal_(net.layers[0].out.weight, std=0.3, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(net.gap_head.weight, std=0.3, generator=torch.Generator().manual_seed(1))
    steps = steps_of_tune(tune_of(scale_piece(repeats=80)))
    gap, token, velocity = (torch.from_numpy(part)[None] for part in steps)
    assert token.shape[1] > 6 * TINY.window
    with torch.inference_mode():
        chances = net(gap, token, velocity, torch.zeros_like(gap)).gap[0, :-1].log_softmax(-1)
    at_once = -chances.gather(-1, gap[0, 1:, None])[:, 0]
    in_pieces = nats_of_net(net, steps)
    np.testing.assert_allclose(in_pieces["gap"][1:], at_once.numpy(), atol=1e-4)
    assert at_once.std() > 0.1


def test_an_excerpt_begins_and_ends_with_all_keys_up():
    piece = Piece(
        "x", (NoteOn(8.0, 60, 70), NoteOff(12.0, 60), NoteOn(19.0, 64, 70), NoteOff(21.0, 64)), "test"
    )
    assert excerpt(tune_of(piece), 10.0) == [NoteOn(9.0, 64, 70), NoteOff(10.0, 64)]


def test_overlap_with_itself_is_one_and_nothing_is_copied_from_elsewhere():
    here, there = notes_of(melody(range(60, 80))), notes_of(melody(range(30, 50)))
    same = overlaps(here, here)
    assert all(value == pytest.approx(1) for row, value in same.items() if row != "density")
    assert same["density"] == 0
    assert overlaps(here, there)["register"] == 0
    assert copied(here, here) == 1
    assert copied(here, there) == 0


# Stopping, going on, and sharing the work


class CtrlC(logging.Handler):
    """Somebody's hand on the keyboard, as soon as a message begins with some words."""

    def __init__(self, words):
        super().__init__(logging.INFO)
        self.words = words

    def emit(self, record):
        if record.getMessage().startswith(self.words):
            raise KeyboardInterrupt


def test_a_run_that_was_stopped_goes_on_exactly_as_if_it_had_not_been(tmp_path):
    training = replace(QUICK, iterations=12, checkpoint=0.0)
    train_partner(PIECES, tmp_path / "a.safetensors", 1, tmp_path / "a", config=TINY, training=training)
    logger, hand = logging.getLogger("models.train_partner"), CtrlC("iteration 7,")
    logger.setLevel(logging.INFO)
    logger.addHandler(hand)
    try:
        with pytest.raises(KeyboardInterrupt):
            train_partner(
                PIECES, tmp_path / "b.safetensors", 1, tmp_path / "b", config=TINY, training=training
            )
    finally:
        logger.removeHandler(hand)
        logger.setLevel(logging.NOTSET)
    train_partner([], tmp_path / "b.safetensors", 1, tmp_path / "b", resume=True, training=training)
    a, b = (torch.load(tmp_path / name / "state.pt") for name in "ab")
    assert a["iteration"] == b["iteration"] == 12
    for part in ("net", "average"):
        assert all(torch.equal(a[part][name], b[part][name]) for name in a[part])
    for name in "ab":
        rows = csv.DictReader((tmp_path / name / "curve.csv").open())
        assert sorted({int(row["iteration"]) for row in rows}) == list(range(13))
    assert (tmp_path / "b" / "curve.png").exists()


SHARED = """
import sys
from pathlib import Path
import torch
from models.company import Company
from models.train_partner import Trainer, train_partner
from tests.company import no_thread_is_left
from tests.test_train_partner import PIECES, QUICK, TINY, WILD

torch.set_num_threads(1)
out = Path(sys.argv[1])
learn = Trainer.learn
def keep(self, made, factor):
    nats = learn(self, made, factor)
    torch.save((made["token"], self.net.state_dict()), out / f"rank{self.company.rank}.pt")
    return nats
Trainer.learn = keep
old, wild = out / "partner.safetensors", out / "wild.safetensors"
with Company("cpu"):
    train_partner(PIECES, old, 1, out / "run", config=TINY, training=QUICK)
    Trainer.learn = learn
    train_partner(PIECES, wild, 1, out / "two", start_from=old, training=WILD)
no_thread_is_left()
"""


@pytest.mark.slow
def test_two_processes_learn_one_network_from_different_windows(tmp_path):
    run_by_two(tmp_path, SHARED)
    (seen_a, a), (seen_b, b) = (
        torch.load(tmp_path / f"rank{rank}.pt", weights_only=False) for rank in (0, 1)
    )
    assert seen_a.shape == seen_b.shape == (2, 64)
    assert (seen_a != seen_b).any()
    assert all(torch.equal(a[name], b[name]) for name in a)
    with (tmp_path / "run" / "curve.csv").open() as file:
        rows = [float(row["nats_per_note"]) for row in csv.DictReader(file)]
    assert len(rows) == 2
    assert rows[1] < rows[0]
    assert share_kept(tmp_path / "wild.safetensors") == "1.0"
