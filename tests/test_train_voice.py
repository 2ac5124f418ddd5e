"""Teaching the voice, on a small network and music made up here."""

import numpy as np
import pytest
import torch

from duet.note import NoteOff, NoteOn, Pedal
from duet.piece import Piece
from duet.roll import Grid
from models.train_voice import TrainConfig, Trainer
from models.voice_data import Crops, Passage, exercise, passages_of
from models.voice_features import FEATURES
from tests.voice_fakes import SMALL

QUICK = TrainConfig(batch=2, crop=60, run_in=10, warm_up=1, rate=3e-3)
GRID = Grid(SMALL.sample_rate, SMALL.hop_length)


def made_up_crops():
    """A passage whose truth is noise that the untrained network does not make."""
    rng = np.random.default_rng(0)
    frames = 300
    source = rng.standard_normal((48, frames * SMALL.steps)).astype(np.float16)
    truth = 0.02 * rng.standard_normal((2, frames * SMALL.hop_length)).astype(np.float32)
    return Crops([Passage(source, np.ones((frames, FEATURES), np.float16), truth)], GRID, SMALL.delay)


def trainer():
    torch.manual_seed(0)
    return Trainer(SMALL, QUICK, made_up_crops(), "cpu", 0)


@pytest.mark.slow
def test_the_loss_falls():
    student = trainer()
    losses = [student.step(0.0) for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * losses[0]


def test_a_training_that_was_stopped_goes_on_bit_for_bit(tmp_path):
    straight, stopped = trainer(), trainer()
    for _ in range(2):
        torch.manual_seed(5)
        straight.step(0.1)
        torch.manual_seed(5)
        stopped.step(0.1)
    stopped.save(tmp_path / "state.pt")
    torch.manual_seed(6)
    expected = straight.step(0.2)
    resumed = trainer()
    resumed.load(tmp_path / "state.pt")
    torch.manual_seed(6)
    assert resumed.step(0.2) == expected
    assert resumed.iteration == 3
    for kept, found in zip(straight.average.parameters(), resumed.average.parameters(), strict=True):
        assert torch.equal(kept, found)


def test_crops_of_sound_lag_the_notes_by_the_delay():
    passage = made_up_crops().passages[0]
    passage.truth[:] = np.arange(passage.truth.shape[1])
    passage.features[:, 0] = np.arange(len(passage.features))
    _, features, truth = Crops([passage], GRID, 64).draw(3, 20, np.random.default_rng(3))
    assert torch.equal(truth[:, 0, 0], features[:, 0, 0] * 64 - 64)


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
