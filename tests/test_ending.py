import pytest
import torch

from duet.note import NoteOn
from duet.request import Request
from models.compose import AT_LAST
from models.events import LOWEST
from models.knobs import encode_one
from models.neural import NeuralPartner
from models.partner_step import Stepper
from tests.playing import assert_good_manners, melody
from tests.test_partner import weights  # noqa: F401

torch.set_num_threads(1)
TUNE = melody([60, 64, 67, 72, 71, 67, 65, 62, 60, 64, 62, 60], 0.3)


def answer(partner, seconds, seed=0):
    partner.forget()
    for event in TUNE:
        partner.hear(event)
    return list(partner.respond(Request(1, seconds, seed=seed)))


@pytest.mark.parametrize("seconds", [2.0, 6.0, 12.0])
def test_an_answer_ends_about_where_it_should(weights, seconds):  # noqa: F811
    partner = NeuralPartner(weights)
    for seed in range(4):
        events = answer(partner, seconds, seed)
        assert_good_manners(events)
        assert 0.6 * seconds <= events[-1].time <= AT_LAST * seconds + 1.0
        assert max(event.time for event in events if isinstance(event, NoteOn)) <= AT_LAST * seconds


def test_what_was_tried_and_not_played_leaves_no_trace(weights):  # noqa: F811
    partner = NeuralPartner(weights)
    said = answer(partner, 3.0)
    partner.hear(NoteOn(10.0, 60, 70))
    after = partner._state.h.clone()
    again = NeuralPartner(weights)
    for event in TUNE:
        again.hear(event)
    assert list(again.respond(Request(1, 3.0))) == said
    again.hear(NoteOn(10.0, 60, 70))
    torch.testing.assert_close(after, again._state.h)


class Listener:
    """Thinks that a phrase ends with every even key, and nowhere else."""

    def __init__(self, net, h, hands):
        self._even = not int(hands.last[0, 0]) % 2

    def chance(self, within):
        return 0.05 if self._even else 0.95


def test_an_answer_ends_where_a_listener_would_end_it(weights, monkeypatch):  # noqa: F811
    monkeypatch.setattr("models.ending.next_onset", Listener)
    partner = NeuralPartner(weights)
    for seed in range(5):
        struck = [event for event in answer(partner, 3.0, seed) if isinstance(event, NoteOn)]
        assert not (struck[-1].pitch - LOWEST) % 2


def test_the_listener_is_told_nothing(weights):  # noqa: F811
    partner = NeuralPartner(weights)
    steps, taken = [], partner._aside.step

    def step_aside(state, step):
        after = taken(state, step)
        steps.append((state, step, after.h))
        return after

    partner._aside.step = step_aside
    answer(partner, 2.0)
    state, step, h = steps[0]
    stepper = Stepper(partner._net)
    stepper.follow(partner._stepper, state.length)
    torch.testing.assert_close(h, stepper.step(state, step).h, atol=1e-4, rtol=1e-4)
    told = stepper.step(state, step, wish=encode_one({"left": 0.3})).h
    assert not torch.allclose(h, told, atol=1e-2)
