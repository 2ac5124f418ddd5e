"""Mixtures of voices as they are written."""

import pytest

from duet.mixture import Mixture, is_mixture


def test_shares_are_scaled_to_one_and_left_out_they_are_equal():
    assert Mixture.read("piano:3,strings:1").parts == (("piano", 0.75), ("strings", 0.25))
    assert Mixture.read("organ, vibes").parts == (("organ", 0.5), ("vibes", 0.5))
    assert Mixture.read("organ").parts == (("organ", 1.0),)


def test_what_is_written_is_read_back():
    mixture = Mixture.read("piano:0.6,strings:0.4")
    assert str(mixture) == "piano:0.6,strings:0.4"
    assert Mixture.read(str(mixture)) == mixture


def test_blending_goes_from_the_first_voice_to_the_others_and_back():
    mixture = Mixture.read("piano:0.5,strings:0.3,vibes:0.2")
    assert mixture.blended(0).parts == (("piano", 1), ("strings", 0), ("vibes", 0))
    others = dict(mixture.blended(1).parts)
    assert others["piano"] == 0
    assert others["strings"] == pytest.approx(0.6)
    assert dict(mixture.blended(0).blended(0.5).parts) == pytest.approx(
        {"piano": 0.5, "strings": 0.25, "vibes": 0.25}
    )


def test_one_voice_cannot_be_blended():
    with pytest.raises(ValueError, match="organ is one voice"):
        Mixture.read("organ").blended(0.5)


@pytest.mark.parametrize(
    "text", ["", "piano:0", "piano:x", "piano,piano", "piano:-1,organ:2", "piano:inf", ",organ"]
)
def test_what_is_no_mixture_is_refused(text):
    with pytest.raises(ValueError):
        Mixture.read(text)


def test_a_path_is_no_mixture():
    assert is_mixture("piano:1")
    assert is_mixture("piano,organ")
    assert not is_mixture("organ")
    assert not is_mixture("C:\\voices\\mine,old.safetensors")
