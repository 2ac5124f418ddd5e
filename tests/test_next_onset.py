import numpy as np
import pytest

from duet.note import NoteOff, NoteOn, Pedal, at
from models.bench_partner import made_up_call
from models.eval_answers import Ear
from models.events import GAPS
from models.next_onset import INSTANTS, NextOnset
from models.partners import load_partner

EVEN = NextOnset(np.exp(-2 * GAPS[:INSTANTS]).astype(np.float32), 0.1)
"""A stroke is equally likely at every moment, two a second."""


def test_what_is_equally_likely_at_every_moment_does_not_age():
    for waited in (0.0, 0.5, 2.0):
        assert EVEN.chance(0.3, waited) == pytest.approx(1 - np.exp(-0.6), abs=0.02)
        assert EVEN.quantile(0.5, waited) - waited == pytest.approx(np.log(2) / 2, abs=0.1)


def test_a_stroke_that_may_never_come_has_no_quantile():
    assert NextOnset(np.full(INSTANTS, 0.5, np.float32), 0.5).quantile(0.9) == float("inf")


def test_the_shipped_network_expects_strokes_about_when_they_come():
    partner = load_partner("neural")
    events = made_up_call(12.0, 0)
    late = []
    for place, event in enumerate(events[:-20]):
        partner.hear(event)
        expected = partner.next_onset()
        assert (np.diff(expected.waiting) <= 1e-6).all()
        after = next(other for other in events[place + 1 :] if isinstance(other, NoteOn))
        late.append(after.time - event.time > expected.quantile(0.9))
    assert 0 < np.mean(late) < 0.2


def test_asking_changes_nothing():
    answers = []
    for ask in (False, True):
        partner = load_partner("neural")
        for event in made_up_call(3.0, 1):
            partner.hear(event)
            if ask:
                partner.next_onset()
        answers.append(partner.next_onset().waiting)
    assert (answers[0] == answers[1]).all()


def test_the_ear_that_judges_endings_hears_what_the_partner_hears():
    partner = load_partner("neural")
    played = [at(event, event.time + 1) for event in made_up_call(40.0, 3)]
    call = [Pedal(0.0, 90), NoteOff(0.1, 40), *played]
    for event in call:
        partner.hear(event)
    last = max(event.time for event in call if isinstance(event, NoteOn))
    expected = 1 - partner.next_onset().chance(max(0.1, 0.5 - (call[-1].time - last)))
    assert Ear(partner._net).phrase_end(call) == pytest.approx(expected, abs=1e-3)
