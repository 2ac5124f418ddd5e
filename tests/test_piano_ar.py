"""The autoregressive voice: its evaluations agree, and its state is a value."""

import dataclasses

import numpy as np
import pytest
import torch

from duet.note import NoteOff, NoteOn, Pedal
from duet.roll import Grid, frames_of
from models.piano_ar import bend, choose, expect, generate
from models.piano_ar_config import PRESETS, PianoArConfig, compand, encode, values_of
from models.piano_ar_engine import PianoArEngine
from models.piano_player import PianoVoice
from models.source import SourceState, sound_source
from models.voice_features import features_of, fold_all
from tests.voice_fakes import TINY, sound, tiny_ar_net, tiny_ar_piano

PLAIN = dataclasses.replace(TINY, hears_source=False, codes_rest=False, reach=0.5)
WIDER = dataclasses.replace(TINY, residual=32, skip=96, levels=128)
TAMED = dataclasses.replace(TINY, spread=0.2, memory=0.7)
FRAMES = 40
MUSIC = [
    NoteOn(0.01, 60, 100),
    NoteOn(0.02, 64, 60),
    NoteOff(0.05, 60),
    Pedal(0.06, 127),
    NoteOn(0.07, 30, 127),
]


def inputs(config):
    """An engine, the roll of some music, and what the torch reference hears of it."""
    engine = PianoArEngine(tiny_ar_piano(config), frames=8)
    grid = Grid(config.sample_rate, config.hop_length)
    rolls = fold_all(frames_of(MUSIC, grid, FRAMES))
    source = np.zeros((engine.tables.rows, FRAMES * config.hop_length), np.float32)
    sound_source(engine.tables, SourceState.silent(engine.tables), *rolls, source)
    features = features_of(*rolls, grid.frame_rate).T.copy()
    return engine, rolls, torch.from_numpy(source)[None], torch.from_numpy(features)[None]


def play(engine, rolls, state, first=0, last=FRAMES):
    out = []
    for frame in range(first, last, engine.frames):
        out.append(np.zeros((engine.block_length, 1), np.float32))
        engine.sing(state, *(array[frame : frame + engine.frames] for array in rolls), out[-1])
    return np.concatenate(out)[:, 0]


def a_past(length):
    return np.random.default_rng(0).uniform(-1, 1, length).astype(np.float32)


@torch.no_grad()
def test_step_by_step_the_network_says_what_it_says_of_the_whole():
    net = tiny_ar_net()
    _, _, source, features = inputs(TINY)
    past = torch.from_numpy(a_past(source.shape[2]))[None, None]
    whole = net(past, source, features)
    state, parts = net.silent_state(), []
    for first, last in ((0, 1), (1, 2), (2, 30), (30, FRAMES)):
        samples = slice(first * TINY.hop_length, last * TINY.hop_length)
        said, state = net.step(past[:, :, samples], source[:, :, samples], features[:, :, first:last], state)
        parts.append(said)
    assert torch.allclose(torch.cat(parts, dim=2), whole, atol=1e-4)


@torch.no_grad()
def test_no_sample_hears_what_comes_after_it():
    net = tiny_ar_net()
    _, _, source, features = inputs(TINY)
    past = torch.from_numpy(a_past(source.shape[2]))[None, None]
    changed = past.clone()
    changed[:, :, 700:] = 0
    before, after = net(past, source, features), net(changed, source, features)
    assert torch.equal(before[:, :, :700], after[:, :, :700])
    assert not torch.allclose(before[:, :, 700:], after[:, :, 700:])


@torch.no_grad()
@pytest.mark.parametrize("config", [TINY, PLAIN, WIDER])
def test_the_kernel_says_what_torch_says_when_both_are_taught(config):
    engine, rolls, source, features = inputs(config)
    past = a_past(source.shape[2])
    state, parts = engine.silent_state(), []
    for frame in range(0, FRAMES, engine.frames):
        block = [array[frame : frame + engine.frames] for array in rolls]
        taught = past[frame * config.hop_length :][: engine.block_length]
        parts.append(engine.score(state, *block, taught))
    reference = tiny_ar_net(config)(torch.from_numpy(past)[None, None], source, features)[0].T.numpy()
    assert np.ptp(reference) > 1
    assert np.abs(np.concatenate(parts) - reference).max() < 1e-4


@pytest.mark.parametrize("config", [TINY, PLAIN, TAMED])
def test_the_kernel_sings_the_very_samples_that_torch_sings(config):
    engine, rolls, source, features = inputs(config)
    samples = source.shape[2]
    uniforms = torch.from_numpy(engine.uniforms(0, samples))[None]
    said = generate(tiny_ar_net(config), source, features, uniforms)[0].numpy()
    beside = source[0].sum(dim=0).numpy() if config.codes_rest else 0
    assert len(np.unique(said)) > 50
    assert np.abs(play(engine, rolls, engine.silent_state()) - said - beside).max() < 1e-6


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0])
def test_without_spread_it_says_what_it_expects_whatever_is_drawn(spread):
    net = tiny_ar_net(dataclasses.replace(TINY, spread=spread))
    _, _, source, features = inputs(TINY)
    source, features = source[:, :, :320], features[:, :, :10]
    drawn = torch.rand(2, 320, generator=torch.Generator().manual_seed(0))
    one, other = (generate(net, source, features, uniforms[None])[0] for uniforms in drawn)
    assert torch.allclose(one, other, rtol=0, atol=1e-7) == (spread == 0)


