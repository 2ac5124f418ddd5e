"""Measure the whole live path on real JACK ports: a rig plays phrases on a real Duet and times what comes back."""

import re
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from duet.jack_rig import RATE, Duet, FacedDuet, Rig, jack_server, stop, wait_for

PHRASE = (60, 64, 67, 72, 71, 67, 64, 62)
SILENT = 0.002
"""Below this peak the audio port is taken to be silent."""


def bench_live(partner: str, voice: str, turns: int, face: bool = False) -> dict[str, Any]:
    """Play `turns` phrases, interrupting every other answer; return the delays. Raises MissingExtra without JACK.

    With `face` the terminal UI is there and draws on a terminal of 120 x 40.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with jack_server(folder / "jackd.log"):
            rig = Rig(seconds=30 + 12 * turns)
            duet = (FacedDuet if face else Duet)(
                folder, "--partner", partner, "--voice", voice, "--seed", "1"
            )
            try:
                return _measure(rig, duet, turns)
            finally:
                stop(duet.process)
                rig.close()


def _measure(rig: Rig, duet: Duet, turns: int) -> dict[str, Any]:
    duet.wait_until("play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.hear("PortAudio.*")
    waits, sounds, barge_ins, silences = list[float](), list[float](), list[float](), list[float]()
    for turn in range(turns):
        released = rig.play_phrase(PHRASE, interval=0.22, velocity=70 + 5 * (turn % 6))
        wait_for(partial(rig.note_ons, released), 10, "an answer")
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
    text = _end(duet)
    composing = [float(ms) for ms in re.findall(r"\((\d+) ms composing\)", text)]
    late = re.search(r"late by ([\d.]+) ms p50, ([\d.]+) ms p99; (\d+) audio", text)
    decision = float(np.percentile(composing, 95)) if composing else None
    return {
        "last_note_off_to_first_note_ms_p50": 1000 * float(np.median(waits)),
        "last_note_off_to_first_note_ms_p95": 1000 * float(np.percentile(waits, 95)),
        "decision_to_first_note_ms_p95": decision,
        "first_sample_ms_p95": decision + 1000 * float(np.percentile(sounds, 95))
        if sounds and decision
        else None,
        "first_note_to_first_sample_ms_p50": 1000 * float(np.median(sounds)) if sounds else None,
        "jitter_ms_p50": float(late[1]) if late else None,
        "jitter_ms_p99": float(late[2]) if late else None,
        "barge_in_ms_p95": 1000 * float(np.percentile(barge_ins, 95)) if barge_ins else None,
        "barge_in_to_silence_ms_p95": 1000 * float(np.percentile(silences, 95)) if silences else None,
        "underruns": int(late[3]) if late else None,
        "turns": turns,
    }


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
