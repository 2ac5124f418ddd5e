from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from duet.errors import FileError
from models.benchmark import as_table, benchmark
from models.benchmark_learn import LEARNING, STRETCH, Known, Learning, learn_set, nats_of_known, prepare
from models.benchmark_net import FrameConfig, FrameNet, nats_of
from models.benchmark_past import PLANES, past_of
from models.benchmark_sets import FILES, KEYS, SPLITS, nats_of_marginals, read_set, rolls_of

torch.set_num_threads(1)

FEW = 5
TINY = FrameConfig(keys=FEW, width=8, below=4, context=8, dilations=(1, 2), dropout=0.5, context_dropout=0.5)


def wild_net(config=TINY):
    """A network that has learnt nothing and is sure of it."""
    torch.manual_seed(0)
    net = FrameNet(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.4 * torch.randn(parameter.shape))
    return net.eval()


def pieces_of(lengths, keys=FEW, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.random((length, keys)) < 0.4).astype(np.uint8) for length in lengths]


def nats_of_pieces(net, pieces):
    """Nats of every frame, by asking for each stretch alone."""
    known = Known(rolls_of(pieces), 0, net.config.keys)
    found = []
    with torch.no_grad():
        for stretch in known.stretches():
            moment = known.moment(stretch[None], net.config.reach)
            found += nats_of(net(moment), moment.frame)[: moment.number].tolist()
    return np.array(found)


@pytest.mark.parametrize("factorised", [False, True])
def test_the_likelihoods_of_all_frames_sum_to_one(factorised):
    net = wild_net(replace(TINY, factorised=factorised))
    (piece,) = pieces_of([20])
    total = 0.0
    for frame in product((0, 1), repeat=FEW):
        piece[-1] = frame
        total += np.exp(-nats_of_pieces(net, [piece])[-1])
    assert total == pytest.approx(1, abs=1e-5)


def test_only_the_joint_model_lets_keys_depend_on_each_other():
    (piece,) = pieces_of([20])

    def chance(net, frame):
        piece[-1] = frame
        return np.exp(-nats_of_pieces(net, [piece])[-1])

    def shares(net):
        """How likely the highest key is, given that the lowest sounds and given that it does not."""
        for low in (0, 1):
            both = [
                sum(chance(net, (low, *middle, high)) for middle in product((0, 1), repeat=FEW - 2))
                for high in (0, 1)
            ]
            yield both[1] / sum(both)

    silent, sounding = shares(wild_net(replace(TINY, factorised=True)))
    assert silent == pytest.approx(sounding, abs=1e-5)
    silent, sounding = shares(wild_net())
    assert silent != pytest.approx(sounding, abs=1e-3)


def test_no_frame_knows_what_comes_after_it():
    net = wild_net()
    (piece,) = pieces_of([3 * STRETCH])
    for place in (1, STRETCH - 1, STRETCH, 2 * STRETCH + 5):
        other = piece.copy()
        other[place:] = 1 - other[place:]
        before, after = nats_of_pieces(net, [piece]), nats_of_pieces(net, [other])
        np.testing.assert_allclose(before[:place], after[:place], atol=1e-5)
        assert abs(before[place] - after[place]) > 1e-3


def test_pieces_do_not_know_each_other():
    net = wild_net()
    pieces = pieces_of([7, STRETCH, 2 * STRETCH + 3])
    together = nats_of_pieces(net, pieces)
    alone = np.concatenate([nats_of_pieces(net, [piece]) for piece in pieces])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_nats_are_those_of_a_sum_by_hand_over_every_frame_once():
    net = wild_net()
    pieces = pieces_of([7, STRETCH, 2 * STRETCH + 3])
    known = Known(rolls_of(pieces), 0, FEW)
    total, frames = nats_of_known(net, known)
    assert frames == sum(map(len, pieces))
    by_hand = 0.0
    for piece in pieces:
        for length in range(1, len(piece) + 1):
            alone = Known(rolls_of([piece[:length]]), 0, FEW)
            last = alone.stretches()[-1:]
            moment = alone.moment(last, net.config.reach)
            with torch.no_grad():
                chance = torch.sigmoid(net(moment)[moment.number - 1].double()).numpy()
            frame = piece[length - 1]
            by_hand -= np.log(np.where(frame, chance, 1 - chance)).sum()
    assert total == pytest.approx(by_hand, rel=1e-5)


