"""The settings as knobs: their stops, their words, their turning."""

import pytest

from duet.request import Settings
from terminal_ui.knobs import KNOBS, Value, share_of, stops_of, turn, value_of
from tests.face.kit import SETUP, changed

BY_NAME = {knob.setting: knob for knob in KNOBS}


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.setting)
def test_every_stop_of_every_knob_is_a_setting_that_can_be_had(knob: object) -> None:
    for stop in stops_of(knob, SETUP):
        if knob.setting in {"partner", "voice", "turn"}:
            assert stop
        else:
            setup = changed(settings=Settings().changed(**{knob.setting: stop}))
            assert value_of(knob, setup) == stop
        assert knob.say(stop) not in {"", "None"}


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("density", None, "free"),
        ("density", 4.0, "4/s"),
        ("loudness", None, "free"),
        ("loudness", 71.0, "mf"),
        ("loudness", 64.0, "mp 64"),
        ("register", 60.0, "C4"),
        ("register", 61.4, "C#4"),
        ("closeness", 0.0, "contrast"),
        ("closeness", 0.31, "31%"),
        ("closeness", 1.0, "echo"),
        ("key", "", "any"),
        ("key", "call", "yours"),
        ("key", "F# minor", "F# minor"),
        ("style", "", "like me"),
        ("voice", "", "no sound"),
        ("length", 1.0, "1.0×"),
    ],
)
def test_a_value_reads_as_a_musician_would_say_it(setting: str, value: Value, words: str) -> None:
    assert BY_NAME[setting].say(value) == words


@pytest.mark.parametrize(
    ("value", "by", "next_value"),
    [(None, 1, 1.0), (None, -1, None), (1.0, -1, None), (3.3, 1, 4.0), (3.3, -1, 3.0), (0.4, 1, 1.0), (0.4, -1, None),
     (16.0, 1, 16.0), (99.0, 1, 16.0), (99.0, -1, 16.0)],
)  # fmt: skip
def test_turning_goes_to_the_next_stop_even_from_between_two(
    value: Value, by: int, next_value: Value
) -> None:
    density = BY_NAME["density"]
    assert turn(density.stops, value, by, density.scale) == next_value


def test_a_choice_goes_round_and_a_value_nobody_knows_starts_at_the_first() -> None:
    assert turn(("a", "b"), "b", 1, scale=False) == "a"
    assert turn(("a", "b"), "elsewhere/weights.safetensors", 1, scale=False) == "a"
    assert turn((), "a", 1, scale=False) == "a"


def test_the_slider_is_empty_when_free_and_full_at_the_last_stop() -> None:
    stops = BY_NAME["density"].stops
    assert share_of(stops, None) is None
    assert share_of(stops, 1.0) == 0.0
    assert share_of(stops, 16.0) == 1.0
    assert 0.2 < share_of(stops, 3.5) < 0.5
