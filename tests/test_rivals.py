import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from duet.errors import CheckpointError
from duet.note import Note, NoteOff, NoteOn, Pedal, at, notes_of
from duet.piece import Piece
from duet.request import Character, Request
from models.biaxial import ATTRIBUTES, STEP, BiaxialNet, attributes, grid_of_notes, nats_of_grid
from models.biaxial_lesson import JUDGED, BiaxialLesson
from models.chord_lesson import ChordLesson
from models.chord_lesson import nats_of_tune as net_nats
from models.chord_net import as_symbols
from models.chord_symbols import (
    BEGIN,
    NOTE,
    common_shapes,
    known_parts,
    notes_of_tokens,
    played,
    symbols_of,
)
from models.eval_notes import steps_of_tune
from models.eval_rival import evaluate_rival
from models.events import KEYS, LOWEST, OFF, PEDAL_DOWN, tokens_of
from models.grid_bound import bound_of_chords, bound_of_net, opening
from models.hands import play_notes
from models.nats import nats_of_net
from models.partner import PartnerConfig
from models.partner_data import tune_of
from models.partner_file import fresh_net
from models.partners import NAMES, RIVALS, load_partner
from models.rivals import CONFIGS, fresh_rival, load_rival, save_rival
from models.train_rival import train_rival
from models.wavenet_notes import WavenetConfig
from tests.playing import assert_good_manners, calls, melody

torch.set_num_threads(1)

SHAPES = [(0,), (0, 4), (0, 3), (0, 4, 7), (0, 12)]
KNOWN = {shape: place for place, shape in enumerate(SHAPES)}
SIZES = {
    "lstm": {"width": 16, "layers": 2, "dropout": 0.0},
    "wavenet-notes": {"width": 16, "dilations": (1, 2, 4)},
    "biaxial": {"time_width": 12, "key_width": 8, "dropout": 0.0},
}
PHRASE = melody([60, 64, 67, 72, 67, 64])
CHORDS = [
    event
    for place, keys in enumerate([(48, 60, 64), (50, 53), (47, 55, 59, 62), (48,)])
    for event in (
        *(NoteOn(0.5 * place + 0.004 * finger, key, 50 + 8 * finger) for finger, key in enumerate(keys)),
        *(NoteOff(0.5 * place + 0.4 + 0.01 * finger, key) for finger, key in enumerate(keys)),
    )
]


def wild_rival(name):
    """A rival that has learnt nothing and is sure of it: it will try everything."""
    rival = fresh_rival(name, SHAPES, **SIZES[name])
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in rival.net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    rival.net.eval()
    return rival


def answer(partner, call=(), **settings):
    for event in call:
        partner.hear(event)
    seconds, seed = settings.pop("seconds", 1.0), settings.pop("seed", 0)
    return list(partner.respond(Request(1, seconds, Character(**settings), seed)))


@pytest.fixture(scope="module", params=RIVALS)
def partner(request):
    return wild_rival(request.param).partner()


# Behind the port


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=12,
    deadline=None,
)
@given(st.lists(calls, max_size=2), st.floats(0.3, 3), st.floats(0.3, 3))
def test_every_answer_lets_everything_go_and_keeps_about_to_its_length(
    partner, some_calls, seconds, temperature
):
    partner.forget()
    for call in some_calls:
        events = answer(partner, call, seconds=seconds, temperature=temperature)
        assert_good_manners(events)
        assert not events or events[-1].time <= 1.2 * seconds + 0.2


def test_it_says_nothing_before_it_has_heard_anything_and_something_ever_after(partner):
    partner.forget()
    assert answer(partner) == []
    assert notes_of(answer(partner, PHRASE))
    assert notes_of(answer(partner))


def test_the_same_seed_gives_the_same_answer(partner):
    said = []
    for seed in (5, 5, 6, 7, 8):
        partner.forget()
        said.append(answer(partner, PHRASE, seed=seed, temperature=3.0))
    assert said[0] == said[1]
    assert any(other != said[0] for other in said)


@pytest.mark.parametrize("name", ["lstm", "wavenet-notes"])
def test_a_chord_of_too_many_symbols_ends_and_the_answer_goes_on(name, monkeypatch):
    monkeypatch.setattr("models.chord_partner.MOST_AT_ONCE", 0)
    events = answer(wild_rival(name).partner(), PHRASE, seconds=3.0)
    assert max(event.time for event in events) > 1.5


