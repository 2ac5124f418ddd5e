"""Bars and spinners: on a terminal's standard error, and nowhere else."""

import os
import pty
import subprocess
import sys

CODE = """
import time
from duet.progress import shown, working
with working("thinking"):
    time.sleep(0.3)
print(sum(shown(range(4), 1.0, 4.0, "counting")))
"""


def test_without_a_terminal_nothing_but_the_result_is_printed() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_on_a_terminal_progress_is_shown_and_a_pipe_still_gets_the_result_alone() -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.stdout == b"6\n"
    assert "thinking" in shown
    assert "counting" in shown


def test_a_training_shows_how_far_it_is_and_how_long_it_will_be_on_a_terminal_only() -> None:
    code = """
from models.training_bar import bar
with bar(True) as show:
    show(0.5, "loss 1.234, 60,000 samples/s")
"""
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "50%" in shown
    assert "loss 1.234" in shown
    silent = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (silent.stdout, silent.stderr) == (b"", b"")
