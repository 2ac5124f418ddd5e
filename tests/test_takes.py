"""No take is lost."""

from pathlib import Path

import pytest

from duet.errors import FileError
from duet.midi import Words, read_midi, read_tracks
from duet.news import Answered, Cut, Kept, Played, Setup, Turned, Who
from duet.note import NoteOff, NoteOn, notes_of
from duet.request import Character, Settings
from duet.take_story import answers_of
from duet.takes import JOURNAL, Take, recover

PLAYER = [NoteOn(100.0, 60, 80), NoteOff(100.5, 60)]
PARTNER = [NoteOn(101.0, 72, 70), NoteOff(101.5, 72), NoteOn(102.0, 74, 70), NoteOff(102.5, 74)]


def play(take: Take) -> None:
    for event in PLAYER:
        take.observe(Played(Who.PLAYER, event))
    for event in PARTNER:
        take.observe(Played(Who.PARTNER, event))
    take.observe(Turned("IDLE", 1, 102.5))


def test_a_session_becomes_one_midi_file_from_time_0(tmp_path: Path) -> None:
    take = Take(tmp_path, pytest.fail)
    play(take)
    path = take.close()
    assert path is not None
    notes = notes_of(read_midi(path))
    assert [(round(note.onset, 2), note.pitch) for note in notes] == [(0.0, 60), (1.0, 72), (2.0, 74)]
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_planned_and_cut_is_not_in_the_take(tmp_path: Path) -> None:
    take = Take(tmp_path, pytest.fail)
    for event in PARTNER:
        take.observe(Played(Who.PARTNER, event))
    take.observe(Cut(101.25))
    path = take.close()
    assert path is not None
    (note,) = notes_of(read_midi(path))
    assert (note.pitch, round(note.duration, 2)) == (72, 0.25)


def test_a_session_in_which_nobody_played_leaves_nothing(tmp_path: Path) -> None:
    assert Take(tmp_path, pytest.fail).close() is None
    assert list(tmp_path.iterdir()) == []


def test_a_take_survives_the_power_cut(tmp_path: Path) -> None:
    take = Take(tmp_path, pytest.fail)
    play(take)
    (journal,) = tmp_path.glob(f"*{JOURNAL}")
    journal.write_text(journal.read_text() + '["player", 103.0, "o')
    (path,) = recover(tmp_path, alive=lambda pid: False)
    assert [note.pitch for note in notes_of(read_midi(path))] == [60, 72, 74]
    assert list(tmp_path.iterdir()) == [path]


def test_a_take_that_is_still_being_played_is_let_alone(tmp_path: Path) -> None:
    take = Take(tmp_path, pytest.fail)
    play(take)
    assert recover(tmp_path) == []
    assert take.close() is not None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="--takes"):
        Take(tmp_path / "file", pytest.fail)


def test_a_full_disk_is_said_once_and_the_music_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    take = Take(tmp_path, said.append)
    take._file = Path("/dev/full").open("w")  # noqa: SIM115  a real device that refuses as a full disk does
    play(take)
    play(take)
    assert len(said) == 1
    assert "cannot be written" in said[0]
    assert take.close() is not None, "and the take is there when there is room again"


def test_two_takes_of_one_second_have_two_names(tmp_path: Path) -> None:
    first, second = Take(tmp_path, pytest.fail), Take(tmp_path, pytest.fail)
    assert first.path != second.path
    first.close()
    second.close()


def setup_of(settings: Settings, voice: str = "piano") -> Setup:
    return Setup("keys", "Duet", "off", "markov", ("markov",), voice, ("piano",), ("",), settings)


def play_with_a_story(take: Take) -> None:
    take.observe(setup_of(Settings(Character(temperature=0.7, style="pop"), seed=41)))
    take.observe(Turned("CALL", 1, 100.0))
    take.observe(Played(Who.PLAYER, PLAYER[0]))
    take.observe(Played(Who.PLAYER, PLAYER[1]))
    take.observe(Turned("RESPONSE", 1, 100.9))
    take.observe(Answered(1, 0.4, 0.01))
    for event in PARTNER:
        take.observe(Played(Who.PARTNER, event))
    take.observe(Turned("IDLE", 1, 102.5))


def check_the_story(path: Path) -> None:
    tracks, words = read_tracks(path)
    assert [note.pitch for note in notes_of(tracks["player"])] == [60]
    assert [note.pitch for note in notes_of(tracks["partner"])] == [72, 74]
    (answer,) = answers_of(words)
    assert (answer.turn, answer.partner, answer.voice, answer.kept) == (1, "markov", "piano", True)
    assert (answer.settings["seed"], answer.settings["style"], answer.settings["temperature"]) == (
        41,
        "pop",
        0.7,
    )
    assert (answer.time, round(answer.answered, 6)) == (0.0, 0.9)
    assert any(each.marker and each.text == "turn 1 (kept)" for each in words)


def test_a_take_tells_its_own_story(tmp_path: Path) -> None:
    take = Take(tmp_path, pytest.fail)
    play_with_a_story(take)
    take.observe(Kept())
    path = take.close()
    assert path is not None
    check_the_story(path)


def test_the_story_survives_the_power_cut(tmp_path: Path) -> None:
    take = Take(tmp_path, pytest.fail)
    play_with_a_story(take)
    take.observe(Kept())
    (path,) = recover(tmp_path, alive=lambda pid: False)
    check_the_story(path)


def test_a_text_of_another_program_is_no_story() -> None:
    texts = ["duet", "duet {}", "duet [1]", 'duet {"turn": 1}', "Duet for flute", "duet " + "[" * 1000]
    assert answers_of([Words(0.0, text) for text in texts]) == []
