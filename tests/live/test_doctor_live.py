"""The doctor, and takes, on a real JACK server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from duet.cli import main
from duet.jack_rig import Rig
from tests.test_take_commands import make_take

pytestmark = pytest.mark.live


def duet(*arguments: str) -> str:
    """In a process of its own: PortAudio would abort this one when its server is gone."""
    command = [sys.executable, "-m", "duet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout


def test_the_doctor_sends_notes_around_and_plays_a_sound(rig: Rig, tmp_path: Path) -> None:
    options = ["--json", "--silent", "--voice", "sine", "--partner", "markov", "--takes", str(tmp_path)]
    report = json.loads(duet("doctor", *options))
    found = {row["subject"]: row for row in report["findings"]}
    assert report["can_play"]
    assert found["MIDI"]["systems"] == ["Jack"]
    assert found["MIDI loop"]["lost"] == 0
    assert found["sound"]["alive"]


def test_a_take_is_sent_to_a_midi_port_at_its_pace(rig: Rig, tmp_path: Path) -> None:
    make_take(tmp_path, "2026-01-01 20-00-00")
    command = ["takes", "--takes", str(tmp_path), "play", "1", "--turns", "1", "--only", "player"]
    assert main([*command, "--out", "rig:heard"]) == 0
    notes = rig.note_ons()
    assert [pitch for _, pitch, _ in notes] == [60, 61, 62, 63]
    assert notes[-1][0] - notes[0][0] == pytest.approx(1.5, abs=0.1)
    assert rig.sounding() == set()


def test_a_take_is_heard_through_the_audio_device(rig: Rig, tmp_path: Path) -> None:
    make_take(tmp_path, "2026-01-01 20-00-00")
    began = rig.length
    duet("takes", "--takes", str(tmp_path), "play", "1", "--turns", "1", "--voice", "sine")
    assert rig.length > began + 3 * 48_000  # as long as the turn lasts, no file is written
