"""Files and messages, whole and broken."""

from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duet.errors import FileError
from duet.midi import event_of, message_of, read_midi, write_midi
from duet.note import NoteOff, NoteOn, Pedal, notes_of

HEADER = b"MThd\0\0\0\6\0\1\0\1\1\xe0"
"""Of a file of type 1 with one track and 480 ticks a beat."""

events = st.one_of(
    st.builds(NoteOn, st.just(0.0), st.integers(0, 127), st.integers(1, 127)),
    st.builds(NoteOff, st.just(0.0), st.integers(0, 127)),
    st.builds(Pedal, st.just(0.0), st.integers(0, 127)),
)


@given(events, st.integers(0, 15))
def test_an_event_survives_being_a_message(event: NoteOn | NoteOff | Pedal, channel: int) -> None:
    assert event_of(message_of(event, channel), 0.0) == event


@given(st.lists(st.integers(0, 255), max_size=5))
def test_no_bytes_upset_the_reader(message: list[int]) -> None:
    event_of(message, 0.0)


def test_a_note_on_of_velocity_0_is_a_note_off() -> None:
    assert event_of([0x93, 60, 0], 1.5) == NoteOff(1.5, 60)


def save(path: Path, *tracks: list[mido.Message], ticks: int = 480) -> Path:
    file = mido.MidiFile(ticks_per_beat=ticks)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    file.save(path)
    return path


def on(pitch: int, time: int, channel: int = 0, velocity: int = 80) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, time=time, channel=channel)


def test_the_tempo_map_is_followed(tmp_path: Path) -> None:
    slower = mido.MetaMessage("set_tempo", tempo=1_000_000, time=480)
    path = save(
        tmp_path / "a.mid", [slower], [on(60, 0), on(60, 480, velocity=0), on(62, 0), on(62, 480, velocity=0)]
    )
    assert [(note.onset, note.offset) for note in notes_of(read_midi(path))] == [(0.0, 0.5), (0.5, 1.5)]


def test_drums_are_left_out_and_channels_share_one_keyboard(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a.mid",
        [on(60, 0), on(60, 480, velocity=0)],
        [on(60, 240, channel=1), on(60, 480, channel=1, velocity=0)],
        [on(36, 0, channel=9)],
    )
    assert [(note.onset, note.offset, note.pitch) for note in notes_of(read_midi(path))] == [
        (0.0, 0.25, 60),
        (0.25, 0.75, 60),
    ]


def test_a_key_doubled_in_two_tracks_is_one_stroke_as_long_as_the_longer(tmp_path: Path) -> None:
    melody = [on(60, 0), on(60, 240, velocity=0)]
    chords = [on(60, 0, velocity=60), on(60, 480, velocity=0)]
    path = save(tmp_path / "a.mid", melody, chords)
    assert [(note.onset, note.offset) for note in notes_of(read_midi(path))] == [(0.0, 0.5)]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    played = [Pedal(0.0, 100), NoteOn(0.01, 60, 81), NoteOff(1.2345, 60), Pedal(1.5, 0)]
    write_midi(tmp_path / "a.mid", {"player": played})
    for was, now in zip(played, read_midi(tmp_path / "a.mid"), strict=True):
        assert type(was) is type(now)
        assert now.time == pytest.approx(was.time, abs=0.0003)


def test_two_players_are_two_named_tracks(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", {"player": [NoteOn(0.0, 60, 80)], "partner": [NoteOn(1.0, 62, 80)]})
    assert [track.name for track in mido.MidiFile(tmp_path / "a.mid").tracks] == ["", "player", "partner"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MThd",
        b"RIFF....",
        b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\x90",
        b"\0" * 64,
        b"MThd\0\0\0\6\0\2\0\1\1\xe0",
    ],
)
def test_a_broken_file_is_named_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mid"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"broken\.mid") as error:
        read_midi(path)
    assert "\n" not in str(error.value)


@given(st.binary(max_size=60))
def test_random_bytes_are_an_error_or_music_but_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("junk") / "junk.mid"
    path.write_bytes(HEADER + b"MTrk\0\0\0" + bytes([len(junk)]) + junk)
    try:
        read_midi(path)
    except FileError as error:
        assert "junk.mid" in str(error)


def test_a_missing_file_a_folder_and_a_full_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_midi(tmp_path / "none.mid")
    with pytest.raises(FileError, match="is a folder"):
        read_midi(tmp_path)
    with pytest.raises(FileError, match="cannot be written"):
        write_midi(tmp_path / "none" / "a.mid", {"player": []})
