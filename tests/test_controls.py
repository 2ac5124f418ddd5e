"""Knobs and pads that were learnt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.controls import GEOMETRIC, RANGES, TARGETS, Control, Controls
from duet.news import Choose, Panic, Tap


def test_a_knob_sets_its_setting_from_end_to_end() -> None:
    controls = Controls().bind("temperature", Control.read("cc 74"))
    assert controls.wishes((0xB0, 74, 0), 1.0) == [Choose("temperature", 0.1)]
    assert controls.wishes((0xB5, 74, 127), 1.0) == [Choose("temperature", 2.0)]
    assert controls.wishes((0xB0, 75, 127), 1.0) == []


def test_the_middle_of_a_knob_for_length_is_the_length_of_the_call() -> None:
    controls = Controls().bind("length", Control.read("cc 1"))
    (wish,) = controls.wishes((0xB0, 1, 64), 1.0)
    assert isinstance(wish, Choose)
    assert wish.value == pytest.approx(1.0, abs=0.02)


def test_a_pad_asks_once_when_struck_and_not_when_let_go() -> None:
    controls = Controls().bind("panic", Control.read("note 36 ch 10")).bind("tap", Control.read("cc 20"))
    assert controls.wishes((0x99, 36, 5), 1.0) == [Panic()]
    assert controls.wishes((0x89, 36, 64), 1.0) == []
    assert controls.wishes((0x90, 36, 64), 1.0) == [], "on another channel it is a note"
    assert controls.wishes((0xB0, 20, 127), 7.5) == [Tap(7.5)]
    assert controls.wishes((0xB0, 20, 0), 7.6) == []


def test_binding_anew_frees_the_old_knob_and_the_old_setting() -> None:
    controls = Controls().bind("density", Control.read("cc 1")).bind("length", Control.read("cc 1"))
    assert controls.table() == {"length": "cc 1"}
    assert controls.bind("length", Control.read("cc 2")).table() == {"length": "cc 2"}


@given(st.sampled_from(TARGETS), st.booleans(), st.integers(0, 127), st.none() | st.integers(0, 15))
def test_a_table_written_and_read_again_is_the_same(
    target: str, is_note: bool, number: int, channel: int | None
) -> None:
    controls = Controls().bind(target, Control(is_note, number, channel))
    assert Controls.read(controls.table()) == controls


@given(st.sampled_from(sorted(RANGES)), st.integers(0, 127))
def test_the_echo_of_a_setting_is_where_the_knob_was(setting: str, position: int) -> None:
    controls = Controls().bind(setting, Control.read("cc 7"))
    (wish,) = controls.wishes((0xB0, 7, position), 0.0)
    assert isinstance(wish, Choose) and isinstance(wish.value, float)
    assert controls.echo(setting, wish.value) == [(0xB0, 7, position)]
    assert controls.echo("mute", True) == []


@pytest.mark.parametrize(
    "table",
    [
        {"temperature": "knob 3"},
        {"volume": "cc 3"},
        {"length": 3},
        {"length": "cc 200"},
        {"panic": "note 3 ch 17"},
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"knob|pad"):
        Controls.read(table)


def test_every_setting_that_can_be_bound_has_a_range_that_it_accepts() -> None:
    from duet.request import Settings

    for setting in set(RANGES) - {"bpm", "blend"}:  # which are no fields of Settings
        for value in RANGES[setting]:
            Settings().changed(**{setting: value})
    assert set(RANGES) >= GEOMETRIC
