from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from duet.errors import CheckpointError
from duet.note import at
from duet.piece import Piece
from models.biaxial import STEP, grid_of_notes
from models.biaxial_lesson import JUDGED
from models.chord_symbols import NOTE
from models.eval_rival import asked
from models.events import KEYS, OFF, PARTNER
from models.grid_events import LONGEST, events_of_grid, grid_of_events, out_of_turn
from models.grid_lesson import GridLesson
from models.grid_net import GridNet, nats_of_grid, nats_of_tune
from models.nats import nats_of_net
from models.partner import PartnerConfig
from models.partner_data import tune_of
from models.partner_file import fresh_net, load_net, save_partner
from models.train_partner import TrainingConfig, train_partner
from tests.playing import melody

torch.set_num_threads(1)
TINY = PartnerConfig(width=32, layers=1, heads=2, window=64)
PHRASE = melody([60, 64, 67, 72, 67, 64])
NOTES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, KEYS - 1), st.integers(0, 300)), min_size=1, max_size=40
)


def grid_of(rows):
    notes = np.array([(0.02 * begin, key, 64, 0.02 * length) for begin, key, length in sorted(rows)], NOTE)
    notes["onset"] -= notes["onset"][0]
    return grid_of_notes(notes)


def unsure_net(config=TINY):
    """A network that has learnt nothing and is sure of it."""
    net = fresh_net(config, 0, GridNet)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return net.eval().requires_grad_(False)


def test_a_grid_is_said_key_by_key_releases_first():
    grid = grid_of_notes(np.array([(0, 40, 64, 0.25), (0, 44, 64, 0.125), (0.25, 40, 64, 0.1)], NOTE))
    gap, token = events_of_grid(grid)
    assert list(zip(gap.tolist(), token.tolist(), strict=True)) == [
        (0, 40), (0, 44), (1, OFF + 44), (1, OFF + 40), (0, 40),
    ]  # fmt: skip


@settings(deadline=None)
@given(NOTES)
def test_a_grid_comes_back_from_its_events_and_none_is_out_of_turn(rows):
    grid = grid_of(rows)
    gap, token = events_of_grid(grid)
    assert (grid_of_events(gap, token, len(grid)) == grid).all()
    early = out_of_turn(token[:-1])[np.arange(len(token) - 1), token[1:]]
    assert not early[gap[1:] == 0].any()
    assert len(set(zip(np.cumsum(gap).tolist(), token.tolist(), strict=True))) == len(token)


@settings(deadline=None)
@given(st.permutations(range(5)), st.integers(2, 5))
def test_the_events_of_a_step_have_one_order(order, number):
    """Any five events of one step: the only order that is not out of turn is the one that is written."""
    token = np.array([OFF + 10, OFF + 40, 5, 10, 60])
    mine = token[order][:number]
    fits = not out_of_turn(mine[:-1])[np.arange(number - 1), mine[1:]].any()
    assert fits == (list(mine) == sorted(mine, key=lambda one: (one < OFF, one)))


def test_the_likelihoods_of_all_grids_sum_to_one():
    """Of two keys and three steps, whatever the first is: all grids are counted, so nothing is lost or said twice."""
    net = unsure_net()
    low, high = 40, 44
    barred = [key for key in range(KEYS) if key not in (low, high)]
    with torch.no_grad():
        net.token_head.bias[barred] = -torch.inf
    first = ((1, 1), (0, 0))
    total = 0.0
    for rest in product(product(((0, 0), (1, 0), (1, 1)), repeat=2), repeat=2):
        frames = [first, *rest]
        sounded = [
            all(now != (1, 0) or before[0] for before, now in pairwise(frames))
            for frames in zip(*frames, strict=True)
        ]
        if all(sounded):
            grid = np.zeros((3, KEYS, 2), np.uint8)
            grid[:, [low, high]] = np.array(frames)
            total += np.exp(-nats_of_grid(net, grid))
    assert total == pytest.approx(1, abs=0.01)


def test_the_nats_of_a_grid_are_those_of_its_events_and_of_the_silence_after():
    net = unsure_net()
    grid = grid_of([(0, 40, 10), (10, 45, 10), (30, 47, 60)])
    gap, token = events_of_grid(grid)
    tokens = np.array([PARTNER, *token])
    nats = nats_of_net(net, (np.array([0, *gap]), tokens, np.zeros_like(tokens)))
    said = sum((nats["gap"] + nats["token"])[1:][np.cumsum(gap) > 0])
    whole = nats_of_grid(net, grid)
    with torch.no_grad():
        numbers = [torch.from_numpy(part)[None] for part in (np.array([0, *gap]), tokens)]
        after = net(*numbers, *[torch.zeros_like(numbers[0])] * 2).gap[0, -1].softmax(-1)
    left = len(grid) - 1 - int(gap.sum())
    assert left > 0
    assert whole == pytest.approx(said - float(after[left + 1 :].sum().log()), rel=1e-5)


def test_a_silence_longer_than_the_longest_gap_is_paid_for():
    net = unsure_net()
    grid = np.zeros((400, KEYS, 2), np.uint8)
    grid[0, 40] = grid[0, 41] = grid[1, 41] = 1
    costs = []
    for step in (2 + LONGEST, 3 + LONGEST, 300):
        later = grid.copy()
        later[step, 50] = 1
        costs.append(nats_of_grid(net, later[: step + 1]))
    assert costs[1] == pytest.approx(costs[2], rel=1e-4)
    assert costs[0] < nats_of_grid(net, grid) + 60
    assert np.isfinite(nats_of_grid(net, np.concatenate([grid, grid[2:114]])))
    assert len(np.concatenate([grid, grid[2:114]])) == JUDGED


def piece(split="train", name="a"):
    return Piece(
        name, tuple(at(event, event.time + 2 * turn) for turn in range(40) for event in PHRASE), split, "here"
    )


def test_a_window_of_the_lesson_is_a_grid():
    batch = GridLesson([tune_of(piece())]).batch((3, 60), np.random.default_rng(0))
    for gap, token, counts in zip(*batch.values(), strict=True):
        assert token[0] == PARTNER
        events = token[1:]
        assert (out_of_turn(events[:-1])[np.arange(58), events[1:]] & (gap[2:] == 0)).sum() == 0
        grid = grid_of_events(gap[1:], events, int(gap.sum()) + 1)
        assert (np.stack(events_of_grid(grid)) == np.stack([gap[1:], events])).all()
        assert (counts[1:] == (np.cumsum(gap[1:]) > 0)).all()
        assert counts.sum() > 50


def test_the_kind_learns_a_grid_and_its_weights_come_back_and_do_not_play(tmp_path):
    out = tmp_path / "grid.safetensors"
    quick = TrainingConfig(tokens=256, short=64, long=64, warm_up=2, iterations=40)
    train_partner([piece()], out, 1, tmp_path, config=TINY, training=quick, on_grid=True)
    tune = tune_of(piece("test", "b"))
    row = nats_of_tune(load_net(out, GridNet), tune)
    assert row["seconds"] == STEP * (JUDGED - 1)
    assert row["nats"] < 0.5 * nats_of_tune(fresh_net(TINY, 0, GridNet), tune)["nats"]
    assert asked(out, on_grid=True)(tune) == row
    with pytest.raises(CheckpointError, match="knows music on a grid only"):
        asked(out, on_grid=False)
    with pytest.raises(CheckpointError, match="of kind 'partner on a grid', not 'partner'"):
        load_net(out)
    save_partner(unsure_net(), out)
    assert load_net(out, GridNet).kind == "partner on a grid"
