import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duet.note import NoteOff, NoteOn, notes_of, order
from duet.request import Character, Request
from duet.scale import pitch_classes
from models.compose import Manners
from models.eval_knobs import inner_closeness, judge_knobs, spearman, variety
from models.events import LOWEST, PARTNER, PLAYER, steps_of
from models.knobs import NAMES, SIZE, encode, encode_one, with_left
from models.nats import surprisal
from models.neural import NeuralPartner
from models.partner_file import load_net, save_partner
from models.partner_overlap import closeness_knob, closeness_of
from models.partner_step import Stepper
from models.partners import WEIGHTS
from models.steering import Call, Leanings, Steering
from tests.playing import assert_good_manners, calls, melody
from tests.test_partner import PHRASE, wild_net

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "partner.safetensors"
    save_partner(wild_net(), path)
    return NeuralPartner(path)


def answer(partner, seconds=6.0, call=PHRASE, **character):
    partner.forget()
    for event in call:
        partner.hear(event)
    return list(partner.respond(Request(1, seconds, Character(**character))))


def test_what_is_unsaid_adds_nothing_and_a_number_is_shared_by_its_neighbours():
    assert not encode_one({}).any()
    said = encode_one({"register": 45.0})
    assert said.shape == (SIZE,)
    assert said.sum() == pytest.approx(1)
    assert (said > 0).sum() == 2
    assert encode_one({"register": 1.0, "density": 900.0}).sum() == 2  # beyond the outermost points


def test_the_time_left_alone_can_be_told_anew():
    said = {"density": 3.0, "closeness": 0.4}
    told = with_left(encode_one(said, [0, 2]), 2.5)
    assert torch.equal(told, encode_one({**said, "left": 2.5}, [0, 2]))


def test_one_step_is_told_what_a_whole_sequence_is_told():
    knobs = torch.full((1, 2, len(NAMES)), torch.nan)
    knobs[0, 1, NAMES.index("loudness")] = 50.0
    both = encode(knobs, torch.tensor([[0, 0b101]]))
    assert not both[0, 0].any()
    assert torch.equal(both[0, 1], encode_one({"loudness": 50.0}, [0, 2]))


