"""Files from anywhere: whatever is in them, one line is said or music is read, and nothing grows without bound."""

import json
from pathlib import Path

import numpy as np
import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from duet.cli import parser
from duet.errors import DuetError
from duet.midi import read_midi, write_midi
from duet.note import Note, events_of
from duet.settings_file import read_settings
from duet.settings_schema import schema_of
from duet.wiring import load_partner, load_voice

SCHEMA = schema_of(parser())

anything = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
few = settings(anything, max_examples=25)

HEADER = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk"
tracks = st.binary(max_size=300).map(lambda data: HEADER + len(data).to_bytes(4, "big") + data)


@pytest.fixture(scope="module")
def good_midi(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("midi") / "good.mid"
    write_midi(path, {"player": events_of([Note(k * 0.3, 60 + k, 80, k * 0.3 + 0.2) for k in range(12)])})
    return path.read_bytes()


def read(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        events = read_midi(path)
    except DuetError as error:
        assert "\n" not in str(error)
        return
    assert all(0 <= event.time < float("inf") for event in events)


@anything
@given(st.one_of(st.binary(max_size=400), tracks))
def test_bytes_at_random_are_read_as_midi_or_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    read(tmp_path / "x.mid", data)


@anything
@given(st.data())
def test_a_damaged_midi_file_is_read_or_refused_in_one_line(
    tmp_path: Path, good_midi: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(good_midi)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    read(tmp_path / "x.mid", bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))


def test_a_file_that_claims_to_last_for_years_is_refused(tmp_path: Path) -> None:
    data = b"\x00\x90\x3c\x50" + b"\xff\xff\xff\x7f\x80\x3c\x00" + b"\x00\xff\x2f\x00"
    (tmp_path / "x.mid").write_bytes(HEADER + len(data).to_bytes(4, "big") + data)
    with pytest.raises(DuetError, match="hours"):
        read_midi(tmp_path / "x.mid")


def test_a_file_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x.mid").open("wb") as file:
        file.truncate(5 << 30)  # a hole: it takes no room
    with pytest.raises(DuetError, match="larger than 20 MB"):
        read_midi(tmp_path / "x.mid")


def weights(config: object, kind: str) -> bytes:
    """A safetensors file that claims to be of that kind."""
    return save({"w": np.zeros(3, np.float32)}, metadata={"kind": kind, "config": json.dumps(config)})


claims = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@few
@given(
    st.one_of(st.binary(max_size=200), st.builds(weights, claims, st.sampled_from(["partner", "piano", "?"])))
)
def test_weights_that_are_none_are_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    for load in (load_partner, load_voice):
        with pytest.raises(DuetError) as caught:
            load(str(path))
        assert "\n" not in str(caught.value)


plain = st.one_of(
    st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=12), st.datetimes()
)
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
names = st.one_of(st.sampled_from([*SCHEMA, "presets", "controls", "about"]), st.text(max_size=12))
tables = st.dictionaries(names, st.one_of(values, st.dictionaries(names, values, max_size=4)), max_size=6)


def understood(path: Path) -> None:
    try:
        found = read_settings(path, SCHEMA)
    except DuetError as error:
        assert "\n" not in str(error)
        return
    assert all(name.replace("_", "-") in SCHEMA for name in found.values)


@anything
@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_bytes_at_random_are_read_as_settings_or_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.toml").write_bytes(data)
    understood(tmp_path / "x.toml")


@anything
@given(st.one_of(tables, st.builds(lambda table: {"presets": {"mine": table}}, tables)))
def test_any_toml_is_read_as_settings_or_refused_in_one_line(
    tmp_path: Path, table: dict[str, object]
) -> None:
    (tmp_path / "x.toml").write_text(tomlkit.dumps(table), encoding="utf-8")
    understood(tmp_path / "x.toml")


def test_settings_nested_without_end_are_refused(tmp_path: Path) -> None:
    for text in (
        "a = " + "[" * 30_000,
        "a = " + "{a=" * 20_000,
        "[" + "a." * 30_000 + "a]",
        "a=" + "9" * 60_000,
    ):
        (tmp_path / "x.toml").write_text(text)
        with pytest.raises(DuetError) as caught:
            read_settings(tmp_path / "x.toml", SCHEMA)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 2000


def test_settings_of_gigabytes_are_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x.toml").open("wb") as file:
        file.truncate(5 << 30)
    with pytest.raises(DuetError, match="no settings file"):
        read_settings(tmp_path / "x.toml", SCHEMA)