def test_a_call_and_what_was_said_before_change_the_answer(partner):
    def said_after(*some_calls):
        said = []
        for seed in range(4):
            partner.forget()
            for call in some_calls:
                last = answer(partner, call, seed=seed, temperature=3.0, seconds=0.6)
            said.append(last)
        return said

    once = said_after(PHRASE)
    assert said_after(PHRASE) == once
    assert said_after(CHORDS) != once
    assert said_after(PHRASE, PHRASE) != once


def test_when_the_call_was_played_does_not_matter(partner):
    partner.forget()
    first = answer(partner, PHRASE)
    partner.forget()
    assert answer(partner, [at(event, event.time + 64) for event in PHRASE]) == first


def test_what_was_cut_off_was_never_played(partner):
    partner.forget()
    answer(partner, PHRASE, seconds=2.0)
    partner.cut(0.0)
    after = answer(partner, CHORDS, seed=2)
    partner.forget()
    answer(partner, PHRASE, seconds=2.0, seed=9)
    partner.cut(0.0)
    assert answer(partner, CHORDS, seed=2) == after
    partner.forget()
    answer(partner, PHRASE, seconds=2.0)
    partner.cut(1.0)
    assert answer(partner, CHORDS, seed=2) != after


def test_an_answer_that_was_cut_says_no_more_than_lets_its_keys_go(partner):
    partner.forget()
    for event in PHRASE:
        partner.hear(event)
    stream = partner.respond(Request(1, 5.0))
    said = [next(stream)]
    partner.cut(0.01)
    rest = list(stream)
    assert_good_manners(said + rest)
    assert len(rest) < 40


# Chord symbols


def test_symbols_come_back_as_the_keys_they_were():
    notes = notes_of_tokens(tokens_of(CHORDS))
    symbols = symbols_of(notes, KNOWN)
    assert symbols["wait"][0] == BEGIN
    keys = sorted(key.key + LOWEST for symbol in symbols for key in played(symbol, SHAPES))
    assert keys == sorted(note.pitch for note in notes_of(CHORDS))
    touch = {key.key + LOWEST: key for key in played(symbols[0], SHAPES) + played(symbols[1], SHAPES)}
    assert touch[64].velocity == pytest.approx(66, abs=2)
    assert touch[48].duration == pytest.approx(0.4, abs=0.02)
    assert touch[64].delay == 0.01


def test_a_chord_of_no_known_shape_is_split_at_its_widest_gap():
    parts = known_parts([48, 60, 64], KNOWN)
    assert parts == [slice(0, 1), slice(1, 3)]
    assert known_parts([60, 64, 67], KNOWN) == [slice(0, 3)]


def test_the_parts_of_a_split_chord_wait_for_nothing():
    symbols = symbols_of(notes_of_tokens(tokens_of(CHORDS)), KNOWN)
    assert list(symbols["wait"][:2]) == [BEGIN, 0]
    assert (symbols["wait"] > 0).sum() == 4


def test_common_shapes_are_the_common_ones_and_always_one_key():
    assert common_shapes([[60, 64]] * 3 + [[50, 54]] * 2 + [[40, 43]], 2) == [(0, 4), (0,)]


@pytest.mark.parametrize("name", ["lstm", "wavenet-notes"])
def test_reading_symbol_by_symbol_is_reading_all_at_once(name):
    net = wild_rival(name).net
    symbols = symbols_of(
        notes_of_tokens(tokens_of(CHORDS + [at(event, event.time + 3) for event in PHRASE])), KNOWN
    )
    assert len(symbols) > 10
    with torch.no_grad():
        whole, _ = net.read(as_symbols(symbols))
        state, steps = None, []
        for place in range(len(symbols)):
            h, state = net.read(as_symbols(symbols[place : place + 1]), state)
            steps.append(h[0, 0])
    torch.testing.assert_close(torch.stack(steps), whole[0], atol=1e-5, rtol=1e-4)


