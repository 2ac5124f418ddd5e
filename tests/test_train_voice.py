"""Teaching the voice, on a small network and music made up here."""

import dataclasses
import sys

import numpy as np
import pytest
import torch

from duet.errors import CheckpointError
from duet.note import NoteOff, NoteOn, Pedal
from duet.piece import Piece
from duet.roll import Grid
from models.ar_lesson import ArLesson, Recording, ar_tables, keep_recordings, kept_recordings, passage_of
from models.company import Company
from models.parallel_lesson import ParallelLesson
from models.partials import generic_partials
from models.piano_ar import generate
from models.piano_ar_config import encode
from models.train_ensemble import train_ensemble
from models.train_voice import train_voice
from models.voice_curve import add_row, draw_curve
from models.voice_data import STORED, Crops, Passage, exercise, passages_of
from models.voice_features import FEATURES, features_of
from models.voice_presets import PRESETS
from models.voice_trainer import TrainConfig, Trainer
from models.voices import FILES, WEIGHTS
from tests.company import run_by_two
from tests.voice_fakes import SMALL, TINY

QUICK = TrainConfig(warm_up=1, rate=3e-3)
GRID = Grid(SMALL.sample_rate, SMALL.hop_length)


def made_up_crops():
    """A passage whose truth is noise that the untrained network does not make."""
    rng = np.random.default_rng(0)
    frames = 300
    source = rng.standard_normal((48, frames * SMALL.steps)).astype(np.float16)
    truth = 0.02 * rng.standard_normal((2, frames * SMALL.hop_length)).astype(np.float32)
    return Crops([Passage(source, np.ones((frames, FEATURES), np.float16), truth)], GRID, SMALL.delay)


def parallel_lesson():
    return ParallelLesson(SMALL, made_up_crops(), batch=2, frames=60, run_in=10)


def ar_lesson():
    """Two decaying sinusoids in tune with a source that is half as loud."""
    time = np.arange(200 * TINY.hop_length)
    sound = 0.2 * np.exp(-time / 4000) * np.sin(2 * np.pi * time * 440 / 16_000)
    source = np.stack([0.5 * sound, 0 * sound, 0 * sound]) * STORED
    passage = Passage(
        source.astype(np.float16), np.ones((200, FEATURES), np.float16), sound[None].astype(np.float32)
    )
    return ArLesson(TINY, [passage], batch=2, frames=40, run_in=4)


def trainer(lesson=parallel_lesson, company=None):
    return Trainer(lesson(), QUICK, company or Company("cpu"), 0)


