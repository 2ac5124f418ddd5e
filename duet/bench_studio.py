"""Measure Duet among other machines on real JACK ports: thru, monitor, clocks, bar lines, a cable pulled out."""

import math
import re
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from duet.jack_rig import RATE, Duet, Rig, jack_server, stop, wait_for

BPM = 96
BARS_BPM, BAR = 117.0, 4
"""Of the rig's own clock: beats a minute (no bar is a whole number of JACK's periods), and in a bar."""
KEYS = (48, 55, 60, 64, 67, 72, 76, 79)
SILENT = 0.002
"""Below this peak the audio port is taken to be silent."""


def bench_studio(voice: str, seconds: float) -> dict[str, Any]:
    """Return all figures, in milliseconds where not said otherwise. Raises MissingExtra without JACK."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as closing:
        folder = Path(scratch)
        closing.enter_context(jack_server(folder / "jackd.log"))
        return {
            **_thru(folder / "thru", round(10 * seconds)),
            **_monitor(folder / "512", voice, 512, round(seconds)),
            **_monitor(folder / "256", voice, 256, round(seconds)),
            **_clock(folder / "clock", seconds),
            **_bars(folder / "bars", voice, max(2, round(seconds))),
            **_replug(folder / "replug", 5),
        }


def _percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    p50, p95, p99 = 1000 * np.percentile(seconds, (50, 95, 99))
    return {f"{name}_ms_p50": float(p50), f"{name}_ms_p95": float(p95), f"{name}_ms_p99": float(p99)}


def _thru(folder: Path, count: int) -> dict[str, float]:
    """From a key's message at Duet's input to the same at its output; two JACK periods are the wires'."""
    with ExitStack() as closing:
        rig = _rig(closing, "rig")
        duet = _duet(closing, folder, "--audio", "none", "--thru")
        rig.connect_keyboard("Duet-in:in")
        rig.listen_to("Duet:Duet")
        time.sleep(0.5)
        chance = np.random.default_rng(1)
        for index in range(count):
            pitch = KEYS[index % len(KEYS)]
            rig.play([0x90, pitch, 70])
            time.sleep(0.05 + 0.02 * chance.uniform())
            rig.play([0x80, pitch, 0])
            time.sleep(0.02)
        delays = []
        for struck, message in rig.sent:
            came = [at for at, pitch, _ in rig.note_ons(struck) if pitch == message[1]]
            if message[0] == 0x90 and came and came[0] - struck < 0.2:
                delays.append(came[0] - struck)
        duet.end()
        return {**_percentiles("thru", delays), "thru_lost": count - len(delays)}


def _monitor(folder: Path, voice: str, buffer: int, count: int) -> dict[str, Any]:
    """From a key's message to its sound at the audio port."""
    with ExitStack() as closing:
        rig = _rig(closing, "rig")
        duet = _duet(closing, folder, "--voice", voice, "--monitor", "--buffer", str(buffer))
        rig.connect_keyboard("Duet-in:in")
        rig.hear("PortAudio.*")
        rig.play([0x90, 21, 1])  # a key held at a whisper keeps the turn
        time.sleep(1.5)
        delays = []
        for index in range(count):
            pitch = KEYS[index % len(KEYS)]
            rig.play([0x90, pitch, 100])
            time.sleep(0.35)
            struck = rig.sent[-1][0]
            heard = np.abs(rig.sound[int(struck * RATE) : int((struck + 0.3) * RATE), 0])
            loud = np.flatnonzero(heard > SILENT)
            if len(loud):
                delays.append(loud[0] / RATE)
            rig.play([0x80, pitch, 0])
            time.sleep(0.65)
        duet.end()
        found = _percentiles(f"monitor_{buffer}", delays) if delays else {}
        underruns = re.search(r"(\d+) audio underruns", duet.text)
        return {
            **found,
            f"monitor_{buffer}_keys_heard": f"{len(delays)}/{count}",
            f"monitor_{buffer}_underruns": int(underruns[1]) if underruns else None,
        }


