"""Several instruments from one network: torch and engine agree, mixtures glide, an organ holds."""

import numpy as np
import pytest
import torch

from duet.errors import CheckpointError
from duet.mixture import Mixture
from duet.note import NoteOff, NoteOn, Pedal
from duet.roll import Grid, frames_of
from models.company import Company
from models.ensemble import EnsembleNet
from models.ensemble_checkpoint import load_ensemble, save_ensemble
from models.ensemble_config import EnsembleConfig
from models.ensemble_engine import EnsembleEngine
from models.ensemble_lesson import EnsembleLesson
from models.eval_ensemble import timbre_distance
from models.piano_player import PianoVoice
from models.piano_voice import Joiner
from models.source import SourceState, sound_source
from models.voice_data import Crops, Passage
from models.voice_features import FEATURES, features_of, fold_all
from models.voice_trainer import TrainConfig, Trainer
from models.voices import load_voice
from tests.voice_fakes import SMALL, TRIO, loudness, small_ensemble, small_ensemble_net, sound

GRID = Grid(SMALL.sample_rate, SMALL.hop_length)
FRAMES = 160
MUSIC = [NoteOn(0.01, 60, 100), NoteOn(0.02, 67, 60), Pedal(0.05, 127), NoteOff(0.1, 60), Pedal(0.2, 0)]
HELD = [NoteOn(0.01, 60, 100)]


def play(engine, events, frames=FRAMES, mix=()):
    """mix: (frame, mixture) pairs, in order."""
    rolls = fold_all(frames_of(events, GRID, frames))
    state, out, mix = engine.silent_state(), [], list(mix)
    for frame in range(0, frames, engine.frames):
        while mix and mix[0][0] <= frame:
            engine.mix(Mixture.read(mix.pop(0)[1]))
        out.append(np.zeros((engine.block_length, 2), np.float32))
        engine.sing(state, *(array[frame : frame + engine.frames] for array in rolls), out[-1])
    return np.concatenate(out)


def engine(mixture="piano"):
    made = EnsembleEngine(small_ensemble())
    made.mix(Mixture.read(mixture))
    return made


@torch.no_grad()
@pytest.mark.parametrize("mixture", ["organ", "piano:0.6,strings:0.4"])
def test_the_engine_plays_what_the_torch_reference_plays_of_voices_and_mixtures(mixture):
    ours = engine(mixture)
    rolls = fold_all(frames_of(MUSIC, GRID, FRAMES))
    source, shares = (
        np.zeros((SMALL.inputs - SMALL.rows, FRAMES * SMALL.steps), np.float32),
        torch.zeros(1, 3),
    )
    for name, share in Mixture.read(mixture).parts:
        tables, own = ours.tables[TRIO.voices.index(name)], np.empty_like(source)
        sound_source(tables, SourceState.silent(tables), *rolls, own)
        source += share * own
        shares[0, TRIO.voices.index(name)] = share
    features = features_of(*rolls, GRID.frame_rate).T.copy()
    heard = [torch.from_numpy(a)[None] for a in (source, ours.noise(0, source.shape[1]), features)]
    reference = Joiner(SMALL)(small_ensemble_net()(*heard, shares))[0].T.numpy()
    assert 0.01 < np.abs(reference).max() < 0.8
    assert np.abs(play(ours, MUSIC) - reference).max() < 1e-5


def test_the_voices_sound_different():
    sounds = [play(engine(name), MUSIC) for name in TRIO.voices]
    assert all(np.abs(a - b).max() > 0.01 for a, b in zip(sounds, [*sounds[1:], sounds[0]], strict=True))


def test_a_mixture_that_changes_while_it_sounds_ends_as_if_it_had_always_been_so():
    always = play(engine("piano:0.2,organ:0.8"), HELD, 400)
    changed = play(engine("piano:0.9,organ:0.1"), HELD, 400, [(40, "piano:0.2,organ:0.8")])
    assert np.abs(always - changed)[2000:4000].max() > 0.01
    assert np.abs(always - changed)[-2000:].max() < 1e-3


def test_a_change_does_not_click():
    changed = play(engine("piano:0.9,organ:0.1"), HELD, 400, [(200, "piano:0.1,organ:0.9")])
    bend = np.abs(np.diff(changed[:, 0], 2))
    at = 200 * 64
    settled = bend[-4000:].max()
    assert bend[at - 300 : at + 3000].max() < 1.5 * max(settled, bend[at - 4000 : at - 300].max())


def test_an_instrument_that_comes_in_strikes_what_is_held_and_one_that_leaves_is_silent():
    ours = engine("piano")
    with_organ = play(ours, HELD, 600, [(100, "organ")])
    organ_alone = play(engine("organ"), [NoteOn(100 * 64 / 32_000, 60, 100)], 600)
    end = slice(-4000, None)
    assert loudness(with_organ[end], 0, 1, 32_000) == pytest.approx(
        loudness(organ_alone[end], 0, 1, 32_000), rel=0.05
    )


def test_a_held_organ_note_holds_and_a_released_one_ends():
    voice = PianoVoice(small_ensemble())
    assert voice.blend("organ")
    held = sound(voice, HELD, 8.6)
    early, late = loudness(held, 1, 1.5, 32_000), loudness(held, 8, 8.5, 32_000)
    assert abs(20 * np.log10(late / early)) < 3
    freed = sound(voice, [*HELD, NoteOff(1.0, 60)], 2.5)
    assert not freed[-3200:].any()


def test_a_voice_that_has_been_changed_begins_as_that_voice():
    changed, always = PianoVoice(small_ensemble()), PianoVoice(small_ensemble())
    changed.blend("strings")
    changed.blend("organ")
    always.blend("organ")
    assert np.allclose(sound(changed, MUSIC, 0.3), sound(always, MUSIC, 0.3), atol=1e-4)