def test_the_receptive_field_is_as_long_as_it_says():
    net = wild_rival("wavenet-notes").net
    reach = WavenetConfig(**SIZES["wavenet-notes"]).receptive_field
    x = torch.randn(1, 2 * reach, 16, requires_grad=True)
    net.trunk(x)[0][0, -1].sum().backward()
    seen = x.grad[0].abs().sum(-1) > 0
    assert seen.tolist() == [False] * reach + [True] * reach


@pytest.mark.parametrize("name", ["lstm", "wavenet-notes"])
def test_the_likelihoods_of_a_symbol_sum_to_one(name):
    net = wild_rival(name).net
    h = torch.randn(1, 1, 16)
    wait, root = torch.tensor([[5]]), torch.tensor([[40]])
    with torch.no_grad():
        total = 0.0
        for shape, (delay, velocity) in product((0,), product(range(4), range(32))):
            symbols = as_symbols(symbols_of(notes_of_tokens(tokens_of(PHRASE[:2])), KNOWN))
            symbols |= {"wait": wait, "root": root, "shape": torch.tensor([[shape]])}
            symbols["delay"][..., 0], symbols["velocity"][..., 0] = delay, velocity
            for length in (0, 64, 127):
                symbols["length"][..., 0] = length
            said = net.nats(symbols, h)
            total += float((-said["delay"] - said["velocity"]).exp())
        assert total == pytest.approx(1, abs=1e-4)
        roots = sum(
            float(
                (
                    -net.nats(symbols | {"root": torch.tensor([[key]]), "shape": torch.tensor([[shape]])}, h)[
                        "key"
                    ]
                ).exp()
            )
            for key, shape in product(range(KEYS), range(len(SHAPES)))
            if key + SHAPES[shape][-1] < KEYS
        )
    assert 0.5 < roots <= 1 + 1e-4  # what is missing are shapes beyond the keyboard


# The biaxial network


def test_the_seventy_eight_attributes_are_these():
    assert ATTRIBUTES == 78
    grid = torch.zeros(1, 7, KEYS, 2, dtype=torch.uint8)
    c4, e4, c5 = (pitch - LOWEST for pitch in (60, 64, 72))
    grid[0, 5, [c4, e4, c5], 0] = 1
    grid[0, 5, [e4, c5], 1] = 1  # C4 is held over
    seen = attributes(grid)[0, 5, c4]
    assert seen[0] == pytest.approx(c4 / KEYS)
    assert seen[1:13].tolist() == [1] + [0] * 11
    vicinity = seen[13:63].view(25, 2)
    assert vicinity[12].tolist() == [1, 1]
    assert vicinity[12 + 4].tolist() == [1, 0]
    assert vicinity[12 + 12].tolist() == [1, 0]
    assert vicinity.sum() == 4
    assert seen[63:74].tolist() == [
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]  # one E, four semitones above; C is not counted
    assert seen[74:78].tolist() == [1, -1, 1, -1]  # step 5
    above_the_top = attributes(grid)[0, 5, KEYS - 1, 13:63].view(25, 2)[13:]
    assert above_the_top.sum() == 0
    from_e4 = attributes(grid)[0, 5, e4]
    assert from_e4[63 + 8 - 1] == 2  # two Cs, eight semitones above E


def test_the_biaxial_likelihoods_of_a_step_sum_to_one_and_its_keys_look_down_only(monkeypatch):
    net = wild_rival("biaxial").net
    grid = torch.zeros(1, 4, KEYS, 2, dtype=torch.uint8)
    grid[0, 1, 40] = 1
    with torch.no_grad():
        before = net(grid)
        other = grid.clone()
        other[0, 3, 50] = 1
        after = net(other)
    assert torch.equal(before[0, :, : 50 + 1], after[0, :, : 50 + 1])
    assert not torch.allclose(before[0, 2, 51], after[0, 2, 51])
    assert torch.equal(before[0, :2], after[0, :2])
    few = torch.tensor([[[0, 0]] * 3, [[1, 0]] * 3])[None]
    logits = torch.randn(1, 1, 3, 2)
    total = 0.0
    for states in product(((0, 0), (1, 0), (1, 1)), repeat=3):
        few[0, 1] = torch.tensor(states)
        total += float((-nats_of_grid(logits, few)).exp())
    assert total == pytest.approx(1, abs=1e-5)


