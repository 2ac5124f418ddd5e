"""The truth: FluidSynth's sound lies where the roll says, to the sample."""

import shutil

import numpy as np
import pytest

from duet.errors import FileError
from duet.note import NoteOff, NoteOn, Pedal
from duet.roll import Grid
from models.fluidsynth import SOUNDFONT, render_truth

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