@pytest.mark.slow
def test_the_loss_falls():
    student = trainer()
    losses = [student.step(0.0) for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * losses[0]


@pytest.mark.parametrize("lesson", [parallel_lesson, ar_lesson])
def test_a_training_that_was_stopped_goes_on_bit_for_bit(tmp_path, lesson):
    straight, stopped = trainer(lesson), trainer(lesson)
    for _ in range(2):
        torch.manual_seed(5)
        straight.step(0.1)
        torch.manual_seed(5)
        stopped.step(0.1)
    stopped.save(tmp_path / "state.pt")
    torch.manual_seed(6)
    expected = straight.step(0.2)
    resumed = trainer(lesson)
    resumed.load(tmp_path / "state.pt")
    torch.manual_seed(6)
    assert resumed.step(0.2) == expected
    assert resumed.iteration == 3
    for kept, found in zip(straight.average.parameters(), resumed.average.parameters(), strict=True):
        assert torch.equal(kept, found)


@pytest.mark.parametrize("lesson", [parallel_lesson, ar_lesson])
def test_a_training_from_weights_begins_with_what_they_know(lesson):
    learnt = trainer(lesson)
    learnt.step(0.1)
    kept = {name: torch.from_numpy(value) for name, value in learnt.weights().items()}
    begun = trainer(lambda: dataclasses.replace(lesson(), start=kept))
    for net in (begun.net, begun.average):
        assert all(torch.equal(value, kept[name]) for name, value in net.state_dict().items())


def test_weights_of_one_form_are_no_beginning_for_another(tmp_path):
    with pytest.raises(CheckpointError, match=r"piano\.safetensors.*--voice"):
        train_voice(
            [],
            run=tmp_path,
            preset=PRESETS["piano-ar"]["small"],
            start_from=WEIGHTS / FILES["piano"],
        )


@pytest.mark.parametrize(
    ("train", "begun"),
    [(train_voice, FILES["piano"]), (train_ensemble, "ensemble.safetensors")],
    ids=["piano", "ensemble"],
)
def test_a_training_that_goes_on_from_weights_hears_passages_of_its_own(train, begun, tmp_path, monkeypatch):
    class Drawn(Exception):
        pass

    def gather(pieces, passages, exercises, seconds, make, rng):
        raise Drawn(int(rng.integers(1 << 32)))

    monkeypatch.setattr(sys.modules[train.__module__], "gather", gather)
    drawn = []
    for _ in range(2):
        with pytest.raises(Drawn) as caught:
            train([], run=tmp_path, start_from=WEIGHTS / begun)
        drawn.append(caught.value.args[0])
    from_nothing = np.random.default_rng(0).integers(1 << 32)
    assert drawn[0] == drawn[1] != from_nothing


def test_crops_of_sound_lag_the_notes_by_the_delay():
    passage = made_up_crops().passages[0]
    passage.truth[:] = np.arange(passage.truth.shape[1])
    passage.features[:, 0] = np.arange(len(passage.features))
    _, features, truth = Crops([passage], GRID, 64).draw(3, 20, np.random.default_rng(3))
    assert torch.equal(truth[:, 0, 0], features[:, 0, 0] * 64 - 64)


def test_kept_recordings_come_back_and_make_the_same_passage(tmp_path):
    rng = np.random.default_rng(0)
    onset = np.zeros((50, 88), np.float32)
    onset[3, 40], onset[20, 70] = 100 / 127, 1
    release = np.zeros_like(onset)
    release[30, 40] = 1
    pedal = np.repeat(np.float32([0, 64 / 127]), 25)
    truth = rng.uniform(-0.5, 0.5, 50 * TINY.hop_length).astype(np.float32)
    recording = Recording(onset, release, pedal, truth)
    keep_recordings(tmp_path / "music.npz", [recording, recording])
    back = kept_recordings(tmp_path / "music.npz")
    tables = ar_tables(generic_partials(), TINY)
    first, second = (passage_of(each, TINY, tables) for each in (recording, back[1]))
    assert len(back) == 2
    assert np.array_equal(first.source, second.source)
    assert np.array_equal(first.features, second.features)
    assert np.abs(first.truth - second.truth).max() < 1e-4
    assert np.abs(first.source).max() > 0


def test_exercises_reach_every_register_velocity_and_the_pedal():
    rng = np.random.default_rng(0)
    events = [event for _ in range(20) for event in exercise(45, rng)]
    strokes = [event for event in events if isinstance(event, NoteOn)]
    assert {stroke.pitch for stroke in strokes} == set(range(21, 109))
    assert min(s.velocity for s in strokes) < 5
    assert max(s.velocity for s in strokes) > 122
    assert any(isinstance(event, Pedal) and event.down for event in events)
    assert sum(isinstance(event, NoteOff) for event in events) == len(strokes)


def test_a_passage_keeps_the_pedal_as_it_stood_and_leaves_out_scores_and_what_is_held_out():
    events = (Pedal(0.0, 100), *(NoteOn(second, 60, 80) for second in range(60)))
    played = Piece("played.mid", events, "train")
    score = Piece("score.mid", events, "train", expressive=False)
    held_out = Piece("held_out.mid", events, "test")
    passages = list(passages_of([score, held_out, played], 5.0, np.random.default_rng(0)))
    assert len(passages) == 1
    assert passages[0][0] == Pedal(0.0, 100)
    assert all(0 <= event.time < 5 for event in passages[0])


def test_a_passage_in_which_nothing_is_struck_is_left_out():
    rest = Piece("rest.mid", (NoteOn(0.0, 60, 80), NoteOff(1.0, 60), Pedal(900.0, 0)), "train")
    assert not list(passages_of([rest], 5.0, np.random.default_rng(0)))


@pytest.mark.slow
def test_it_learns_one_clip_by_heart_and_sings_it_free_running():
    """The experiment at which so many WaveNets made only noise: its own past, not the teacher's."""
    lesson = dataclasses.replace(ar_lesson(), run_in=0, dropout=0.1)
    config = TrainConfig(warm_up=10, rate=1e-2, average=0.98, half=False)
    student = Trainer(lesson, config, Company("cpu"), 0)
    for step in range(120):
        student.step(step / 120)
    passage, samples = lesson.passages[0], 40 * TINY.hop_length
    source = passage.source.astype(np.float32)[:, :samples] / STORED
    uniforms = torch.rand(1, samples, generator=torch.Generator().manual_seed(0))
    features = torch.ones(1, FEATURES, 40)
    said = generate(student.average, torch.from_numpy(source)[None], features, uniforms, 0.5)[0]
    missing = passage.truth[0, :samples] - source.sum(axis=0)
    assert np.corrcoef(said.numpy(), missing)[0, 1] > 0.8


@pytest.mark.slow
def test_without_a_source_it_learns_a_note_by_heart_and_sings_it_from_the_roll_and_its_own_past():
    """Nothing but the notes and what it has said itself: the plain form. When the wave begins is not told."""
    shape = dataclasses.replace(
        TINY, hears_source=False, codes_rest=False, reach=0.5, dilations=(1, 2, 4, 8, 16, 32, 64), spread=0.1
    )
    onset = np.zeros((42, 88), np.float32)
    onset[2, 48] = 0.8
    features = features_of(onset, np.zeros_like(onset), onset[:, 0], 500.0)
    time = np.arange(40 * shape.hop_length)
    note = 0.3 * np.exp(-time / 900) * np.sin(2 * np.pi * 440 * time / shape.sample_rate)
    truth = np.concatenate([np.zeros(2 * shape.hop_length), note]).astype(np.float32)
    passage = Passage(np.zeros((3, len(truth)), np.float16), features.astype(np.float16), truth[None])
    lesson = ArLesson(shape, [passage], batch=1, frames=40, run_in=0, dropout=0.0)
    config = TrainConfig(warm_up=10, rate=1e-2, average=0.95, half=False)
    student = Trainer(lesson, config, Company("cpu"), 0)
    for step in range(250):
        student.step(step / 250)
    uniforms = torch.rand(1, len(truth), generator=torch.Generator().manual_seed(0))
    heard = torch.zeros(1, 3, len(truth)), torch.from_numpy(features.T.copy())[None]
    said = generate(student.average, *heard, uniforms)[0].numpy()
    period = round(shape.sample_rate / 440)
    likeness = [np.corrcoef(np.roll(said, lag)[:1200], truth[:1200])[0, 1] for lag in range(-period, period)]
    assert max(likeness) > 0.85


def test_the_time_of_a_training_is_counted_by_the_clock_it_is_given():
    ticks = iter(range(0, 1000, 30))
    student = Trainer(ar_lesson(), QUICK, Company("cpu"), 0, clock=lambda: float(next(ticks)))
    student.step(0.0)
    student.step(0.0)
    assert student.seconds == 60


def test_the_right_past_of_a_sample_is_the_one_before_it():
    lesson = dataclasses.replace(ar_lesson(), noise=0.0, dropout=0.0)
    past, _, _, target = lesson.draw(np.random.default_rng(1))
    levels = ((past[:, 0] + 1) / 2 * (TINY.levels - 1)).round().long()
    assert torch.equal(levels[:, 1:], target[:, :-1])


def test_a_fresh_network_expects_each_level_as_often_as_it_comes():
    lesson = ar_lesson()
    passage = lesson.passages[0]
    rest = passage.truth[0] - passage.source.astype(np.float32).sum(axis=0) / STORED
    shares = np.bincount(encode(rest / TINY.reach), minlength=TINY.levels) / len(rest)
    odds = torch.softmax(lesson.student().output.bias, dim=0).detach().numpy()
    assert np.abs(odds - shares).max() < 0.05 * shares.max()


def test_the_curve_leaves_empty_what_a_row_does_not_know(tmp_path):
    curve = tmp_path / "curve.csv"
    add_row(curve, {"minutes": 1.0, "loss": 3.0, "onset_f1_ratio": 0.1})
    add_row(curve, {"minutes": 2.0, "loss": 2.0, "onset_f1_ratio": float("nan")})
    assert curve.read_text().splitlines()[2] == "2.0,2.0,"
    if draw_curve(curve, tmp_path / "curve.png"):
        assert (tmp_path / "curve.png").stat().st_size > 1000


@pytest.mark.slow
def test_two_processes_learn_as_one_and_end_at_the_same_step(tmp_path):
    run_by_two(
        tmp_path,
        "import sys, torch\n"
        "from models.company import Company\n"
        "from tests.test_train_voice import ar_lesson, trainer\n"
        "with Company('cpu') as company:\n"
        "    student = trainer(ar_lesson, company)\n"
        "    for _ in range(3): student.step(0.0)\n"
        "    first = int(student.rng.integers(1 << 30))\n"
        "    torch.save((student.net.state_dict(), student.seconds, first), f'{sys.argv[1]}/{company.rank}.pt')\n"
        "from tests.company import no_thread_is_left\n"
        "no_thread_is_left()\n",
    )
    (one, its_seconds, its_draw), (other, seconds, draw) = (
        torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert its_seconds == seconds
    assert its_draw != draw


def test_every_preset_remembers_more_than_a_period_of_the_lowest_note():
    for preset in PRESETS["piano-ar"].values():
        assert preset.shape.receptive_field / preset.shape.sample_rate > 1 / 27.5
