from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from duet.errors import CheckpointError
from duet.note import NoteOff, NoteOn, Pedal, at, notes_of, order
from duet.request import Character, Request
from models.bench_partner import bench_partner, eager_step
from models.compose import Manners
from models.events import OFF, PARTNER, PLAYER, steps_of
from models.neural import NeuralPartner
from models.partner import PartnerConfig, no_hands
from models.partner_file import fresh_net, load_net, save_partner
from models.partner_step import Stepper
from models.partners import NAMES, load_partner
from models.steering import Leanings
from tests.playing import assert_good_manners, calls, melody

torch.set_num_threads(1)  # networks this small only wait for each other

TINY = PartnerConfig(width=32, layers=2, heads=2, window=24, styles=("jazz", "pop"))


def wild_net(config=TINY):
    """A network that has learnt nothing and is sure of it: it will try everything."""
    net = fresh_net(config, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return net.eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "partner.safetensors"
    save_partner(wild_net(), path)
    return path


@pytest.fixture(scope="module")
def partner(weights):
    return NeuralPartner(weights)


def answer(partner, call=(), **settings):
    for event in call:
        partner.hear(event)
    seconds, seed = settings.pop("seconds", 2.0), settings.pop("seed", 0)
    return list(partner.respond(Request(1, seconds, Character(**settings), seed)))


PHRASE = sorted([Pedal(0.1, 127), *melody([60, 64, 67, 72, 67, 64]), Pedal(1.9, 0)], key=order)


# The network


@pytest.mark.parametrize("spans", [(), (7, 24)])
def test_stepping_says_what_the_whole_sequence_says(spans):
    net = wild_net(replace(TINY, spans=spans))
    steps = steps_of(PHRASE, PLAYER) + steps_of(melody([50, 52, 53, 50, 55, 48]), PARTNER)
    steps += steps_of(melody(range(60, 80), 0.1), PLAYER)
    assert len(steps) > 2 * net.config.window
    gap, token, velocity = (
        torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")
    )
    style = torch.ones_like(gap)
    with torch.no_grad():
        said = net(gap, token, velocity, style)
    stepper = Stepper(net)
    state = stepper.start()
    for place, (step, after) in enumerate(pairwise(steps)):
        state = stepper.step(state, step, style=1)
        if after.token in (PLAYER, PARTNER):
            continue
        next_gap, next_token = torch.tensor([[after.gap]]), torch.tensor([[after.token]])
        with torch.no_grad():
            torch.testing.assert_close(
                net.gap_logits(state.h)[0, 0], said.gap[0, place], atol=1e-4, rtol=1e-4
            )
            torch.testing.assert_close(
                net.token_logits(state.h, next_gap, state.hands)[0, 0],
                said.token[0, place],
                atol=1e-4,
                rtol=1e-4,
            )
            torch.testing.assert_close(
                net.velocity_logits(state.h, next_gap, next_token)[0, 0],
                said.velocity[0, place],
                atol=1e-4,
                rtol=1e-4,
            )


@pytest.mark.parametrize("spans", [(), (7, 24), (24, 7)])
@pytest.mark.parametrize("taken_over", [5, 60])
def test_a_conversation_that_is_taken_over_goes_on_the_same(spans, taken_over):
    net = wild_net(replace(TINY, spans=spans))
    steps = steps_of(melody(range(40, 88), 0.1), PLAYER)
    one, two = Stepper(net, back=40), Stepper(net, back=10)
    state = one.start()
    for step in steps[:taken_over]:
        state = one.step(state, step)
    two.follow(one, state.length)
    other = state
    for step in steps[taken_over:]:
        state, other = one.step(state, step), two.step(other, step)
        torch.testing.assert_close(state.h, other.h, atol=1e-5, rtol=1e-5)


def test_a_layer_that_looks_back_on_less_hears_less():
    steps = steps_of(melody(range(60, 72), 0.1), PLAYER)
    gap, token, velocity = (
        torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")
    )
    other = velocity.clone()
    other[0, 1] = 31 - other[0, 1]
    for window, spans, hears in ((4, (), False), (24, (24, 4), True)):
        net = wild_net(replace(TINY, window=window, spans=spans))
        with torch.no_grad():
            one, two = (net(gap, token, touch, torch.zeros_like(gap)).gap for touch in (velocity, other))
        assert (not torch.equal(one[0, 20], two[0, 20])) == hears


def test_the_network_does_not_look_ahead():
    net = wild_net()
    steps = steps_of(PHRASE, PLAYER)
    parts = [torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")]
    other = [part.clone() for part in parts]
    other[2][0, -2:] = 5
    other[0][0, -1] = 40
    with torch.no_grad():
        a = net(*parts, torch.zeros_like(parts[0]))
        b = net(*other, torch.zeros_like(parts[0]))
    assert torch.equal(a.gap[0, :-2], b.gap[0, :-2])
    assert not torch.equal(a.gap[0, -1], b.gap[0, -1])


def test_only_keys_that_are_up_can_go_down_and_the_other_way_round():
    net = wild_net()
    steps = steps_of([NoteOn(0, 60, 70), NoteOn(0.1, 64, 70), NoteOff(0.2, 60)][:3], PLAYER)[:4]
    parts = [torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")]
    with torch.no_grad():
        possible = net(*parts, torch.zeros_like(parts[0])).token[0].isfinite()
    down_60, up_60, up_64 = 60 - 21, OFF + 60 - 21, OFF + 64 - 21
    assert possible[:, down_60].tolist() == [True, False, False, True]
    assert possible[:, up_60].tolist() == [False, True, True, False]
    assert possible[:, up_64].tolist() == [False, False, True, True]


def test_whose_turn_it_is_changes_what_is_expected():
    net = wild_net()
    said = []
    for turn in (PLAYER, PARTNER):
        steps = steps_of(PHRASE, turn)
        parts = [
            torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")
        ]
        with torch.no_grad():
            said.append(net(*parts, torch.zeros_like(parts[0])).gap[0, -1])
    assert not torch.allclose(*said, atol=1e-3)


def test_an_older_state_can_be_stepped_again_after_the_cache_has_moved():
    net = wild_net()
    stepper = Stepper(net)
    state = stepper.start()
    loop = steps_of(PHRASE, PLAYER)
    for count in range(4000):
        state = stepper.step(state, loop[count % len(loop)])
    once = stepper.step(state, loop[1])
    for step in loop * 80:
        stepper_state = stepper.step(once, step)
    again = stepper.step(state, loop[1])
    assert stepper_state.length == once.length + 1
    assert torch.equal(once.h, again.h)


# The partner


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(calls, max_size=2), st.floats(0.3, 5), st.floats(0.3, 3), st.sampled_from(["", "jazz"]))
def test_every_answer_lets_everything_go(partner, some_calls, seconds, temperature, style):
    partner.forget()
    for call in [*some_calls, []]:
        events = answer(partner, call, seconds=seconds, temperature=temperature, style=style)
        assert_good_manners(events)
        assert isinstance(events[0], NoteOn)
        assert events[-1].time <= 1.3 * seconds + 0.37  # the last note whole, the pedal ringing


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_no_more_keys_at_once_and_no_longer_than_allowed(weights, seed):
    partner = NeuralPartner(weights, Manners(most_keys=3, longest_note=0.5))
    held = 0
    events = answer(partner, seed=seed, seconds=4.0)
    for event in events:
        held += isinstance(event, NoteOn) - isinstance(event, NoteOff)
        assert held <= 3
    assert max(note.duration for note in notes_of(events)) <= 0.5 + 0.01


def test_each_event_of_the_players_is_one_step_of_the_network(partner):
    partner.forget()
    lengths = []
    for event in PHRASE:
        partner.hear(event)
        lengths.append(partner._state.length)
    begun = next(place for place, event in enumerate(PHRASE) if isinstance(event, NoteOn))
    # the first key begins the turn: a step of its own, and one for the pedal that was down before
    assert lengths[: begun + 1] == [0] * begun + [2 + begun]
    assert lengths[begun:] == list(range(lengths[begun], lengths[begun] + len(PHRASE) - begun))


def test_the_same_seed_gives_the_same_answer(partner):
    said = []
    for seed in (5, 5, 6):
        partner.forget()
        said.append(answer(partner, PHRASE, seed=seed))
    assert said[0] == said[1] != said[2]


def test_a_call_changes_the_answer(partner):
    partner.forget()
    alone = answer(partner)
    partner.forget()
    assert answer(partner, PHRASE) != alone


def test_what_was_cut_off_was_never_played(partner):
    partner.forget()
    whole = answer(partner, PHRASE, seconds=3.0)
    middle = whole[len(whole) // 2].time
    heard = [event for event in whole if event.time < middle]
    assert 0 < len(heard) < len(whole)
    partner.cut(middle)
    after_cut = answer(partner, [at(event, event.time + 10) for event in PHRASE], seed=2)

    partner.forget()
    for event in PHRASE:
        partner.hear(event)
    stream = partner.respond(Request(1, 3.0))
    assert [next(stream) for _ in heard] == heard
    assert answer(partner, [at(event, event.time + 10) for event in PHRASE], seed=2) == after_cut


def test_a_cut_at_nothing_leaves_no_trace_but_the_turn(partner):
    partner.forget()
    answer(partner, PHRASE)
    partner.cut(0.0)
    once = answer(partner, seed=4)
    partner.forget()
    answer(partner, PHRASE, seed=99)
    partner.cut(0.0)
    assert answer(partner, seed=4) == once


def test_an_answer_that_was_cut_says_no_more(partner):
    partner.forget()
    stream = partner.respond(Request(1, 5.0))
    next(stream)
    partner.cut(0.01)
    assert list(stream) == []


def test_keys_let_go_after_the_call_change_nothing(partner):
    partner.forget()
    held_over = [*melody([60, 64]), NoteOn(1.0, 67, 80), NoteOn(1.1, 72, 80)]
    first = answer(partner, held_over, seed=1)
    second = answer(partner, PHRASE, seed=1)
    partner.forget()
    assert answer(partner, held_over, seed=1) == first
    partner.hear(NoteOff(3.0, 67))
    partner.hear(NoteOff(3.1, 72))
    assert answer(partner, PHRASE, seed=1) == second


def test_a_pedal_pressed_during_the_answer_is_down_in_the_next_call(partner):
    partner.forget()
    answer(partner, PHRASE)
    partner.hear(Pedal(5.0, 100))
    with_pedal = answer(partner, melody([60, 62]))
    partner.forget()
    answer(partner, PHRASE)
    assert answer(partner, melody([60, 62])) != with_pedal


def test_a_session_has_no_longest_length(partner):
    partner.forget()
    for turn in range(12):
        assert_good_manners(answer(partner, melody(list(range(30, 90)), 0.05), seconds=6.0, seed=turn))


def test_kinship_keeps_the_answer_among_the_pitch_classes_of_the_call(weights):
    call = melody([60, 64, 67, 72] * 3, 0.2)

    def foreign(kinship):
        events = answer(
            NeuralPartner(weights, Manners(leanings=Leanings(kinship=kinship))), call, seconds=6.0
        )
        pitches = [event.pitch % 12 for event in events if isinstance(event, NoteOn)]
        return sum(pitch not in {0, 4, 7} for pitch in pitches) / len(pitches)

    assert foreign(30.0) < 0.5 * foreign(0.0)


def test_an_unknown_style_is_named(partner):
    with pytest.raises(ValueError, match="polka"):
        answer(partner, style="polka")


def test_a_style_changes_the_answer(partner):
    said = []
    for style in partner.styles:
        partner.forget()
        said.append(answer(partner, PHRASE, style=style))
    assert said[0] != said[1]


def test_the_shipped_partner_answers_five_notes_of_one_finger():
    partner = load_partner("neural")
    for seed in range(4):
        partner.forget()
        events = answer(partner, melody([60, 62, 64, 65, 67]), seconds=1.75, seed=seed)
        assert_good_manners(events)
        notes = notes_of(events)
        assert 3 <= len(notes) <= 14
        assert all(40 <= note.pitch <= 90 for note in notes)


def test_the_bench_reports_a_conversation(weights):
    figures = bench_partner(weights, turns=1, beside_voice=False)
    assert figures["events_heard"] > 50
    assert len(figures["memory"]["resident_mb"]) == 13
    assert figures["memory"]["seconds"] == 12 * 12
    assert all(value > 0 for name, value in figures.items() if name != "memory")


def test_the_eager_path_of_the_bench_takes_the_same_steps():
    net = wild_net()
    stepper, hands, past = Stepper(net), no_hands(), [(torch.empty(0), torch.empty(0))] * net.config.layers
    state = stepper.start()
    for length, step in enumerate(steps_of(PHRASE * 3, PLAYER)):
        with torch.no_grad():
            hands, past = eager_step(net, step, length, hands, past)
        state = stepper.step(state, step)
    rows = slice(stepper._row(state.length) - past[0][0].shape[2], stepper._row(state.length))
    torch.testing.assert_close(
        past[-1][1][0], torch.from_numpy(stepper._values[-1][:, rows]), atol=1e-4, rtol=1e-4
    )


# The file


def test_weights_come_back_as_they_went(weights):
    net, again = wild_net(), load_net(weights)
    assert again.config == net.config
    assert torch.equal(net.half().gap_head.weight.float(), again.gap_head.weight)


def test_missing_weights_name_the_file_and_the_remedy(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors: no such weights; .*duet train partner"):
        load_net(tmp_path / "none.safetensors")


def test_damaged_weights_are_refused(weights, tmp_path):
    path = tmp_path / "partner.safetensors"
    path.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        load_net(path)


def test_weights_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "voice.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"kind": "voice"})
    with pytest.raises(CheckpointError, match="'voice', not 'partner'"):
        load_net(path)


@pytest.mark.parametrize(
    "config",
    [
        '{"styles": [], "width": 32, "heads": 2}',
        '{"styles": [], "layers": 2, "window": 8, "spans": [8, 0]}',
        '{"styles": [], "layers": 2, "window": 8, "spans": [8]}',
        '{"styles": [], "layers": 2, "window": 8, "spans": [8, 16]}',
        '{"styles": [], "layers": 1, "window": 8, "spans": ["8"]}',
        "[]",
        "null",
    ],
)
def test_weights_that_do_not_fit_their_config_are_refused_in_one_line(tmp_path, config):
    path = tmp_path / "partner.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"kind": "partner", "config": config})
    with pytest.raises(CheckpointError, match="do not fit") as caught:
        load_net(path)
    assert "\n" not in str(caught.value)


def test_partners_go_by_name_or_by_path(weights):
    assert type(load_partner("markov")).__name__ == "MarkovPartner"
    assert load_partner("neural", weights.parent).styles == ("jazz", "pop")
    assert load_partner(str(weights)).styles == ("jazz", "pop")
    with pytest.raises(CheckpointError, match=", ".join(NAMES)):
        load_partner("mozart")
