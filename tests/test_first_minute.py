"""A newcomer types `duet` and nothing else, on a machine where there is nothing to play on."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

NO_JACK = {"JACK_NO_START_SERVER": "1", "JACK_DEFAULT_SERVER": "no-such-server"}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text("voice = 'sine'\npartner = 'markov'\n")
    return path


def answer_the_question(settings: Path, answer: str) -> tuple[int, str]:
    """What a person sees who types `duet`, and then this."""
    if Path("/dev/snd/seq").exists():
        pytest.skip("this machine has ALSA")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "duet", "--settings", str(settings), "--takes", str(settings.parent / "takes")],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=settings.parent,
        env=os.environ | NO_JACK | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    os.close(theirs)
    seen, answered = "", False
    while True:
        try:
            seen += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # the other end is closed
            break
        if "[Y/n]" in seen and not answered:
            os.write(ours, answer.encode() + b"\n")
            answered = True
    os.close(ours)
    return process.wait(timeout=60), seen


def test_the_demo_is_offered_and_played(settings: Path) -> None:
    code, seen = answer_the_question(settings, "")
    assert code == 0
    assert "no MIDI system answers" in seen
    assert "duet doctor" in seen
    assert (settings.parent / "demo" / "duet.wav").stat().st_size > 100_000
    assert "Traceback" not in seen


def test_a_no_is_heard(settings: Path) -> None:
    code, seen = answer_the_question(settings, "n")
    assert code == 1
    assert "nothing was played" in seen
    assert not (settings.parent / "demo").exists()
