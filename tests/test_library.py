"""Folders of MIDI files."""

from pathlib import Path

import pytest

from duet.errors import FileError
from duet.library import read_pieces, style_of
from duet.midi import write_midi
from duet.note import NoteOff, NoteOn

NOTE = [NoteOn(0.0, 60, 80), NoteOff(1.0, 60)]


def test_any_folder_of_midi_files_will_do_and_one_broken_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.mid", "deep/b.MID", "deep/c.midi"):
        write_midi(tmp_path / name, {"player": NOTE})
    (tmp_path / "broken.mid").write_bytes(b"no")
    assert sorted(piece.name for piece in read_pieces(tmp_path)) == ["a.mid", "deep/b.MID", "deep/c.midi"]


def test_a_files_split_depends_on_its_name_alone(tmp_path: Path) -> None:
    for index in range(60):
        write_midi(tmp_path / f"{index}.mid", {"player": NOTE})
    before = {piece.name: piece.split for piece in read_pieces(tmp_path)}
    assert set(before.values()) == {"train", "valid", "test"}
    for index in range(0, 60, 2):
        (tmp_path / f"{index}.mid").unlink()
    assert all(before[piece.name] == piece.split for piece in read_pieces(tmp_path))


def test_a_manifest_gives_splits_tiers_and_sources(tmp_path: Path) -> None:
    write_midi(tmp_path / "chopin-a.mid", {"player": NOTE})
    (tmp_path / "manifest.csv").write_text(
        "file,source,tier,real_velocity,split\nchopin-a.mid,rolls,B,0,test\nmissing.mid,rolls,A,1,test\n"
    )
    (piece,) = read_pieces(tmp_path, ("test",))
    assert (piece.source, piece.split, piece.style) == ("rolls", "test", "chopin")
    assert not piece.expressive
    assert not piece.real_velocity


def test_the_first_few_pieces_are_of_all_collections(tmp_path: Path) -> None:
    rows = ["file,source,split"]
    for index in range(12):
        write_midi(tmp_path / f"{index}.mid", {"player": NOTE})
        rows.append(f"{index}.mid,{'rolls' if index < 8 else 'songs' if index < 11 else 'solos'},test")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    pieces = list(read_pieces(tmp_path))
    assert {piece.source for piece in pieces[:3]} == {"rolls", "songs", "solos"}
    assert [piece.name for piece in pieces] == [piece.name for piece in read_pieces(tmp_path)]
    assert len({piece.name for piece in pieces}) == 12


def test_an_empty_folder_and_no_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holds no MIDI file"):
        list(read_pieces(tmp_path))
    with pytest.raises(FileError, match="no such folder"):
        list(read_pieces(tmp_path / "none"))


def test_the_style_is_a_folder_or_a_collection() -> None:
    assert style_of("mit/pop909/001/001.mid") == "pop"
    assert style_of("cc-by-sa/piano-midi-de/debussy/clair.mid") == "debussy"
    assert style_of("my own/tune.mid") == ""
