"""Files in, files out, through the session that plays live."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from duet.errors import FileError
from duet.midi import read_midi
from duet.note import Note, NoteOff, NoteOn, Pedal, events_of, notes_of
from duet.offline import answer_call, sing
from duet.picture import PARTNER, PLAYER, Drawn, draw_duet
from duet.request import Settings
from duet.sound_file import write_sound
from tests.fakes import EchoPartner, ToneVoice

CALL = events_of(
    [Note(3.0, 60, 80, 3.4), Note(3.5, 64, 90, 3.9), Note(4.0, 67, 100, 4.4), Note(4.5, 72, 90, 4.9)]
)


def test_a_call_in_a_file_is_answered_from_its_first_note() -> None:
    exchange = answer_call(CALL, EchoPartner(), Settings())
    assert exchange.call[0].time == 0.0
    assert [note.pitch for note in notes_of(exchange.answer)] == [60, 64, 67, 72]
    first = exchange.answer[0].time
    assert first == pytest.approx(1.9 + exchange.listening + 0.01, abs=1e-6)


def test_a_voice_sings_both_players_on_the_timeline_of_the_notes() -> None:
    exchange = answer_call(CALL, EchoPartner(), Settings(), ToneVoice())
    assert exchange.sound is not None
    loud = np.flatnonzero(exchange.sound[:, 0]) / ToneVoice.sample_rate
    call_end, answer_start = exchange.call[-1].time, exchange.answer[0].time
    assert loud[0] == 0.0
    assert not np.any((loud > call_end) & (loud < answer_start - 0.01))
    assert loud[-1] == pytest.approx(exchange.answer[-1].time, abs=0.011)


def test_a_call_that_ends_with_keys_and_pedal_down_is_answered_all_the_same() -> None:
    exchange = answer_call(
        [Pedal(0.0, 127), NoteOn(0.0, 60, 80), NoteOn(1.0, 64, 80)], EchoPartner(), Settings()
    )
    assert {note.pitch for note in notes_of(exchange.answer)} == {60, 64}


def test_a_call_with_a_long_rest_is_answered_in_the_rest_and_the_player_goes_on() -> None:
    call = events_of([Note(0.0, 60, 80, 0.5), Note(9.0, 64, 80, 9.5)])
    partner = EchoPartner([NoteOn(0.0, 50, 50), NoteOff(0.5, 50)])
    exchange = answer_call(call, partner, Settings())
    assert len(partner.requests) == 2
    assert [note.pitch for note in notes_of(exchange.answer)] == [50], (
        "the file's answer is the one to its end"
    )
    assert exchange.answer[0].time > 9.5


def test_a_call_without_a_note_is_named() -> None:
    with pytest.raises(FileError, match="no note"):
        answer_call([Pedal(0.0, 127)], EchoPartner(), Settings())


def test_singing_ends_when_the_last_note_has_died_away() -> None:
    sound = np.concatenate(list(sing([NoteOn(0.1, 60, 80), NoteOff(0.6, 60)], ToneVoice())))
    loud = np.flatnonzero(sound[:, 0])
    assert (loud[0], loud[-1]) == (100, 599)
    assert len(sound) < 700


def test_a_wav_file_holds_what_was_sung(tmp_path: Path) -> None:
    samples = np.linspace(-1, 1, 300, dtype=np.float32)[:, None]
    write_sound(tmp_path / "a.wav", [samples[:100], samples[100:]], 32000, 1)
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert rate == 32000
    assert np.abs(read - samples).max() < 1e-4
    with pytest.raises(FileError, match="cannot be written"):
        write_sound(tmp_path / "none" / "a.wav", [samples], 32000, 1)
    with pytest.raises(FileError, match=r"ends in \.wav or \.flac"):
        write_sound(tmp_path / "a.mp3", [samples], 32000, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_the_picture_shows_both_players_in_their_colours(tmp_path: Path) -> None:
    from PIL import Image

    samples = np.sin(np.arange(32000) / 10, dtype=np.float32)[:, None]
    draw_duet(
        tmp_path / "a.png",
        Drawn(
            events_of([Note(0.0, 60, 127, 0.4)]),
            [*events_of([Note(0.5, 64, 127, 0.9)]), Pedal(0.5, 100)],
            ((1, 0.0),),
        ),
        samples,
        32000,
    )
    picture = Image.open(tmp_path / "a.png").convert("RGB")
    colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert {PLAYER, PARTNER} <= colours


def test_the_built_in_call_is_music(tmp_path: Path) -> None:
    import duet

    events = read_midi(Path(duet.__file__).with_name("call.mid"))
    assert len(notes_of(events)) > 20
    assert any(isinstance(event, Pedal) for event in events)