def _clock(folder: Path, seconds: float) -> dict[str, float]:
    """How well the clock we send, made from one that comes in with the jitter of wires and threads, keeps time."""
    with ExitStack() as closing:
        source = subprocess.Popen(
            ["jack_midi_clock", "-b", str(BPM)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        closing.callback(stop, source)
        heard, made = _rig(closing, "source"), _rig(closing, "made")
        duet = _duet(closing, folder, "--audio", "none", "--clock", "jack_midi_clock", "--clock-out")
        heard.listen_to("jack_midi_clock:mclk_out")
        made.listen_to("Duet:Duet")
        made.client.transport_start()
        time.sleep(5 + seconds)
        made.client.transport_stop()
        time.sleep(0.5)
        duet.end()
        found = {}
        for name, rig in (("clock_source", heard), ("clock_out", made)):
            ticks = np.array([at for at, message in rig.received if message[0] == 0xF8])[
                48:
            ]  # once it is found
            gaps = np.diff(ticks)
            found[f"{name}_bpm"] = float(60 / 24 / np.mean(gaps))
            found |= _percentiles(f"{name}_tick_off", list(np.abs(gaps - 60 / 24 / BPM)))
        return found


def _bars(folder: Path, voice: str, turns: int) -> dict[str, Any]:
    """Trading bars on the rig's own clock: how far off the bar line an answer begins, as MIDI and as sound."""
    with ExitStack() as closing:
        rig = _rig(closing, "rig", BARS_BPM)
        options = ("--partner", "neural", "--voice", voice, "--turn", "bars:1", "--clock", "rig:clock")
        duet = _duet(closing, folder, *options)
        rig.connect_keyboard("Duet-in:in")
        rig.listen_to("Duet:Duet")
        rig.hear("PortAudio.*")
        rig.rolling = True
        time.sleep(2.5 * BAR * 60 / BARS_BPM)  # the clock is found
        found = [one_bar_traded(rig) for _ in range(turns)]
        duet.end()
    notes = [note for note, _ in found if note is not None]
    sounds = [sound for _, sound in found if sound is not None]
    return {
        "bars_answered": f"{len(notes)}/{turns}",
        **_off("bar_line_to_first_note", notes),
        **_off("bar_line_to_first_sound", sounds),
    }


def one_bar_traded(rig: Rig) -> tuple[float | None, float | None]:
    """Play a bar from the next bar line on; how much after the line that ends it a note came, and a sound."""
    assert rig.bpm
    bar = math.ceil((rig.now - rig.beat_time(0)) * rig.bpm / 60 / BAR + 0.1)
    line = rig.beat_time(BAR * (bar + 1))
    for index, pitch in enumerate((60, 64, 67, 64, 62, 59)):
        time.sleep(max(0.0, rig.beat_time(BAR * bar + index / 2) - rig.now))
        rig.play([0x90, pitch, 80])
        time.sleep(0.15)
        rig.play([0x80, pitch, 0])
    time.sleep(max(0.0, line + 0.5 - rig.now))
    after = [at - line for at, _, _ in rig.note_ons(line - 0.2)]
    heard = np.abs(rig.sound[int((line - 0.2) * RATE) : int((line + 0.4) * RATE), 0])
    loud = np.flatnonzero(heard > SILENT)
    wait_for(lambda: not rig.sounding(), 10, "the answer ends")
    time.sleep(0.4)
    return after[0] if after else None, loud[0] / RATE - 0.2 if len(loud) else None


def _off(name: str, seconds: list[float]) -> dict[str, float | None]:
    """The median, and the furthest to either side, in milliseconds."""
    if not seconds:
        return {f"{name}_ms_p50": None}
    return {
        f"{name}_ms_p50": 1000 * float(np.median(seconds)),
        f"{name}_ms_earliest": 1000 * min(seconds),
        f"{name}_ms_latest": 1000 * max(seconds),
    }


def _replug(folder: Path, times: int) -> dict[str, float]:
    """From a keyboard's being there again to its being joined."""
    with ExitStack() as closing:
        watcher = _rig(closing, "watcher")
        keyboard = Rig("Nord", 20)
        duet = _duet(closing, folder, "--audio", "none", "--port", "Nord")
        delays = []
        for _ in range(times):
            keyboard.close()
            time.sleep(1.5)
            keyboard = Rig("Nord", 20)
            began = time.monotonic()
            wait_for(lambda: watcher.client.get_all_connections("Nord:keys"), 10, "the keyboard is joined")
            delays.append(time.monotonic() - began)
        keyboard.close()
        duet.end()
        return {"replug_s_p50": float(np.median(delays)), "replug_s_max": max(delays)}


def _rig(closing: ExitStack, name: str, bpm: float | None = None) -> Rig:
    rig = Rig(name, 120, bpm)
    closing.callback(rig.close)
    return rig


def _duet(closing: ExitStack, folder: Path, *options: str) -> Duet:
    folder.mkdir()
    partner = () if "--partner" in options else ("--partner", "markov")
    duet = Duet(folder, *partner, "--seed", "1", *options)
    closing.callback(stop, duet.process)
    duet.wait_until("ready, play something")
    return duet
