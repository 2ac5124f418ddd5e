"""The doctor: what it says of a machine, and what it advises on those we have not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from duet.advice import ADVICE, EVERYWHERE, LINUX, MACOS, WINDOWS, Trouble, advise
from duet.doctor import State, look_at_files, look_at_partner, look_at_voice, tones
from duet.errors import CheckpointError, SettingError
from duet.note import Note, events_of
from tests.fakes import EchoPartner, ToneVoice

CALL = events_of([Note(0.0, 60, 80, 0.4), Note(0.5, 64, 80, 3.0)])
NO_JACK = {"JACK_NO_START_SERVER": "1", "JACK_DEFAULT_SERVER": "no-such-server"}


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_advice_on_a_system_nobody_has_heard_of(trouble: Trouble) -> None:
    assert advise(trouble, "plan9") == ADVICE[trouble][EVERYWHERE]


@pytest.mark.parametrize(
    ("trouble", "system", "says"),
    [
        (Trouble.NO_MIDI, LINUX, "snd-seq"),
        (Trouble.NO_KEYBOARD, MACOS, "IAC"),  # macOS and Windows: the text alone, not run there
        (Trouble.NO_KEYBOARD, WINDOWS, "loopMIDI"),
        (Trouble.NO_VIRTUAL_PORTS, WINDOWS, "loopMIDI"),
        (Trouble.NO_PORTAUDIO, LINUX, "libportaudio2"),
        (Trouble.PIPEWIRE, LINUX, "LD_PRELOAD"),
        (Trouble.NO_DEVICE, MACOS, "--audio none"),
    ],
)
def test_advice_is_the_systems_own(trouble: Trouble, system: str, says: str) -> None:
    assert says in advise(trouble, system)


def test_the_speed_of_voice_and_partner_is_measured() -> None:
    (voice,) = look_at_voice("tone", lambda name: ToneVoice(), CALL)
    assert voice.figures["real_time_factor"] > 0
    (partner,) = look_at_partner("echo", lambda name: EchoPartner(), CALL)
    assert partner.figures["events_per_second"] > 0


def test_missing_weights_make_playing_impossible_for_a_partner_but_not_for_a_voice() -> None:
    def missing(name: str) -> EchoPartner:
        raise CheckpointError(f"{name}: no such weights")

    assert [each.state for each in look_at_partner("x", missing, CALL)] == [State.ILL]
    assert [each.state for each in look_at_voice("x", missing, CALL)] == [State.CARE]  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written_and_wrong_settings_are_found(tmp_path: Path) -> None:
    def wrong() -> Path:
        raise SettingError("settings.toml: no setting is called 'temprature'")

    (tmp_path / "file").write_text("")
    settings, takes = look_at_files(tmp_path / "file" / "takes", wrong)
    assert (settings.state, takes.state) == (State.ILL, State.ILL)
    assert "--takes" in takes.remedy
    settings, takes = look_at_files(tmp_path / "takes", lambda: tmp_path)
    assert (settings.state, takes.state) == (State.WELL, State.WELL)
    assert list((tmp_path / "takes").iterdir()) == []


def test_the_tones_of_the_sound_check_begin_and_end_in_silence() -> None:
    blocks = list(tones(32000, 0.1))
    assert abs(blocks[0][0, 0]) < 1e-6
    assert abs(blocks[-1][-1, 0]) < 1e-6
    assert max(abs(block).max() for block in blocks) < 0.11


def test_without_any_midi_system_the_doctor_says_what_to_do_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("temprature = 1")
    command = [
        sys.executable,
        "-m",
        "duet",
        "--settings",
        str(tmp_path / "settings.toml"),
        "doctor",
        "--json",
    ]
    options = ["--silent", "--voice", "sine", "--partner", "markov", "--takes", str(tmp_path / "takes")]
    done = subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        env=os.environ | NO_JACK,
        check=False,
        timeout=100,
    )
    report = json.loads(done.stdout)
    found = {row["subject"]: row for row in report["findings"]}
    if Path("/dev/snd/seq").exists():
        pytest.skip("this machine has ALSA")
    assert done.returncode == 1
    assert done.stderr.startswith("duet: playing is not possible here yet: no MIDI system answers")
    assert not report["can_play"]
    assert "snd-seq" in found["MIDI"]["remedy"]
    assert "did you mean 'temperature'" in found["settings"]["text"]
    assert found["partner"]["state"] == found["voice"]["state"] == found["takes"]["state"] == "well"
