"""The whole program in a real terminal: tmux shows what a person sees, JACK plays and hears."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from duet.jack_rig import Rig, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

Tmux = Callable[..., str]


@pytest.fixture
def tmux(server: str, tmp_path: Path) -> Iterator[Tmux]:
    if not shutil.which("tmux"):
        (pytest.fail if os.environ.get("DUET_REQUIRE_LIVE") else pytest.skip)(
            "tmux is not installed (apt install tmux)"
        )
    socket = str(tmp_path / "tmux")

    def call(*words: str) -> str:
        done = subprocess.run(["tmux", "-S", socket, *words], capture_output=True, text=True, check=True)
        return done.stdout

    yield call
    call("kill-server")


def test_a_person_sees_the_turns_and_quits_with_a_key(rig: Rig, tmux: Tmux, tmp_path: Path) -> None:
    program = f"{sys.executable} -m duet --partner markov --voice sine --takes {tmp_path}/takes"
    command = f"{program}; echo ended $?; sleep 60"
    tmux("new-session", "-d", "-s", "duet", "-x", "100", "-y", "30", command)

    def screen() -> str:
        return tmux("capture-pane", "-p", "-t", "duet")

    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    wait_for(lambda: "play something" in screen(), 60, "the face to be ready")
    rig.play([0x90, 60, 80])
    wait_for(
        lambda: "your turn" in screen().lower() or "you play" in screen().lower(),
        5,
        f"the player's turn: {screen()}",
    )
    rig.play([0x80, 60, 0])
    rig.play_phrase([62, 64, 65, 67], interval=0.25)
    wait_for(lambda: "Duet's turn" in screen(), 5, "Duet's turn")
    wait_for(lambda: "answered in" in screen(), 5, "the measured delay")
    tmux("send-keys", "-t", "duet", "Escape")
    wait_for(lambda: "play something" in screen(), 5, "panic gives the turn back")
    assert rig.sounding() == set()
    tmux("send-keys", "-t", "duet", "v")
    wait_for(lambda: "voice piano" in screen(), 60, "the other voice")
    tmux("send-keys", "-t", "duet", "q")
    wait_for(lambda: "ended 0" in screen(), 15, "a clean end")
    assert "Traceback" not in screen()
    time.sleep(0.1)
    assert len(list((tmp_path / "takes").glob("*.mid"))) == 1


def test_a_person_without_a_keyboard_plays_on_the_letters(rig: Rig, tmux: Tmux, tmp_path: Path) -> None:
    program = f"{sys.executable} -m duet --partner markov --voice sine --takes {tmp_path}/takes"
    tmux("new-session", "-d", "-s", "duet", "-x", "100", "-y", "30", f"{program}; echo ended $?; sleep 60")

    def screen() -> str:
        return tmux("capture-pane", "-p", "-t", "duet")

    def press(*keys: str, pause: float = 0.15) -> None:
        for key in keys:
            tmux("send-keys", "-t", "duet", key)
            time.sleep(pause)

    def sees(words: str, limit: float = 10.0) -> None:
        wait_for(lambda: words in screen(), limit, f"{words!r} in {screen()}")

    rig.listen_to("Duet:Duet")
    sees("play something", 60)
    press("Tab")
    sees("letters play notes from C4")
    press(*"zxcvb", "Space")
    wait_for(rig.note_ons, 10, f"an answer to the letters: {screen()}")
    press("Escape", "Tab")
    wait_for(lambda: not rig.sounding(), 5, "panic")
    for key in ("a", "r"):  # another answer, and that one once more
        before = len(rig.note_ons())
        press(key)
        wait_for(lambda: len(rig.note_ons()) > before, 10, f"{key} plays: {screen()}")  # noqa: B023
        press("Escape")
    press("k")
    sees("kept")
    press("m")
    wait_for(
        lambda: all(any(row.rstrip().endswith(c) for row in screen().splitlines()) for c in "MUTED"),
        5,
        "MUTED",
    )
    press("Right", "Up", "Up")
    sees("density 2/s")
    press("c")
    sees("bpm")
    press("d")
    sees("Duet's own port")
    import jack  # not everybody who reads these tests has it

    clarinet = jack.Client("Clarinet", no_start_server=True)
    clarinet.midi_outports.register("out")
    clarinet.activate()
    sees("Clarinet:out")  # the picker stays open meanwhile
    clarinet.close()
    wait_for(lambda: "Clarinet:out" not in screen(), 10, f"what is unplugged goes: {screen()}")
    press("Escape", "w")
    sees("Record to a folder")
    press("2", "Enter")
    sees("recording to /")
    assert len(list((tmp_path / "takes").glob("*.mid"))) == 1
    assert (tmp_path / "takes2").is_dir()
    press("w")
    sees("Record to a folder")
    press("BSpace", "Enter")
    wait_for(lambda: not list((tmp_path / "takes2").iterdir()), 10, "the first folder again")
    press("o")
    sees("Takes in /")
    before = len(rig.note_ons())
    press("Enter")
    wait_for(lambda: len(rig.note_ons()) >= before + 5, 10, f"both players are heard: {screen()}")
    press("Escape")
    wait_for(lambda: not rig.sounding(), 5, "panic ends it")
    press("q")
    sees("ended 0", 15)
    assert "Traceback" not in screen()
