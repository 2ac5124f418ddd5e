"""`duet takes`, on takes that a real session has made."""

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from PIL import Image

from duet.cli import main
from duet.midi import read_midi, read_tracks
from duet.news import Kept, News, Setup
from duet.note import Note, events_of, notes_of
from duet.offline import play_again
from duet.request import Settings
from duet.take_list import choose_take, list_takes
from duet.take_music import read_music
from duet.takes import Take
from tests.fakes import EchoPartner

FIRST = [Note(0.5 * k, 60 + k, 80, 0.5 * k + 0.4) for k in range(4)]
ECHO_OF_ALL = [60, 61, 62, 63, 72, 71, 70, 69]
"""The second answer: this partner gives back all it has heard."""
SECOND = [Note(10 + 0.5 * k, 72 - k, 90, 10 + 0.5 * k + 0.4) for k in range(4)]


def make_take(folder: Path, name: str, keep: bool = False) -> Path:
    """Two turns: rising, then falling."""
    take = Take(folder, pytest.fail)
    take.observe(Setup("", "", "", "echo", (), "sine", (), (), Settings(seed=7)))

    def observe(news: News) -> None:
        take.observe(news)

    play_again(events_of([*FIRST, *SECOND]), EchoPartner(), Settings(seed=7), observe)
    if keep:
        take.observe(Kept())
    path = take.close()
    assert path is not None
    return path.rename(folder / f"{name}.mid")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    takes = tmp_path / "takes"
    make_take(takes, "2026-01-01 20-00-00")
    make_take(takes, "2026-01-02 21-30-00", keep=True)
    (takes / "broken.mid").write_bytes(b"MThd")
    return takes


def takes(folder: Path, *arguments: object) -> int:
    return main(["takes", "--takes", str(folder), *map(str, arguments)])


def test_the_list_tells_of_each_take_the_latest_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert takes(folder, "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["takes"]
    assert [row["date"] for row in listed] == ["2026-01-02 21:30:00", "2026-01-01 20:00:00"]
    assert [row["number"] for row in listed] == [1, 2]
    assert listed[0]["turns"] == 2
    assert listed[0]["kept"] == [2]
    assert listed[0]["seed"] == ["7"]
    assert listed[0]["partner"] == ["echo"]
    music = read_midi(Path(listed[0]["path"]))
    assert listed[0]["seconds"] == pytest.approx(music[-1].time, abs=0.01)
    assert takes(folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "2026-01-02 21:30" in lines[1]
    assert "turn 2" in lines[1]


def test_an_empty_folder_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert takes(tmp_path / "none") == 0
    assert "no takes" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["2", "01-01", "{folder}/2026-01-01 20-00-00.mid"])
def test_a_take_is_named_by_number_by_a_part_of_its_name_or_by_path(name: str, folder: Path) -> None:
    assert choose_take(name.format(folder=folder), folder).path.stem == "2026-01-01 20-00-00"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["play", "9"], "no take is called '9'"),
        (["export", "2026"], "say what to write"),
        (["play", "2026-01"], "could be any of 2 takes"),
        (["export", "1"], "say what to write"),
        (["export", "1", "{out}/a.mp3"], "ends in .mid, .wav, .flac, .png"),
        (["export", "1", "{out}/none/a.mid"], "there is no folder"),
        (["export", "1", "{out}/a.mid", "--turns", "5"], "no such turns as '5'"),
        (["export", "2", "{out}/a.mid", "--turns", "kept"], "no turn of it is marked"),
        (["render", "1", "{out}/a.mid", "--partner", "kazoo"], "kazoo"),
        (["render", "1", "{out}/a.mid", "--partner", "markov", "--style", "polka"], "polka"),
        (["delete", "1"], "say --yes"),
    ],
)
def test_a_slip_gets_one_line(
    arguments: list[str], says: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if says == "say what to write" and arguments[1] == "2026":
        says = "could be any"
    assert takes(folder, *(text.format(out=tmp_path) for text in arguments)) == 1
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1
    assert says in error


def test_export_writes_two_tracks_or_one(folder: Path, tmp_path: Path) -> None:
    assert takes(folder, "export", 1, tmp_path / "two.mid") == 0
    assert takes(folder, "export", 1, tmp_path / "one.mid", "--type0") == 0
    two, one = mido.MidiFile(tmp_path / "two.mid"), mido.MidiFile(tmp_path / "one.mid")
    assert (two.type, [track.name for track in two.tracks[1:]]) == (1, ["player", "partner"])
    assert (one.type, len(one.tracks)) == (0, 1)
    assert notes_of(read_midi(tmp_path / "one.mid")) == notes_of(read_midi(tmp_path / "two.mid"))
    assert read_music(choose_take(str(tmp_path / "two.mid"), folder)).answers == list(
        list_takes(folder)[0].answers
    )


def test_the_turns_that_were_kept_are_cut_out_with_their_answers(folder: Path, tmp_path: Path) -> None:
    assert takes(folder, "export", 1, tmp_path / "kept.mid", "--turns", "kept") == 0
    tracks, _ = read_tracks(tmp_path / "kept.mid")
    assert [note.pitch for note in notes_of(tracks["player"])] == [72, 71, 70, 69]
    assert [note.pitch for note in notes_of(tracks["partner"])] == ECHO_OF_ALL
    assert tracks["player"][0].time == 0.0
    assert takes(folder, "export", 1, tmp_path / "both.mid", "--turns", "1-2") == 0
    tracks, words = read_tracks(tmp_path / "both.mid")
    assert len(notes_of(tracks["partner"])) == 4 + 8
    assert [each.text for each in words if each.marker] == ["turn 1", "turn 2 (kept)"]


def test_stems_sum_up_to_what_was_heard(folder: Path, tmp_path: Path) -> None:
    assert takes(folder, "export", 1, tmp_path / "all.flac", "--voice", "sine") == 0
    assert takes(folder, "export", 1, tmp_path / "stem.wav", "--voice", "sine", "--stems") == 0
    whole, rate = soundfile.read(tmp_path / "all.flac", always_2d=True)
    parts = [soundfile.read(tmp_path / f"stem-{who}.wav", always_2d=True)[0] for who in ("player", "partner")]
    length = min(len(whole), *map(len, parts))
    assert length / rate > 14
    assert np.abs(sum(part[:length] for part in parts) - whole[:length]).max() < 1e-3


def test_a_take_is_rendered_again_with_another_partner_and_another_voice(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again.mid"
    wav = tmp_path / "again.wav"
    assert takes(folder, "render", 1, out, wav, "--partner", "markov", "--voice", "sine", "--seed", 3) == 0
    before, (again, _) = read_music(list_takes(folder)[0]), read_tracks(out)
    assert notes_of(again["player"]) == notes_of(before.player)
    assert again["partner"] != before.partner
    answer = choose_take(str(out), folder).answers[0]
    assert (answer.partner, answer.settings["seed"]) == ("markov", 3)
    assert soundfile.info(wav).duration > 14


def test_a_take_is_drawn(folder: Path, tmp_path: Path) -> None:
    assert takes(folder, "export", 1, "--picture", tmp_path / "a.png", "--voice", "sine") == 0
    assert Image.open(tmp_path / "a.png").size == (1920, 1080)


def test_delete_asks_unless_told_not_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert takes(folder, "delete", 1) == 0
    assert len(list_takes(folder)) == 2
    assert takes(folder, "delete", 1, "--yes") == 0
    assert [take.path.stem for take in list_takes(folder)] == ["2026-01-01 20-00-00"]
