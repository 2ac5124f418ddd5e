"""Looks a machine over as a musician's friend would: ports, sound, speed, files. Each look gives one finding."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import rtmidi

from duet.advice import Trouble, advise
from duet.audio import choose_device, list_devices
from duet.errors import AudioError, CheckpointError, DuetError, FileError, MidiError
from duet.inline import Score
from duet.loop_back import LOOPS, loop_times
from duet.midi import read_midi
from duet.midi_ports import list_ports, working_apis
from duet.note import Event
from duet.portaudio import portaudio
from duet.ports import Block, Partner, Voice
from duet.request import Request
from duet.take_player import play_sound

SLOW_LOOP = 0.012
"""Seconds there and back from which fingers notice."""
TIGHT, TOO_SLOW = 1.5, 1.0
"""Real-time factors of a voice: below the first a busy machine will crackle, below the second any will."""
SLOW_FIRST_NOTE = 0.15
"""Seconds to the first composed note that a player would wait for."""


class State(Enum):
    """How it is."""

    WELL = "well"
    CARE = "care"
    """Duet plays, with less than it could."""
    ILL = "ill"
    """Duet cannot play."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    subject: str
    state: State
    text: str
    remedy: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def well(subject: str, text: str, **figures: Any) -> Finding:
    """Nothing to do."""
    return Finding(subject, State.WELL, text, "", figures)


def trouble(subject: str, state: State, what: Trouble, text: str, **figures: Any) -> Finding:
    """Something to do, as this system wants it done."""
    return Finding(subject, state, text, advise(what, sys.platform), figures)


def look_at_midi() -> Iterator[Finding]:
    """Which MIDI systems answer, and what is plugged in."""
    if pipewire_out_of_reach():
        yield trouble(
            "PipeWire", State.CARE, Trouble.PIPEWIRE, "it runs, but no JACK of it can be reached from here"
        )
    try:
        systems = [rtmidi.get_api_display_name(api) for api in working_apis()]
        keyboards = [port.name for port in list_ports(rtmidi.MidiIn) if port.is_device]
    except MidiError:
        yield trouble("MIDI", State.ILL, Trouble.NO_MIDI, "no MIDI system answers")
        return
    yield well("MIDI", f"{', '.join(systems)} answers", systems=systems)
    if keyboards:
        yield well("keyboard", ", ".join(keyboards), keyboards=keyboards)
    else:
        yield trouble("keyboard", State.CARE, Trouble.NO_KEYBOARD, "none is plugged in", keyboards=[])