def test_drawing_key_by_key_says_what_the_whole_grid_says():
    net = wild_rival("biaxial").net
    grid = torch.from_numpy(grid_of_notes(notes_of_tokens(tokens_of(PHRASE))))[None]
    generator = torch.Generator()
    with torch.no_grad():
        h, _ = net.along_time(grid)
        chosen = net.draw(h[0, -1], 1.0, 1.0, generator.manual_seed(3))
        chance = torch.sigmoid(net(torch.cat([grid, torch.from_numpy(chosen)[None, None]], 1)))[0, -1]
    draws = torch.rand(KEYS, 2, generator=generator.manual_seed(3))
    assert (draws[:, 0] < chance[:, 0]).tolist() == chosen[:, 0].astype(bool).tolist()
    struck = (draws[:, 1] < chance[:, 1]) & torch.from_numpy(chosen[:, 0]).bool()
    assert struck.tolist() == chosen[:, 1].astype(bool).tolist()


def test_notes_lie_on_the_grid():
    notes = np.array([(0.0, 10, 60, 0.26), (0.13, 10, 60, 0.01), (0.5, 20, 60, 0.0)], NOTE)
    grid = grid_of_notes(notes)
    assert grid[:, 10].tolist() == [[1, 1], [1, 1], [0, 0], [0, 0], [0, 0]]
    assert grid[:, 20].tolist() == [[0, 0]] * 4 + [[1, 1]]


# Hands


def test_notes_are_played_in_order_as_soon_as_they_are_sure():
    notes = [
        (0.5, [Note(0.5, 60, 70, 1.0)]),
        (0.6, [Note(0.63, 64, 70, 0.7)]),
        (0.62, [Note(0.62, 60, 80, 9.0)]),
    ]
    heard = []

    def batches():
        for batch in notes:
            heard.append(batch[0])
            yield batch

    stream = play_notes(batches(), limit=2.0)
    assert next(stream) == NoteOn(0.0, 60, 70)
    assert heard == [0.5, 0.6]
    rest = list(stream)
    assert_good_manners([NoteOn(0.0, 60, 70), *rest])
    assert [(type(event).__name__, event.pitch) for event in rest[:3]] == [
        ("NoteOff", 60), ("NoteOn", 60), ("NoteOn", 64),
    ]  # fmt: skip
    assert rest[-1].time == 2.0


# Training and files


def piece_of(split, name):
    events = [at(event, event.time + 2 * turn) for turn in range(14) for event in PHRASE]
    return Piece(name, tuple(events), split, "here")


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_learns_a_phrase_and_goes_on_learning(name, tmp_path):
    pieces = [piece_of("train", "a"), piece_of("valid", "b")]
    rival = fresh_rival(name, [(0,)], **SIZES[name])
    out = tmp_path / "weights.safetensors"
    train_rival(name, pieces, out, 0.01, tmp_path, clock=time.process_time, **SIZES[name])
    learnt = load_rival(out)
    tune = tune_of(pieces[0])
    assert learnt.nats(tune)["nats"] < rival.nats(tune)["nats"]
    train_rival(name, [], out, 0.018, tmp_path, resume=True, clock=time.process_time)
    assert load_rival(out).nats(tune)["nats"] < learnt.nats(tune)["nats"]


def test_each_learns_as_it_says():
    tunes = [tune_of(piece_of("train", "a"))]
    for name in RIVALS:
        lesson = fresh_rival(name, SHAPES, **SIZES[name]).lesson(tunes)
        assert type(lesson.optimizer()).__name__ == ("Adadelta" if name == "biaxial" else "AdamW")
        assert isinstance(lesson, BiaxialLesson if name == "biaxial" else ChordLesson)


@pytest.mark.parametrize("name", RIVALS)
def test_weights_come_back_as_they_went(name, tmp_path):
    rival, path = wild_rival(name), tmp_path / "x.safetensors"
    save_rival(rival, path)
    again = load_rival(path)
    assert (again.name, again.config) == (name, CONFIGS[name](**SIZES[name]))
    assert type(load_partner(str(path))) is type(rival.partner())
    for key, tensor in again.net.state_dict().items():
        assert torch.equal(tensor, rival.net.state_dict()[key].half().float())