def test_shifted_stretches_cover_every_frame_once():
    pieces = pieces_of([7, STRETCH, 2 * STRETCH + 3])
    known = Known(rolls_of(pieces), 0, FEW)
    stretches = known.stretches(np.array([50, 0, 63]))
    frames = [
        known.moment(stretch[None], 3).frame[: known.moment(stretch[None], 3).number] for stretch in stretches
    ]
    np.testing.assert_array_equal(torch.cat(frames).numpy(), np.concatenate(pieces))


def test_a_repeat_is_remembered():
    (theme,) = pieces_of([12])
    planes, _ = past_of(np.concatenate([theme, 1 - theme[:3], theme]))
    second = planes[-8:]
    for guess in ("repeat", "likeness"):
        np.testing.assert_array_equal(second[:, :, PLANES.index(guess)] // 255, theme[-8:])


def test_a_pattern_is_learnt_and_noise_is_not():
    pattern = np.eye(FEW, dtype=np.uint8)[np.arange(400) % FEW]
    (noise,) = pieces_of([400])
    learning = Learning(40, stretches=2, checks=2, net=replace(TINY, dropout=0.0, context_dropout=0.0))
    found = {}
    for name, piece in (("pattern", pattern), ("noise", noise)):
        splits = {split: rolls_of([piece]) for split in SPLITS}
        found[name] = learn_set(prepare(splits), learning, 0)["test"]
    assert found["pattern"] < 1.0 < found["noise"]


def test_the_table_reads_what_was_finished_and_names_the_published_rows(tmp_path, monkeypatch):
    learning = Learning(1, stretches=2, checks=1, net=replace(TINY, keys=KEYS))
    monkeypatch.setitem(LEARNING, "jsb", learning)
    arrays = {}
    for split in SPLITS:
        piece = np.zeros((70, KEYS), np.uint8)
        piece[:, 40:44] = pieces_of([70], 4)[0]
        arrays |= {f"{split}_roll": np.packbits(piece, axis=1), f"{split}_len": np.array([30, 40])}
    np.savez(tmp_path / f"{FILES['jsb']}.npz", **arrays)
    first = benchmark(["jsb"], tmp_path, tmp_path, seeds=2)
    assert len(list(tmp_path.glob("jsb-joint-*.json"))) == 2
    monkeypatch.setattr("models.benchmark.learn_set", None)
    assert benchmark(["jsb"], tmp_path, tmp_path, seeds=2) == first
    assert first["jsb"]["nats_per_frame"] == pytest.approx(np.mean(first["jsb"]["seeds"]), abs=1e-3)
    apart = benchmark(["jsb"], tmp_path, tmp_path, seeds=0)["jsb"]
    assert (apart["nats_per_frame"], apart["seeds"], apart["factorised"]) == (
        None,
        [],
        first["jsb"]["factorised"],
    )
    assert as_table({"jsb": apart}).splitlines()[1].startswith("Duet, one seed")
    assert "seeds, mean" not in as_table({"jsb": apart})
    table = as_table(first)
    assert "RNN-NADE, 2012" in table
    assert "5.56" in table


def test_marginals_are_counted_by_hand():
    train = np.array([[1, 0], [1, 0], [0, 0], [1, 1]], np.uint8)
    test = np.array([[1, 0]], np.uint8)
    assert nats_of_marginals(train, test) == pytest.approx(-np.log(4 / 6) - np.log(4 / 6))


def test_a_missing_set_is_named(tmp_path):
    with pytest.raises(FileError, match=r"jsb_chorales\.npz: no such file; --data"):
        read_set("jsb", tmp_path)


def test_a_set_cut_short_is_refused(tmp_path):
    arrays = {f"{split}_roll": np.zeros((9, 11), np.uint8) for split in SPLITS}
    np.savez(tmp_path / "nottingham.npz", **arrays, **{f"{split}_len": np.array([4, 6]) for split in SPLITS})
    with pytest.raises(FileError, match="9 frames of train where its pieces have 10"):
        read_set("nottingham", tmp_path)