def pipewire_out_of_reach() -> bool:
    """Whether PipeWire runs here while rtmidi reaches only what else there is."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if sys.platform != "linux" or not runtime or not (Path(runtime) / "pipewire-0").exists():
        return False
    with suppress(MidiError):
        return rtmidi.API_UNIX_JACK not in working_apis()
    return True


def look_at_loop() -> Iterator[Finding]:
    """How long a note takes out of a port of ours and back in."""
    try:
        api = working_apis()[0]
    except MidiError:
        return
    try:
        times, lost = loop_times(api)
    except NotImplementedError:
        yield trouble(
            "MIDI loop", State.CARE, Trouble.NO_VIRTUAL_PORTS, "this system has no virtual ports to try it on"
        )
        return
    except (rtmidi.RtMidiError, OSError, MidiError) as error:
        yield Finding("MIDI loop", State.CARE, f"could not be tried ({error})")
        return
    if not times:
        yield trouble(
            "MIDI loop", State.CARE, Trouble.SLOW_MIDI, f"none of {LOOPS} notes came back", lost=lost
        )
        return
    p50, p95 = (1000 * float(np.percentile(times, share)) for share in (50, 95))
    figures = {"p50_ms": round(p50, 2), "p95_ms": round(p95, 2), "lost": lost}
    text = f"a note is out and back in {p50:.1f} ms (p95 {p95:.1f})" + (
        f"; {lost} of {LOOPS} were lost" if lost else ""
    )
    if lost or p50 > 1000 * SLOW_LOOP:
        yield trouble("MIDI loop", State.CARE, Trouble.SLOW_MIDI, text, **figures)
    else:
        yield well("MIDI loop", text, **figures)


def look_at_sound(wanted: str | None, audible: bool) -> Iterator[Finding]:
    """Whether the device plays; `audible`: two soft tones, else silence."""
    if wanted == "none":
        yield well("sound", "off (--audio none)")
        return
    try:
        portaudio()
    except AudioError:
        yield trouble("sound", State.CARE, Trouble.NO_PORTAUDIO, "there is no PortAudio library")
        return
    try:
        if not list_devices():
            yield trouble("sound", State.CARE, Trouble.NO_DEVICE, "there is no audio device")
            return
        device = choose_device(wanted)
    except AudioError as error:
        yield Finding("sound", State.CARE, str(error))
        return
    try:
        heard = play_sound(tones(device.rate, 0.1 if audible else 0.0), device.rate, wanted)
    except AudioError as error:
        yield trouble("sound", State.CARE, Trouble.DEVICE_REFUSES, str(error))
        return
    figures = {"device": device.name, "rate": device.rate, "latency_ms": round(1000 * heard.latency, 1),
               "underruns": heard.underruns, "alive": heard.alive}  # fmt: skip
    text = f"{device.name} at {device.rate} Hz, {1000 * heard.latency:.0f} ms behind"
    if not heard.alive:
        yield trouble("sound", State.CARE, Trouble.DEVICE_REFUSES, f"{text}; it stopped by itself", **figures)
    elif heard.underruns:
        yield trouble(
            "sound",
            State.CARE,
            Trouble.CRACKLES,
            f"{text}; {heard.underruns} underruns in a second",
            **figures,
        )
    else:
        yield well("sound", f"{text}{'; you should have heard two soft tones' if audible else ''}", **figures)


def tones(rate: int, loudness: float) -> Iterator[Block]:
    """A fifth, one tone after the other, faded in and out, in blocks."""
    moments = np.arange(rate // 2) / rate
    fade = np.minimum(1.0, np.minimum(moments, moments[::-1]) / 0.05)
    whole = np.concatenate([np.sin(2 * np.pi * hertz * moments) * fade for hertz in (440.0, 660.0)])
    whole = (loudness * whole).astype(np.float32)[:, None]
    for start in range(0, len(whole), 1024):
        yield whole[start : start + 1024]


def look_at_voice(name: str, load: Callable[[str], Voice], call: list[Event]) -> Iterator[Finding]:
    """Whether it loads, and how fast it sings."""
    try:
        voice = load(name)
    except CheckpointError as error:
        yield trouble("voice", State.CARE, Trouble.NO_WEIGHTS, str(error))
        return
    score = Score()
    for event in call:
        score.add(event)
    blocks = voice.render(score)
    second = voice.sample_rate // voice.block_length + 1
    list(islice(blocks, second))  # the first compiles
    began = time.perf_counter()
    length = sum(len(block) for block in islice(blocks, second)) / voice.sample_rate
    factor = length / (time.perf_counter() - began)
    text = f"{name} sings {factor:.1f} times as fast as it must"
    figures = {"voice": name, "real_time_factor": round(factor, 2)}
    if factor < TIGHT:
        text = f"{name} sings {factor:.2f} times as fast as it must: {'too slow' if factor < TOO_SLOW else 'tight'}"
        yield trouble("voice", State.CARE, Trouble.SLOW_VOICE, text, **figures)
    else:
        yield well("voice", text, **figures)


def look_at_partner(name: str, load: Callable[[str], Partner], call: list[Event]) -> Iterator[Finding]:
    """Whether it loads, and how soon its first note comes."""
    try:
        partner = load(name)
    except CheckpointError as error:
        yield trouble("partner", State.ILL, Trouble.NO_WEIGHTS, str(error))
        return
    for turn in (1, 2):  # the first compiles
        for event in call:
            partner.hear(event)
        began = time.perf_counter()
        answer = partner.respond(Request(turn, 4.0, seed=turn))
        events = len(list(islice(answer, 1)))
        first = time.perf_counter() - began
        events += sum(1 for _ in answer)
        rate = events / (time.perf_counter() - began)
    text = f"{name} has its first note after {1000 * first:.0f} ms, then {rate:.0f} events a second"
    figures = {"partner": name, "first_note_ms": round(1000 * first, 1), "events_per_second": round(rate, 1)}
    if first > SLOW_FIRST_NOTE:
        yield trouble("partner", State.CARE, Trouble.SLOW_PARTNER, text, **figures)
    else:
        yield well("partner", text, **figures)


def look_at_files(takes: Path, check_settings: Callable[[], Path]) -> Iterator[Finding]:
    """Whether takes can be kept, and whether the settings are in order."""
    try:
        yield well("settings", str(check_settings()))
    except DuetError as error:
        yield trouble("settings", State.ILL, Trouble.BAD_SETTINGS, str(error))
    try:
        takes.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=takes).close()
        free = shutil.disk_usage(takes).free / 1e9
        yield well("takes", f"{takes} ({free:.1f} GB free)", folder=str(takes), free_gb=round(free, 1))
    except (OSError, FileError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        yield trouble(
            "takes", State.ILL, Trouble.NO_TAKES, f"{takes}: nothing can be written there ({reason})"
        )


def look_at_system() -> Iterator[Finding]:
    """What plays on time: scheduling; where it is drawn: the terminal."""
    if hasattr(os, "sched_setscheduler"):
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            os.sched_setscheduler(0, *before)
            yield well("real time", "the sender may be scheduled before others")
        except OSError:
            yield trouble(
                "real time", State.CARE, Trouble.NO_REALTIME, "not allowed to be scheduled before others"
            )
    if sys.stdout.isatty():
        width, height = shutil.get_terminal_size()
        text = f"{width} by {height}"
        small = width < 80 or height < 24
        yield trouble("terminal", State.CARE, Trouble.NO_TERMINAL, text) if small else well("terminal", text)


def built_in_call() -> list[Event]:
    """What is played to try voice and partner."""
    return read_midi(Path(__file__).with_name("call.mid"))
