from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from models.events import OFF, PARTNER, PEDAL_DOWN, PLAYED, PLAYER
from models.knobs import NAMES
from models.partner_data import tune_of, vary
from models.partner_file import fresh_net
from models.partner_lesson import PartnerLesson
from models.partner_turns import phrase_ends, turns_of
from tests.test_train_partner import TINY, scale_piece

torch.set_num_threads(1)
PERFORMED = tune_of(scale_piece(style="pop"))
SCORE = tune_of(scale_piece(real_velocity=False, expressive=False))


def test_a_piece_is_moved_stretched_and_played_louder_or_softer_as_a_whole():
    strokes = PERFORMED.tokens["token"] < OFF
    moves, paces, touches = set(), [], []
    for seed in range(60):
        varied = vary(PERFORMED, PERFORMED.tokens, np.random.default_rng(seed))
        moved = varied["token"].astype(int) - PERFORMED.tokens["token"]
        assert len(set(moved.tolist())) == 1
        moves.add(int(moved[0]))
        paces.append(varied["time"][-1] / PERFORMED.tokens["time"][-1])
        assert varied["time"][1:] == pytest.approx(paces[-1] * PERFORMED.tokens["time"][1:])
        touches.append(varied["velocity"][strokes].mean() / PERFORMED.tokens["velocity"][strokes].mean())
        assert (varied["velocity"][~strokes] == 0).all()
    assert moves == set(range(-5, 7))
    assert 0.85 <= min(paces) < 0.9
    assert 1.1 < max(paces) <= 1.15
    assert 0.79 <= min(touches) < 0.85
    assert 1.15 < max(touches) <= 1.21


def test_a_piece_at_the_edge_of_the_keyboard_stays_on_it():
    tokens = PERFORMED.tokens.copy()
    keyed = tokens["token"] < PEDAL_DOWN
    tokens["token"][keyed] += 87 - tokens["token"][tokens["token"] < OFF].max()
    for seed in range(20):
        varied = vary(PERFORMED, tokens, np.random.default_rng(seed))
        assert ((varied["token"] < OFF) == (tokens["token"] < OFF)).all()


def test_what_a_score_does_not_say_is_made_up():
    varied = vary(SCORE, SCORE.tokens, np.random.default_rng(0))
    strokes = varied["token"] < OFF
    assert varied["velocity"][strokes].std() > 2
    assert not np.allclose(np.diff(varied["time"]) / np.diff(SCORE.tokens["time"]), 1, atol=1e-3)
    assert (np.diff(varied["time"]) >= 0).all()


def losses_and_gradient(tune):
    lesson = PartnerLesson([tune], ("pop",))
    made = lesson.batch((4, 100), np.random.default_rng(0))
    net = fresh_net(replace(TINY, styles=("pop",)), 0)
    parts = lesson.losses(net, {field: torch.from_numpy(values) for field, values in made.items()})
    parts["total"].backward()
    gradient = net.velocity_head.weight.grad
    return parts, 0.0 if gradient is None else float(gradient.abs().sum())


def test_touch_is_learnt_where_it_is_real_only():
    parts, gradient = losses_and_gradient(PERFORMED)
    assert parts["velocity"] > 0
    assert gradient > 0
    parts, gradient = losses_and_gradient(SCORE)
    assert parts["velocity"] == 0
    assert gradient == 0
    assert parts["token"] > 0


def test_call_and_response_change_hands_where_phrases_end():
    begins = phrase_ends(PERFORMED.tokens)
    cuts = 0
    for seed in range(30):
        turns = turns_of(PERFORMED.tokens, np.random.default_rng(seed), echo=0.0)
        assert np.concatenate([turn.tokens for turn in turns]).tolist() == PERFORMED.tokens.tolist()
        places = np.cumsum([len(turn.tokens) for turn in turns])[:-1]
        assert set(places) <= set(begins)
        assert all({one.who, other.who} == {PLAYER, PARTNER} for one, other in pairwise(turns))
        cuts += len(places)
    assert cuts > 20


def test_any_label_may_be_missing_and_any_may_be_told():
    made = PartnerLesson([PERFORMED], ("pop",)).batch((60, 150), np.random.default_rng(0))
    learnt = (made["counts"] > 0) & (made["token"] < PLAYED)
    for place, name in enumerate(NAMES):
        told = np.isfinite(made["knobs"][..., place])[learnt].mean()
        assert 0.02 < told < 0.9, name
    assert 0 < (made["scale"][learnt] > 0).mean() < 0.9
    assert 0.2 < (made["style"][learnt] > 0).mean() < 0.8