def test_without_memory_no_sample_hangs_on_what_was_said_before():
    net = tiny_ar_net(dataclasses.replace(TINY, memory=0.0))
    _, _, source, features = inputs(TINY)
    source, features = source[:, :, :320], features[:, :, :10]
    uniforms = torch.rand(1, 320, generator=torch.Generator().manual_seed(0))
    logits = net(torch.zeros(1, 1, 320), source, features)[0].T
    levels = choose(logits, uniforms[0], 1.0)
    said = generate(net, source, features, uniforms)[0]
    assert np.array_equal(encode(said.numpy() / TINY.reach), levels.numpy())


def test_what_it_expects_is_the_mean_of_many_draws():
    logits = 2 * torch.randn(1, 256, generator=torch.Generator().manual_seed(0))
    values = torch.from_numpy(values_of())
    levels = choose(logits.expand(4000, 256), torch.linspace(0, 0.9999, 4000), 0.8)
    assert float(expect(logits, values, 0.8)) == pytest.approx(float(values[levels].mean()), abs=1e-3)


def test_blocks_of_other_lengths_and_a_copied_state_sing_the_same():
    engine, rolls, _, _ = inputs(TINY)
    whole = play(engine, rolls, engine.silent_state())
    shorter = PianoArEngine(tiny_ar_piano(), frames=4)
    assert np.array_equal(whole, play(shorter, rolls, shorter.silent_state()))
    state = engine.silent_state()
    play(engine, rolls, state, 0, 16)
    kept = state.copy()
    play(engine, rolls, state, 16, FRAMES)
    assert np.array_equal(whole[16 * TINY.hop_length :], play(engine, rolls, kept, 16, FRAMES))


def test_another_seed_sings_otherwise():
    _, rolls, _, _ = inputs(TINY)
    engines = [PianoArEngine(tiny_ar_piano(), frames=8, seed=seed) for seed in (0, 1)]
    one, other = (play(engine, rolls, engine.silent_state()) for engine in engines)
    assert not np.allclose(one, other)


def test_a_colder_choice_is_nearer_to_the_likeliest_level():
    logits = torch.randn(1, 256, generator=torch.Generator().manual_seed(0)).expand(4000, 256)
    uniforms = torch.linspace(0, 0.9999, 4000)
    likeliest = int(logits[0].argmax())
    shares = [
        float((choose(logits, uniforms, temperature) == likeliest).float().mean())
        for temperature in (1.0, 0.5, 0.05)
    ]
    assert shares == sorted(shares)
    assert shares[2] > 0.6
    assert shares[0] == pytest.approx(float(torch.softmax(logits[0], 0)[likeliest]), abs=2e-3)


def test_no_level_is_drawn_that_is_all_but_impossible():
    logits = torch.zeros(1, 256)
    logits[0, 100] = 8.0
    assert set(choose(logits.expand(50, 256), torch.linspace(0, 0.9999, 50), 1.0).tolist()) == {100}


def test_the_first_number_drawn_is_no_special_one():
    first = [PianoArEngine(tiny_ar_piano(), seed=seed).uniforms(0, 1)[0] for seed in range(5)]
    assert min(first) > 1e-3
    assert len(set(first)) == 5


def test_the_mu_law_comes_back_within_half_a_level_and_agrees_in_both_forms():
    heard = np.linspace(-1, 1, 4001).astype(np.float32)
    levels = encode(heard)
    assert (levels.min(), levels.max()) == (0, 255)
    assert np.array_equal(encode(values_of()), np.arange(256))
    assert np.abs(compand(values_of()[levels]) - compand(heard)).max() < 1 / 255 + 1e-6
    assert np.abs(bend(torch.from_numpy(heard)).numpy() - compand(heard)).max() < 1e-6


def test_it_plays_at_the_voices_socket_and_rests_in_silence():
    voice = PianoVoice(tiny_ar_piano())
    played = sound(voice, MUSIC[:3], 0.3)
    assert played.shape[1] == voice.channels == 1
    assert np.abs(played).max() > 0.01
    assert np.abs(sound(voice, [], 0.1)).max() == 0


def test_a_shape_that_the_kernel_cannot_run_is_refused():
    with pytest.raises(ValueError, match="whole vectors"):
        PianoArConfig(residual=20)
    with pytest.raises(ValueError, match="powers of two"):
        PianoArConfig(dilations=(1, 3))
    with pytest.raises(ValueError, match="a source"):
        PianoArConfig(hears_source=False)


def test_the_plain_preset_is_the_papers_with_local_conditioning():
    plain = PRESETS["plain"]
    assert not plain.hears_source
    assert not plain.codes_rest
    assert (plain.levels, plain.reach, plain.inputs) == (256, 1.0, 1)