def test_missing_damaged_and_foreign_weights_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors: no such weights; .*--partner NAME"):
        load_rival(tmp_path / "none.safetensors")
    path = tmp_path / "lstm.safetensors"
    save_rival(wild_rival("lstm"), path)
    with pytest.raises(CheckpointError, match="its weights do not fit its config"):
        config = '{"name": "lstm", "shapes": [[0]], "sizes": {"width": 8}}'
        save_file({"x": torch.zeros(1)}, tmp_path / "b.safetensors", {"kind": "rival", "config": config})
        load_rival(tmp_path / "b.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        load_rival(path)
    save_file({"x": torch.zeros(1)}, path, {"kind": "voice"})
    with pytest.raises(CheckpointError, match="'voice', not 'rival'"):
        load_rival(path)


def test_a_rival_is_judged_as_the_partner_is(tmp_path):
    save_rival(wild_rival("lstm"), tmp_path / "lstm.safetensors")
    pieces = [piece_of("test", "a"), replace(piece_of("test", "b"), expressive=False, real_velocity=False)]
    save_rival(wild_rival("wavenet-notes"), tmp_path / "other.safetensors")
    figures = evaluate_rival(
        str(tmp_path / "lstm.safetensors"),
        pieces,
        tmp_path,
        answers=2,
        against=tmp_path / "other.safetensors",
    )
    assert figures["pieces"] == 1
    assert figures["nats_per_note"] == pytest.approx(sum(figures["nats_per_note_parts"].values()), abs=1e-3)
    assert {"ceiling", "floor", "lstm"} == set(figures["overlap"])
    compared = figures["against"]
    more = figures["nats_per_note"] - compared["nats_per_note"]
    assert compared["rival_needs_more"] == pytest.approx(more, abs=1e-3)
    assert figures["scores_against"]["nats_per_note"] != compared["nats_per_note"]
    assert figures["against_without_pedal"] == compared  # these pieces have none, and a rival would not know
    save_rival(wild_rival("biaxial"), tmp_path / "grid.safetensors")
    with pytest.raises(CheckpointError, match="its nats are of a grid"):
        evaluate_rival(
            str(tmp_path / "lstm.safetensors"), pieces, tmp_path, against=tmp_path / "grid.safetensors"
        )


def test_a_grid_costs_a_composer_of_performances_at_most_what_its_keys_cost():
    tune = tune_of(piece_of("test", "a"))
    tune.tokens["velocity"] = np.where(tune.tokens["token"] < OFF, 64, 0)
    for name in ("lstm", "wavenet-notes"):
        net = wild_rival(name).net
        bound, whole = bound_of_chords(net, tune), net_nats(net, tune)
        assert 0 < bound["nats"] < whole["nats"] - whole["velocity"]  # the first step costs nothing
        assert bound["notes"] == whole["notes"] - 1
    neural = fresh_net(PartnerConfig(width=32, layers=1, heads=2, window=64), 0)
    steps = steps_of_tune(tune)
    every = nats_of_net(neural, steps)
    assert bound_of_net(neural, tune)["nats"] == pytest.approx(
        (every["gap"] + every["token"])[2:].sum(), rel=1e-4
    )


def test_only_the_first_minute_is_on_the_grid_and_no_pedal():
    events = [at(event, event.time + 2 * turn) for turn in range(60) for event in PHRASE]
    tune = tune_of(Piece("a", (*events[:10], Pedal(1.9, 127), *events[10:]), "test", "here"))
    begun = opening(tune)
    assert begun.tokens["token"].max() < PEDAL_DOWN
    assert (begun.tokens["time"] / STEP).round().searchsorted(JUDGED) == len(begun.tokens) - 1


def test_the_net_of_the_grid_is_the_one_described():
    net = fresh_rival("biaxial").net
    assert isinstance(net, BiaxialNet)
    assert (net.time.input_size, net.keys.input_size - net.time.hidden_size, net.out.out_features) == (
        78,
        2,
        2,
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name in RIVALS])
def test_the_shipped_ones_answer_on_the_keyboard(name):
    partner = load_partner(name)
    notes = notes_of(answer(partner, melody([60, 62, 64, 65, 67]), seconds=4.0))
    assert 3 <= len(notes) <= 60
    assert all(LOWEST <= note.pitch < LOWEST + KEYS for note in notes)
