from dataclasses import replace

import numpy as np
import pytest
import torch

from duet.errors import DuetError
from duet.note import Note, events_of
from duet.piece import Piece
from models.eval_partner import steps_of_tune
from models.events import GAPS, OFF, PEDAL_DOWN
from models.nats import nats_of_net
from models.partner import hands_of
from models.partner_data import tune_of
from models.partner_file import fresh_net, load_net, save_partner
from models.partner_lesson import PartnerLesson
from models.rehearsal import RehearsedLesson, compose, divergence, hands_moved, remember, silent_hands
from models.train_partner import train_partner
from tests.test_train_partner import PIECES, QUICK, TINY, scale_piece

torch.set_num_threads(1)


def sure_net(seed=1, **config):
    """A network that has learnt nothing and is sure of it; its window is shorter than its tunes."""
    net = fresh_net(replace(TINY, styles=("pop", "jazz"), window=16, **config), 0)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return net.eval().requires_grad_(False)


def test_what_is_composed_is_what_the_network_says_of_the_whole_tune(monkeypatch):
    """With the likeliest drawn every time, that is the likeliest by `forward` too, but for bfloat16's roundings."""
    net = sure_net(layers=2, spans=(9, 16))
    monkeypatch.setattr("models.rehearsal.draw", lambda logits, _: logits[:, 0].argmax(-1, keepdim=True))
    gap, token, velocity = compose(net, torch.tensor([0, 1, 2]), 60, torch.Generator())
    first = torch.zeros(3, 1, dtype=torch.long)
    steps = [torch.cat([first + begin, part], 1) for begin, part in ((0, gap), (179, token), (0, velocity))]
    said = net(*steps, torch.tensor([0, 1, 2])[:, None].expand(3, 61))
    for drawn, logits in zip((gap, token), said, strict=False):
        chosen = logits[:, :-1].gather(-1, drawn[..., None])[..., 0]
        assert (logits[:, :-1].amax(-1) - chosen).max() < 0.2
    assert len(set(token.flatten().tolist())) > 5


def test_the_same_seed_composes_the_same():
    one, two, other = (remember(sure_net(), seed, 2, 30) for seed in (1, 1, 2))
    assert (one[0].tokens == two[0].tokens).all()
    assert (one[0].tokens != other[0].tokens).any()


def test_many_keyboards_move_as_one_does():
    gap = torch.randint(0, 128, (2, 30), generator=torch.Generator().manual_seed(0))
    token = torch.randint(0, 178, (2, 30), generator=torch.Generator().manual_seed(1))
    seconds = torch.tensor(GAPS, dtype=torch.float32)
    hands = silent_hands(2, torch.device("cpu"))
    for step in range(30):
        hands = hands_moved(hands, seconds[gap[:, step : step + 1]], token[:, step : step + 1])
    turn = torch.full((2, 1), 179)
    whole = hands_of(torch.cat([0 * turn, gap], 1), torch.cat([turn, token], 1), seconds)
    torch.testing.assert_close(hands.age, whole.age[:, -1:], atol=1e-3, rtol=1e-4)
    for field in ("held", "pedal", "partner", "last"):
        assert torch.equal(getattr(hands, field), getattr(whole, field)[:, -1:]), field


def test_a_network_remembers_playing_with_and_without_a_style():
    tunes = remember(sure_net(), 0, tunes=6, events=40)
    assert [tune.style for tune in tunes] == ["", "pop", "", "jazz", "", "pop"]
    for tune in tunes:
        assert len(tune.tokens) == 40
        assert (np.diff(tune.tokens["time"]) >= 0).all()
        strokes = tune.tokens["token"] < OFF
        assert ((tune.tokens["velocity"] > 0) == strokes).all()
        held = set()
        for token in tune.tokens["token"][tune.tokens["token"] < PEDAL_DOWN].tolist():
            assert (token % OFF in held) == (token >= OFF)
            held ^= {token % OFF}


def test_who_has_not_changed_has_not_moved_and_who_has_is_pulled_back():
    old, new = sure_net(), sure_net(2).requires_grad_(True)
    lesson = RehearsedLesson(PartnerLesson([tune_of(PIECES[0])], ()), old, remember(old, 0, 4, 80), 0.5)
    made = lesson.batch((4, 60), np.random.default_rng(0))
    batch = {field: torch.from_numpy(values) for field, values in made.items()}
    assert len(batch["gap"]) == 4
    assert len(lesson.batch((1, 60), np.random.default_rng(0))["gap"]) == 2
    assert float(divergence(old, old, batch)) == pytest.approx(0, abs=1e-3)
    moved = lesson.losses(new, batch)
    assert moved["drift"].item() > 1
    assert moved["total"].item() > sum(moved[part].item() for part in ("gap", "token", "velocity", "drift"))
    moved["drift"].backward()
    torch.optim.SGD(new.parameters(), 1e-4).step()
    assert lesson.losses(new, batch)["drift"].item() < moved["drift"].item()


def falling_piece(name, split="train"):
    """Something else altogether: low fifths that fall."""
    notes = [
        Note(0.4 * place, 50 - place % 12 + higher, 90, 0.4 * place + 0.35)
        for place in range(200)
        for higher in (0, 7)
    ]
    return Piece(name, tuple(events_of(notes)), split)


def test_what_was_learnt_before_is_forgotten_less_by_who_rehearses(tmp_path):
    first = train_partner(
        PIECES, tmp_path / "first.safetensors", 1, tmp_path / "first", config=TINY,
        training=replace(QUICK, iterations=60),
    )  # fmt: skip
    was, new = tune_of(scale_piece("c", "test")), tune_of(falling_piece("d", "test"))

    def nats(path, tune):
        return sum(part.sum() for part in nats_of_net(load_net(path), steps_of_tune(tune)).values())

    after = {}
    for share in (0.0, 0.5):
        run = tmp_path / str(share)
        after[share] = train_partner(
            [falling_piece("x")], tmp_path / f"{share}.safetensors", 1, run, start_from=first,
            training=replace(QUICK, iterations=30, rehearse=share, remembered=(16, 96)),
        )  # fmt: skip
        assert nats(after[share], new) < 0.7 * nats(first, new)
    forgotten = {share: nats(path, was) - nats(first, was) for share, path in after.items()}
    assert forgotten[0.5] < 0.6 * forgotten[0.0]


@pytest.mark.parametrize(("asked", "rehearsed"), [(None, 1), (0.5, 1), (0.0, 0)])
def test_who_goes_on_from_weights_rehearses_unless_told_not_to(asked, rehearsed, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr("models.train_partner.remember", lambda *_: made.append(1) or [tune_of(PIECES[0])])
    save_partner(fresh_net(TINY, 0), tmp_path / "old.safetensors")
    out = tmp_path / "new.safetensors"
    train_partner(PIECES, out, 1e-4, tmp_path, start_from=tmp_path / "old.safetensors", rehearse=asked)
    assert len(made) == rehearsed
    assert load_net(out)


def test_without_weights_there_is_nothing_to_rehearse(tmp_path):
    with pytest.raises(DuetError, match="--from"):
        train_partner(PIECES, tmp_path / "x", 1, tmp_path / "run", config=TINY, rehearse=0.5)
