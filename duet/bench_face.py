"""Measure what the terminal UI costs while somebody plays: the real process on terminals of several sizes."""

import random
import secrets
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Listener
from typing import Any

from duet.news import Answered, Beat, Health, Level, News, Played, Setup, Turned, Who
from duet.note import Event, Note, Pedal, events_of
from duet.request import Settings
from duet.terminal_rig import Terminal

SIZES = ((80, 24), (120, 40), (200, 60))
_CALL, _ANSWER = 6.0, 6.0
"""Seconds."""
_TICK = 0.02
"""Seconds between two looks at what is due."""


def bench_face(seconds: float) -> dict[str, Any]:
    """Play busily to the face for so long at each size; return percents of one core and bytes a second."""
    return {f"{columns}x{rows}": _measure(columns, rows, seconds) for columns, rows in SIZES}


def _measure(columns: int, rows: int, seconds: float) -> dict[str, float]:
    key = secrets.token_bytes(16)
    with Listener(family="AF_UNIX", authkey=key) as listener:
        environment = {"DUET_FACE_ADDRESS": str(listener.address), "DUET_FACE_KEY": key.hex()}
        terminal = Terminal([sys.executable, "-m", "terminal_ui"], columns, rows, environment)
        with listener.accept() as face:
            face.send(_SETUP)
            start = time.monotonic() + 3.0  # it has drawn its first screen by then
            before = (0.0, 0)
            for news, at in _evening(start, seconds):
                if at >= start and before == (0.0, 0):
                    before = terminal.cpu_seconds(), terminal.written
                time.sleep(max(0.0, at - time.monotonic()))
                face.send(news)
            used = terminal.cpu_seconds() - before[0]
            drawn = terminal.written - before[1]
    terminal.close()
    return {
        "core_percent": round(100 * used / seconds, 1),
        "kilobytes_a_second": round(drawn / seconds / 1000, 1),
    }


def _evening(start: float, seconds: float) -> Iterator[tuple[News, float]]:
    """News and when to tell them: calls and answers of two hands and pedal, the meter, a clock, the health."""
    told: list[tuple[float, News]] = []
    dice = random.Random(1)
    turn, at = 0, start
    while at < start + seconds:
        turn += 1
        told.append((at, Turned("CALL", turn, at)))
        told += [(event.time, Played(Who.PLAYER, event)) for event in _phrase(dice, at, _CALL)]
        at += _CALL + 0.6
        told += [(at, Turned("RESPONSE", turn, at)), (at, Answered(turn, 0.6, 0.03))]
        # composing runs ahead of playing, as in life
        told += [
            (max(at, event.time - 3.0), Played(Who.PARTNER, event)) for event in _phrase(dice, at, _ANSWER)
        ]
        told += [(at + tenth / 10, Level(dice.uniform(0.1, 0.7))) for tenth in range(round(10 * _ANSWER))]
        at += _ANSWER + 0.6
    told += [(start + beat / 2, Beat(beat, 120.0, start + beat / 2)) for beat in range(round(2 * seconds))]
    told += [(start + second, Health(0, 9.0 + dice.random())) for second in range(round(seconds))]
    for due, news in sorted(told, key=lambda each: each[0]):
        if due < start + seconds:
            yield news, due


def _phrase(dice: random.Random, start: float, seconds: float) -> list[Event]:
    """Eight notes a second in the right hand, chords in the left, a pedal to each chord."""
    notes, events = list[Note](), list[Event]()
    for eighth in range(round(8 * seconds)):
        at = start + eighth / 8
        notes.append(Note(at, dice.randint(60, 90), dice.randint(30, 120), at + 0.11))
    for half in range(round(2 * seconds)):
        at, root = start + half / 2, dice.randint(36, 50)
        notes += [Note(at, root + step, dice.randint(30, 100), at + 0.45) for step in (0, 4, 7)]
        events += [Pedal(at + 0.05, 127), Pedal(at + 0.45, 0)]
    return sorted([*events_of(notes), *events], key=lambda event: event.time)


_SETUP = Setup(
    midi_in="Bench", midi_out="Bench", audio="Bench", partner="neural", partners=("neural", "markov"), voice="piano",
    voices=("piano", "sine"), styles=("",), settings=Settings(),
)  # fmt: skip