def test_what_is_no_voice_of_the_ensemble_is_not_blended_nor_is_the_piano_of_its_own():
    voice = PianoVoice(small_ensemble())
    assert not voice.blend("kazoo")
    assert not voice.blend("sine")
    assert not voice.blend("piano")
    assert voice.blend("piano:1")


def test_a_copied_state_goes_on_bit_for_bit():
    ours = engine("piano,strings")
    rolls = fold_all(frames_of(MUSIC, GRID, 8))
    state, out, again = ours.silent_state(), np.zeros((256, 2), np.float32), np.zeros((256, 2), np.float32)
    ours.sing(state, *(array[:4] for array in rolls), out)
    kept = state.copy()
    ours.sing(state, *(array[4:] for array in rolls), out)
    ours.sing(kept, *(array[4:] for array in rolls), again)
    assert np.array_equal(out, again)
    assert np.abs(out).max() > 0


def test_an_ensemble_that_is_saved_comes_back_as_it_was_and_plays_by_name(tmp_path):
    saved = small_ensemble()
    save_ensemble(tmp_path / "ensemble.safetensors", saved, {"notes": "a test"})
    loaded = load_ensemble(tmp_path / "ensemble.safetensors")
    assert loaded.config == saved.config
    assert all(np.array_equal(loaded.weights[name], value) for name, value in saved.weights.items())
    assert np.allclose(loaded.partials[1].exponent, saved.partials[1].exponent, rtol=1e-6)
    for name in ("organ", "piano:0.6,strings:0.4", tmp_path / "ensemble.safetensors"):
        assert loudness(sound(load_voice(name, tmp_path), HELD, 0.3), 0.1, 0.3, 32_000) > 1e-4


def test_a_voice_that_the_ensemble_lacks_is_named(tmp_path):
    save_ensemble(tmp_path / "ensemble.safetensors", small_ensemble(), {})
    with pytest.raises(CheckpointError, match="kazoo"):
        load_voice("piano:0.5,kazoo:0.5", tmp_path)
    with pytest.raises(CheckpointError, match="a share is a number"):
        load_voice("piano:much", tmp_path)


def test_an_ensemble_needs_different_voices():
    with pytest.raises(ValueError, match="different voices"):
        EnsembleConfig(("piano", "piano"))


@torch.no_grad()
def test_to_a_fresh_ensemble_all_voices_are_the_network_it_begins_as():
    net = EnsembleNet(TRIO)
    torch.nn.init.normal_(net.trunk.output.weight, std=0.1)
    heard = [torch.randn(2, rows, 40 * steps) for rows, steps in ((48, 8), (16, 8), (FEATURES, 1))]
    assert torch.equal(net(*heard, torch.eye(3)[1:]), net.trunk(*heard))


def trio_lesson():
    """Noise of another loudness for each voice."""
    rng, frames, crops = np.random.default_rng(0), 300, []
    for loud in (0.01, 0.05, 0.002):
        source = rng.standard_normal((48, frames * SMALL.steps)).astype(np.float16)
        truth = loud * rng.standard_normal((2, frames * SMALL.hop_length)).astype(np.float32)
        passage = Passage(source, np.ones((frames, FEATURES), np.float16), truth)
        crops.append(Crops([passage], GRID, SMALL.delay))
    return EnsembleLesson(TRIO, crops, {}, batch=3, frames=60, run_in=10)


def test_a_lesson_teaches_every_voice_its_own():
    config = TrainConfig(warm_up=1, rate=1e-2, half=False)
    student = Trainer(trio_lesson(), config, Company("cpu"), 0)
    first = student.step(0.0)
    later = [student.step(0.0) for _ in range(12)]
    assert later[-1] < first
    told = (student.net.told["output"].weight @ student.net.embedding.weight.T).detach()
    assert float((told[:, 1] - told[:, 2]).abs().max()) > 1e-3


def test_timbre_is_what_is_left_of_a_sound_without_its_loudness():
    time = np.arange(16_000) / 32_000
    flute, oboe = (
        sum(np.sin(2 * np.pi * 440 * h * time) * fall**h for h in range(1, 12)) for fall in (0.3, 0.9)
    )
    assert timbre_distance(flute, flute) == 0
    assert timbre_distance(0.5 * flute, flute) < 0.1
    assert timbre_distance(oboe, flute) > 3


@pytest.mark.parametrize("name", ["organ", "strings"])
def test_a_note_of_the_shipped_voices_that_are_held_holds_and_ends_when_let_go(name):
    voice = load_voice(name)
    held = sound(voice, HELD, 9.6)  # levels of some seconds: the organ's speaker turns, and swells by 5 dB
    assert abs(20 * np.log10(loudness(held, 6.5, 9.5, 32_000) / loudness(held, 1, 4, 32_000))) < 3
    freed = sound(voice, [*HELD, NoteOff(0.5, 60)], 4.0)
    assert loudness(freed, 3.5, 4.0, 32_000) < 1e-3 * loudness(freed, 0.2, 0.5, 32_000)


@pytest.mark.parametrize(("name", "duller_db"), [("guitar", 8), ("vibes", 8), ("organ", 0)])
def test_the_shipped_guitar_and_vibes_are_duller_when_struck_softly(name, duller_db):
    voice = load_voice(name)

    def brightness(velocity):
        audio = sound(voice, [NoteOn(0.01, 72, velocity)], 0.4)[:, 0]
        power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
        hertz = np.fft.rfftfreq(len(audio), 1 / 32_000)
        return 10 * np.log10(power[hertz > 3000].sum() / power[hertz < 3000].sum())

    difference = brightness(120) - brightness(50)
    assert difference > duller_db if duller_db else abs(difference) < 3
