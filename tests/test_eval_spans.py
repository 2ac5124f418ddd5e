from dataclasses import replace

import numpy as np
import pytest
import torch

from models.eval_spans import judge_spans
from models.kept_rows import Desk
from models.partner_check import figures_of
from models.partner_data import tune_of
from models.partner_lesson import PartnerLesson, nats_of_steps
from tests.test_partner import TINY, wild_net
from tests.test_train_partner import PIECES

torch.set_num_threads(1)
TUNES = [tune_of(piece) for piece in PIECES]


def test_nats_of_single_steps_add_up_to_the_lessons():
    net, lesson = wild_net(), PartnerLesson(TUNES, TINY.styles)
    made = lesson.batch((3, 90), np.random.default_rng(0))
    batch = {field: torch.from_numpy(values) for field, values in made.items()}
    with torch.no_grad():
        nats, struck = nats_of_steps(net, batch)
        wanted = figures_of([lesson.losses(net, batch)])["nats_per_note"]
    assert float(nats.sum() / struck.sum()) == pytest.approx(wanted, rel=1e-4)


def test_only_a_layer_that_hears_its_past_misses_it():
    net = wild_net(replace(TINY, window=200, spans=(200, 5)))
    report = judge_spans(net, TUNES, 5, 0, Desk())
    layers = report["layers"]
    assert list(layers) == ["all", "1", "2"]
    assert layers["2"] == layers["all"]  # it looks back on no more than that
    assert layers["1"]["128 to 200"] != layers["all"]["128 to 200"]
    assert list(layers["all"]) == ["nats_per_note", "0 to 128", "128 to 200"]
    assert net.config.spans == (200, 5)
