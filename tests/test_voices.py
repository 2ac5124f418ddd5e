"""Voices by name, and the errors of those that are not there."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from duet.errors import CheckpointError
from models.piano_checkpoint import load_checkpoint, save_checkpoint
from models.voices import NAMES, load_voice
from tests.voice_fakes import small_piano, tiny_ar_piano


def test_a_piano_that_is_saved_comes_back_as_it_was(tmp_path):
    path = tmp_path / "small.safetensors"
    saved = small_piano()
    save_checkpoint(path, saved, {"notes": "a test"})
    loaded = load_checkpoint(path)
    assert loaded.config == saved.config
    assert all(np.array_equal(loaded.weights[name], value) for name, value in saved.weights.items())
    assert np.allclose(loaded.partials.exponent, saved.partials.exponent, rtol=1e-6)
    assert load_voice(path).sample_rate == 32_000


def test_an_autoregressive_piano_is_told_from_a_parallel_one_by_its_file(tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, tiny_ar_piano(), {})
    voice = load_voice(path)
    assert (voice.sample_rate, voice.channels) == (16_000, 1)


def test_an_unknown_voice_gets_the_list_of_those_there_are():
    with pytest.raises(CheckpointError, match="kazoo") as caught:
        load_voice("kazoo")
    assert all(name in str(caught.value) for name in NAMES)


def test_missing_weights_are_named_with_the_remedy(tmp_path):
    with pytest.raises(CheckpointError, match=r"piano\.safetensors: no such weights.*duet train voice"):
        load_voice("piano", folder=tmp_path)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "noise.safetensors"
    path.write_bytes(b"not a checkpoint at all")
    with pytest.raises(CheckpointError, match=r"noise\.safetensors: damaged"):
        load_voice(path)


def test_a_checkpoint_cut_short_is_refused(tmp_path):
    path = tmp_path / "cut.safetensors"
    save_checkpoint(path, small_piano(), {})
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="damaged"):
        load_voice(path)


def test_weights_of_another_kind_are_refused_by_their_kind(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(3, np.float32)}, path, {"kind": "partner"})
    with pytest.raises(CheckpointError, match="holds partner, not a piano-voice or a piano-ar"):
        load_voice(path)


def test_a_tensor_of_the_wrong_shape_is_named(tmp_path):
    path = tmp_path / "shape.safetensors"
    piano = small_piano()
    piano.weights["head.weight"] = np.zeros((3, 3, 1), np.float32)
    save_checkpoint(path, piano, {})
    with pytest.raises(CheckpointError, match=r"head\.weight has shape"):
        load_voice(path)
