"""A terminal of our own, for what draws on one."""

import sys

from duet.jack_rig import wait_for
from duet.terminal_rig import Terminal


def test_a_program_sees_a_terminal_of_the_size_asked_for_and_what_is_typed() -> None:
    program = "import os, sys; print(os.get_terminal_size(), flush=True); print('got', input())"
    terminal = Terminal([sys.executable, "-c", program], 97, 31)
    wait_for(lambda: "columns=97, lines=31" in terminal.text, 10, "the size")
    assert terminal.cpu_seconds() >= 0.0
    terminal.press("hello\n")
    assert terminal.close() == 0
    wait_for(lambda: "got hello" in terminal.text, 10, "what was typed")
    assert terminal.written >= len("got hello")


def test_a_program_that_does_not_end_is_ended() -> None:
    terminal = Terminal([sys.executable, "-c", "input()"], 80, 24)
    assert terminal.close(patience=0.1) != 0