def test_stepping_is_told_what_the_whole_sequence_is_told():
    net, wish = wild_net(), encode_one({"density": 4.0, "left": 3.0}, [0, 4, 7])
    steps = steps_of(PHRASE, PARTNER)
    parts = [torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")]
    with torch.no_grad():
        told = net(*parts, torch.zeros_like(parts[0]), wish=wish.expand(1, len(steps), -1)).gap[0, -1]
        untold = net(*parts, torch.zeros_like(parts[0])).gap[0, -1]
        stepper = Stepper(net)
        state = stepper.start()
        for step in steps:
            state = stepper.step(state, step, wish=wish)
        torch.testing.assert_close(net.gap_logits(state.h)[0, 0], told, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(told, untold, atol=1e-2)


@pytest.mark.parametrize(
    ("knob", "low", "high", "outcome"),
    [
        ("density", 1.0, 12.0, len),
        ("register", 45, 80, lambda notes: np.mean([note.pitch for note in notes])),
        ("loudness", 30, 100, lambda notes: np.mean([note.velocity for note in notes])),
    ],
)
def test_even_a_network_that_knows_nothing_is_led(partner, knob, low, high, outcome):
    less, more = (outcome(notes_of(answer(partner, **{knob: value}))) for value in (low, high))
    assert more > 1.25 * less


@pytest.mark.parametrize("key", ["D major", "F# minor pentatonic", "call"])
def test_no_stroke_leaves_the_scale(partner, key):
    allowed = pitch_classes("C major" if key == "call" else key)
    struck = [event.pitch for event in answer(partner, key=key) if isinstance(event, NoteOn)]
    assert struck
    assert {pitch % 12 for pitch in struck} <= allowed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    calls,
    st.floats(0.1, 40),
    st.floats(1, 127),
    st.floats(0, 127),
    st.floats(0, 1),
    st.sampled_from(["", "call", "Bb blues"]),
)
def test_whatever_is_asked_everything_is_let_go(partner, call, density, loudness, register, closeness, key):
    asked = {"density": density, "loudness": loudness, "register": register, "closeness": closeness}
    assert_good_manners(answer(partner, 3.0, call, key=key, **asked))


def test_a_phrase_is_close_to_itself_and_far_from_another():
    here = notes_of(melody([60, 64, 67, 72, 67, 64, 60]))
    there = notes_of(melody([61, 62, 61, 75, 63, 66, 61], 0.8))
    assert closeness_of(here, here) == pytest.approx(1)
    assert closeness_of(here, there) < 0.3
    assert closeness_knob(closeness_of(here, here)) == 1
    assert closeness_knob(0.2) == 0


def test_ranks_that_agree_correlate():
    assert spearman([1, 2, 3, 4], [10, 20, 25, 99]) == pytest.approx(1)
    assert spearman([1, 1, 2, 2], [5, 4, 2, 3]) < -0.8


def test_the_judge_turns_every_knob(partner):
    found = judge_knobs(partner, [PHRASE], knobs=("loudness",))
    assert found["adherence"]["loudness"]["spearman"] > 0.8
    assert set(found["in_scale"].values()) == {1.0}


def test_an_answer_of_wrong_notes_is_more_surprising_than_a_tune():
    net = load_net(WEIGHTS / "partner.safetensors")
    tune = melody([60, 62, 64, 65, 67, 65, 64, 62, 60])
    wrong = melody([60, 85, 40, 78, 33, 90, 61, 27, 99])
    assert surprisal(net, PHRASE, wrong) > surprisal(net, PHRASE, tune) + 0.5


def test_temperature_is_measured_by_surprise_and_by_variety(partner):
    found = judge_knobs(partner, [PHRASE], knobs=("temperature",), surprise=lambda call, said: len(said))
    assert set(found["adherence"]) == {"temperature", "temperature_variety"}
    assert variety(notes_of(melody([60, 62] * 8))) < variety(
        notes_of(melody([60, 62, 65, 61, 70, 55, 59, 68]))
    )


def test_a_call_that_repeats_itself_is_close_to_itself():
    assert inner_closeness(notes_of(melody([60, 64, 67, 72] * 4))) > 0.8
    assert inner_closeness(notes_of(melody([60, 64, 67, 72, 61, 75, 63, 80]))) < 0.7


def test_the_players_steps_are_told_nothing(partner):
    partner.forget()
    for event in PHRASE:
        partner.hear(event)
    heard = partner._state.h.clone()
    stepper = Stepper(partner._net)
    state = stepper.start()
    for step in steps_of(PHRASE, PLAYER)[: partner._state.length]:
        state = stepper.step(state, step)
    torch.testing.assert_close(heard, state.h)


def test_keys_are_held_about_as_long_as_in_the_call(tmp_path):
    save_partner(wild_net(), tmp_path / "partner.safetensors")
    leaning = NeuralPartner(tmp_path / "partner.safetensors", Manners(leanings=Leanings(length=60.0)))

    def held(share):
        call = [
            event
            for place in range(12)
            for event in (NoteOn(place * 0.5, 60 + place, 70), NoteOff((place + share) * 0.5, 60 + place))
        ]
        return np.median([note.duration for note in notes_of(answer(leaning, 6.0, sorted(call, key=order)))])

    assert held(1.8) > 1.3 * held(0.2)


def test_an_answer_farther_from_the_call_than_asked_is_drawn_to_it():
    """The lean on what the call played next grows with what is missing, even at a network's own closeness."""
    call = Call(strokes=[(0.25 * place, pitch, 64) for place, pitch in enumerate([60, 64, 67, 72] * 3)])

    def drawn(strokes):
        steering = Steering(Request(1, 8.0, Character(closeness=0.5), 0), call, Leanings())
        for time, pitch in strokes:
            steering.struck(time, pitch - LOWEST, 16)
        lean = steering.on_tokens(strokes[-1][0] + 0.25)
        return float(lean[72 - LOWEST] - lean[71 - LOWEST])

    far = [(0.4 * place, pitch) for place, pitch in enumerate([61, 63, 66, 68, 70, 61, 63, 66])]
    near = [(0.25 * place, pitch) for place, pitch in enumerate([60, 64, 67, 72, 60, 64, 67, 72])]
    assert drawn(far) > drawn(near) + 1
