"""No take is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from duet.errors import FileError
from duet.midi import Words, read_midi, read_tracks
from duet.news import Answered, Cut, Kept, Moved, Played, Setup, Turned, Who
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
    take.write()
    (journal,) = tmp_path.glob(f"*{JOURNAL}")
    journal.write_text(journal.read_text() + '["player", 103.0, "o')
    (path,) = recover(tmp_path, alive=lambda pid: False)
    assert [note.pitch for note in notes_of(read_midi(path))] == [60, 72, 74]
    assert list(tmp_path.iterdir()) == [path]


PLAYS_FOR_EVER = """
import sys, time
from pathlib import Path
from duet.news import Played, Who
from duet.note import NoteOff, NoteOn
from duet.takes import Take
take = Take(Path(sys.argv[1]), print)
while True:
    now = time.monotonic()
    take.observe(Played(Who.PLAYER, NoteOn(now, 60, 80)))
    take.observe(Played(Who.PLAYER, NoteOff(now + 0.01, 60)))
    take.observe(Played(Who.PARTNER, NoteOn(now + 0.9, 72, 80)))
    take.observe(Played(Who.PARTNER, NoteOff(now + 0.91, 72)))
    print(now, flush=True)
    time.sleep(0.02)
"""


def test_a_process_killed_in_mid_phrase_loses_at_most_its_last_second(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PLAYS_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        times = [float(process.stdout.readline()) for _ in range(90)]
        process.kill()
        process.wait()
        times += [float(line) for line in process.stdout.read().splitlines()]
    (path,) = recover(tmp_path)
    tracks, _ = read_tracks(path)
    played = [note.onset for note in notes_of(tracks["player"])]
    assert times[-1] - times[0] - played[-1] < 1.0
    assert len(played) > 40
    planned = [note.onset for note in notes_of(tracks["partner"])]
    assert 0.5 < planned[-1] < times[-1] - times[0] + 0.5, "what had not sounded is not in it"


def test_what_the_partner_planned_and_had_to_move_is_where_it_sounded(tmp_path: Path) -> None:
    for crashed in (False, True):
        take = Take(tmp_path, pytest.fail)
        for event in [*PLAYER, *PARTNER]:
            take.observe(Played(Who.PARTNER if event in PARTNER else Who.PLAYER, event))
        take.observe(Moved(102.0, 1.5))
        take.write()
        path = recover(tmp_path, alive=lambda pid: False)[0] if crashed else take.close()
        assert path is not None
        partner = notes_of(read_tracks(path)[0]["partner"])
        assert [round(note.onset, 2) for note in partner] == [1.0, 3.5]
        path.unlink()


def test_a_journal_of_nonsense_stops_nobody_from_playing(tmp_path: Path) -> None:
    lines = [
        "",
        "{}",
        "[1]",
        '["player", "x", "on", 1, 1]',
        '["player", 1.0, "on", 999, 1]',
        "[" * 5000,
        "\x00",
    ]
    (tmp_path / f"a.1{JOURNAL}").write_text("\n".join(lines))
    assert recover(tmp_path, alive=lambda pid: False) == []
    assert list(tmp_path.iterdir()) == []


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
    disk = take._journal._file
    full = take._journal._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115  refuses as a full disk does
    play(take)
    take.write()
    play(take)
    take.observe(Turned("IDLE", 2, 103.0))
    take._journal._file = disk
    full.close()
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
    take.write()
    (path,) = recover(tmp_path, alive=lambda pid: False)
    check_the_story(path)


def test_a_text_of_another_program_is_no_story() -> None:
    texts = ["duet", "duet {}", "duet [1]", 'duet {"turn": 1}', "Duet for flute", "duet " + "[" * 1000]
    assert answers_of([Words(0.0, text) for text in texts]) == []
