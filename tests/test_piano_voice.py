"""The piano's network: its three evaluations agree, and its state is a value."""

import numpy as np
import torch

from duet.note import NoteOff, NoteOn, Pedal
from duet.roll import Grid, frames_of
from models.piano_engine import PianoEngine
from models.piano_voice import Joiner
from models.source import SourceState, sound_source
from models.voice_features import features_of, fold_all
from tests.voice_fakes import SMALL, small_net, small_piano

GRID = Grid(SMALL.sample_rate, SMALL.hop_length)
FRAMES = 200
MUSIC = [
    NoteOn(0.01, 60, 100),
    NoteOn(0.013, 64, 30),
    Pedal(0.05, 127),
    NoteOff(0.1, 60),
    NoteOn(0.15, 60, 80),
    NoteOff(0.2, 64),
    Pedal(0.25, 0),
    NoteOn(0.3, 21, 127),
    NoteOn(0.301, 108, 1),
]


def inputs():
    """Source, noise, features and the roll of some music."""
    engine = PianoEngine(small_piano())
    rolls = fold_all(frames_of(MUSIC, GRID, FRAMES))
    steps = FRAMES * SMALL.steps
    source = np.empty((SMALL.inputs - SMALL.rows, steps), np.float32)
    sound_source(engine.tables, SourceState.silent(engine.tables), *rolls, source)
    features = features_of(*rolls, GRID.frame_rate).T.copy()
    arrays = (source, engine.noise(0, steps), features)
    return engine, rolls, [torch.from_numpy(array)[None] for array in arrays]


def play(engine, rolls, state, first=0, last=FRAMES):
    out = []
    for frame in range(first, last, engine.frames):
        out.append(np.zeros((engine.block_length, 2), np.float32))
        engine.sing(state, *(array[frame : frame + engine.frames] for array in rolls), out[-1])
    return np.concatenate(out)


@torch.no_grad()
def test_step_by_step_the_network_says_what_it_says_of_the_whole():
    net = small_net()
    _, _, (source, noise, features) = inputs()
    whole = net(source, noise, features)
    state, parts = net.silent_state(), []
    for first, last in ((0, 1), (1, 2), (2, 90), (90, FRAMES)):
        steps = slice(first * SMALL.steps, last * SMALL.steps)
        said, state = net.step(source[:, :, steps], noise[:, :, steps], features[:, :, first:last], state)
        parts.append(said)
    assert torch.allclose(torch.cat(parts, dim=2), whole, atol=1e-5)


@torch.no_grad()
def test_the_engine_plays_what_the_torch_reference_plays():
    engine, rolls, heard = inputs()
    reference = Joiner(SMALL)(small_net()(*heard))[0].T.numpy()
    assert 0.05 < np.abs(reference).max() < 0.8
    assert np.abs(play(engine, rolls, engine.silent_state()) - reference).max() < 1e-5


def test_the_engine_is_the_same_in_longer_blocks():
    engine, rolls, _ = inputs()
    longer = PianoEngine(small_piano(), frames=8)
    short = play(engine, rolls, engine.silent_state())
    assert np.abs(short - play(longer, rolls, longer.silent_state())).max() < 1e-6


def test_a_copied_state_goes_on_bit_for_bit():
    engine, rolls, _ = inputs()
    state = engine.silent_state()
    play(engine, rolls, state, 0, 100)
    kept = state.copy()
    first = play(engine, rolls, state, 100, FRAMES)
    assert np.array_equal(first, play(engine, rolls, kept, 100, FRAMES))


def test_another_seed_makes_other_noise_of_the_same_loudness():
    quiet = PianoEngine(small_piano(), seed=0).noise(0, 4000)
    other = PianoEngine(small_piano(), seed=1).noise(0, 4000)
    assert np.abs(np.corrcoef(quiet.ravel(), other.ravel())[0, 1]) < 0.02
    assert abs(quiet.std() - 1) < 0.02
    assert abs(quiet.mean()) < 0.02


def test_the_network_remembers_longer_than_a_period_of_the_lowest_note():
    from models.piano_voice_config import PianoVoiceConfig

    config = PianoVoiceConfig()
    steps = 1 + (config.kernel - 1) * sum(config.dilations)
    assert steps * config.bands / config.sample_rate > 1 / 27.5
