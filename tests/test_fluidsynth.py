"""The truth: FluidSynth's sound lies where the roll says, to the sample; and a voice that learns from it."""

import shutil

import numpy as np
import pytest

from duet.errors import FileError
from duet.note import NoteOff, NoteOn, Pedal
from duet.piece import Piece
from duet.roll import Grid
from models.ensemble_checkpoint import load_ensemble, save_ensemble
from models.fluidsynth import SOUNDFONT, render_truth
from models.train_ensemble import train_ensemble
from models.voice_presets import Preset
from models.voice_trainer import TrainConfig
from tests.voice_fakes import TRIO, small_ensemble

GRID = Grid(32_000, 64)

pytestmark = pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not SOUNDFONT.exists(),
    reason="needs fluidsynth and fluid-soundfont-gm",
)


def test_every_note_begins_with_the_first_sample_of_its_frame_whatever_its_time():
    first = render_truth([NoteOn(0.0, 72, 100)], 0.02, GRID)
    assert np.abs(first[:, :8]).max() > 0
    for onset in (0.3001, 0.6019, 1.0, 7.77):
        start = GRID.frame_of(onset) * GRID.hop_length
        later = render_truth([NoteOn(onset, 72, 100)], onset + 0.02, GRID)
        assert not later[:, :start].any()
        assert np.allclose(later[:, start : start + 300], first[:, :300], atol=1e-4)


def test_the_pedal_holds():
    keys = [NoteOn(0.1, 60, 90), NoteOff(0.2, 60)]
    dry, held = render_truth(keys, 1.5, GRID), render_truth([Pedal(0, 127), *keys], 1.5, GRID)
    assert np.abs(held[:, 32_000:]).max() > 100 * np.abs(dry[:, 32_000:]).max()


def test_an_organ_that_is_held_at_the_end_is_rendered_to_the_end_and_no_further():
    held = render_truth([NoteOn(0.1, 60, 90)], 1.5, GRID, program=16)
    assert held.shape == (2, 48_000)
    early, late = (np.sqrt(np.mean(held[:, at : at + 8000] ** 2)) for at in (16_000, 40_000))
    assert 0.7 < late / early < 1.4


def test_a_soundfont_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"none\.sf2: no such SoundFont"):
        render_truth([], 1.0, GRID, tmp_path / "none.sf2")


def test_an_ensemble_gone_on_from_keeps_its_shape_and_measured_instruments_and_learns(tmp_path):
    begun = small_ensemble()
    save_ensemble(tmp_path / "begun.safetensors", begun, {})
    keys = (NoteOn(0.1, 60, 90), NoteOff(0.5, 60), NoteOn(0.7, 64, 60), NoteOff(1.5, 64))
    pieces = [Piece(f"{n}.mid", keys, "train") for n in range(len(TRIO.voices))]
    report = train_ensemble(
        [*pieces, *(Piece(f"held{n}.mid", keys, "valid") for n in range(2))],
        out=tmp_path / "taught.safetensors",
        minutes=0.001,
        run=tmp_path,
        preset=Preset(TRIO, TrainConfig(half=False), 3, 60, passages=1, exercises=1, seconds=3.0),
        start_from=tmp_path / "begun.safetensors",
    )
    taught = load_ensemble(tmp_path / "taught.safetensors")
    assert taught.config == TRIO
    for kept, table in zip(taught.partials, begun.partials, strict=True):
        assert np.allclose(kept.exponent, table.exponent)
    moved = {name: float(np.abs(taught.weights[name] - value).max()) for name, value in begun.weights.items()}
    assert 0 < max(moved.values()) < 0.1
    errors = [report[f"{voice}_logmel_rmse_db"] for voice in TRIO.voices]
    assert report["logmel_rmse_db"] == pytest.approx(sum(errors) / 3)
    assert min(errors) > 1, "it is the truth that it was judged by, and it knows nothing of that"
