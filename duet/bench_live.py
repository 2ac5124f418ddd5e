"""Measure the whole live path on real JACK ports: a rig plays phrases on a real Duet and times what comes back."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from duet.jack_rig import RATE, Duet, FacedDuet, Rig, jack_server, stop, wait_for

PHRASE = (60, 64, 67, 72, 71, 67, 64, 62)
SILENT = 0.002
"""Below this peak the audio port is taken to be silent."""


def bench_live(
    partner: str, voice: str, turns: int, busy: bool = False, face: bool = False
) -> dict[str, Any]:
    """Play `turns` phrases, interrupting every other answer; return the delays.

    busy: every core is kept busy meanwhile. face: the terminal UI is there and draws on a terminal of 120 x 40,
    and tells no split of the wait. Raises MissingExtra without JACK.
    """
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as closing:
        folder = Path(scratch)
        closing.enter_context(jack_server(folder / "jackd.log"))
        rig = Rig(seconds=30 + 14 * turns)
        closing.callback(rig.close)
        duet = (FacedDuet if face else Duet)(folder, "--partner", partner, "--voice", voice, "--seed", "1")
        closing.callback(stop, duet.process)
        duet.wait_until("play something")
        rig.connect_keyboard("Duet-in:in")
        rig.listen_to("Duet:Duet")
        rig.hear("PortAudio.*")
        if busy:
            for _ in range(os.cpu_count() or 1):
                load = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                closing.callback(stop, load)
        return _measure(rig, duet, turns) | {"cores_kept_busy": (os.cpu_count() or 1) if busy else 0}


def _measure(rig: Rig, duet: Duet, turns: int) -> dict[str, Any]:
    waits, sounds, barge_ins, silences = list[float](), list[float](), list[float](), list[float]()
    began = rig.now
    for turn in range(turns):
        released = rig.play_phrase(PHRASE, interval=0.22, velocity=70 + 5 * (turn % 6))
        try:
            wait_for(partial(rig.note_ons, released), 10, "an answer")
        except TimeoutError as error:
            raise TimeoutError(f"{error} to phrase {turn + 1}: {duet.text[-2000:]}") from None
        first = rig.note_ons(released)[0][0]
        waits.append(first - released)
        time.sleep(1.0)
        heard = rig.sound[int((first - 0.05) * RATE) : int((first + 0.9) * RATE), 0]
        loud = np.flatnonzero(np.abs(heard) > SILENT)
        if len(loud):
            sounds.append(loud[0] / RATE - 0.05)
        if turn % 2:
            _barge_in(rig, barge_ins, silences)
        wait_for(lambda: not rig.sounding(), 40, "the answer ends")
        time.sleep(2.5)
    holes = [found - lost for lost, found in rig.holes if lost >= began]  # before ports go, which makes some
    text = _end(duet)
    told = [tuple(map(float, each)) for each in TOLD.findall(text)]
    composing = [composed for _, composed, _ in told]
    late = LATE.search(text)
    decision, sample = _ms(composing, 95, 0.001), _ms(sounds, 95)
    return {
        "last_note_off_to_first_note_ms_p50": _ms(waits, 50),
        "last_note_off_to_first_note_ms_p95": _ms(waits, 95),
        "of_which_the_silence_that_says_it_is_over_ms_p50": _ms([w - c - h for w, c, h in told], 50, 0.001),
        "of_which_waiting_for_the_beat_ms_p50": _ms([held for _, _, held in told], 50, 0.001),
        "decision_to_first_note_ms_p50": _ms(composing, 50, 0.001),
        "decision_to_first_note_ms_p95": decision,
        "first_note_to_first_sample_ms_p50": _ms(sounds, 50),
        "decision_to_first_sample_ms_p95": decision + sample if decision and sample else None,
        "sound_drifts_from_midi_ms": _drift(sounds),
        "jitter_ms_p50": float(late[1]) if late else None,
        "jitter_ms_p95": float(late[2]) if late else None,
        "jitter_ms_p99": float(late[3]) if late else None,
        "barge_in_to_last_note_off_ms_p95": _ms(barge_ins, 95),
        "barge_in_to_silence_ms_p95": _ms(silences, 95),
        "underruns": int(late[4]) if late else None,
        "holes": len(holes),
        "holes_ms": 1000 * sum(holes),
        "seconds": rig.length / RATE,
        "turns": turns,
    }


TOLD = re.compile(
    r"answered (\d+) ms after your last move \((\d+) ms composing, (\d+) ms waiting for the beat\)"
)
LATE = re.compile(r"late by ([\d.]+) ms p50, ([\d.]+) p95, ([\d.]+) p99; (\d+) audio")


def _ms(values: Sequence[float], percentile: float, unit: float = 1.0) -> float | None:
    """A percentile in milliseconds of values in a unit (seconds); None of none."""
    return 1000 * unit * float(np.percentile(values, percentile)) if values else None


def _drift(delays: Sequence[float]) -> float | None:
    """How much later a note sounds in the run's last third than in its first (medians), ms; None of under six."""
    third = len(delays) // 3
    return 1000 * float(np.median(delays[-third:]) - np.median(delays[:third])) if third > 1 else None


def _barge_in(rig: Rig, barge_ins: list[float], silences: list[float]) -> None:
    """Press a key into the answer; time the last note-off and the end of the sound."""
    if not rig.sounding():
        return
    rig.play([0x90, 96, 60])
    wait_for(lambda: not rig.to_send, 2, "the key is down")
    pressed = rig.sent[-1][0]
    time.sleep(0.5)
    ends = [at for at, message in rig.received if message[0] & 0xF0 == 0x80 and at >= pressed]
    if ends:
        barge_ins.append(ends[-1] - pressed)
    sound = np.abs(rig.sound[int(pressed * RATE) : int((pressed + 0.45) * RATE), 0])
    loud = np.flatnonzero(sound > SILENT)
    silences.append(loud[-1] / RATE if len(loud) else 0.0)
    rig.play([0x80, 96, 0])
    rig.play([0x90, 96, 60], [0x80, 96, 0])


def _end(duet: Duet) -> str:
    duet.end()
    return duet.text
