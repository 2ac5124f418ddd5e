"""How fast the voices play on one core, against eager torch and against what the core could do.

All figures are the computing thread's own time, so that a busy machine changes them little; torch gets one thread.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from duet.note import Event, NoteOff, NoteOn, Pedal, order
from duet.roll import frames_of
from models.bench_ar import bench_ar, best, sweep
from models.piano_ar_config import PianoArConfig
from models.piano_checkpoint import PianoCheckpoint, load_checkpoint
from models.piano_player import PianoVoice
from models.piano_voice import Joiner, PianoVoiceNet
from models.piano_voice_config import PianoVoiceConfig
from models.source import GROUPS, SourceState, sound_source
from models.voice_cost import multiplications, peak_macs
from models.voice_features import features_of, fold_all
from models.voice_listening import GRID, Script
from models.voices import FILES, WEIGHTS


def dense_music(seconds: float, seed: int = 0) -> list[Event]:
    """Sixteen notes a second all over the keyboard, the pedal changed every two seconds."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    for beat in range(int(seconds / 2)):
        events += [Pedal(beat * 2.0, 0), Pedal(beat * 2.0 + 0.05, 127)]
    for number in range(int(seconds * 16)):
        pitch, velocity = int(rng.integers(24, 104)), int(rng.integers(30, 115))
        events += [NoteOn(number / 16, pitch, velocity), NoteOff(number / 16 + 0.3, pitch)]
    return sorted(events, key=order)


def bench_voice(path: Path | None = None, seconds: float = 20.0) -> dict[str, Any]:
    """The voice whose weights are at `path`, or every shipped one and how the rate falls with size, in one run."""
    music = dense_music(seconds)
    paths = [path] if path else [WEIGHTS / FILES["piano-parallel"], WEIGHTS / FILES["piano-ar"]]
    report: dict[str, Any] = {}
    for checkpoint in map(load_checkpoint, paths):
        if isinstance(checkpoint.config, PianoArConfig):
            report |= bench_ar(checkpoint, music, seconds)
            report |= {"ar_samples_per_second_by": sweep(checkpoint.config)} if not path else {}
        else:
            report |= bench_parallel(checkpoint, music, seconds)
    return report


def bench_named(voice: Any, seconds: float = 10.0) -> dict[str, float]:
    """How fast one voice or mixture plays, and how soon its first block is there."""
    music, length = dense_music(seconds), voice.block_length / voice.sample_rate

    def play(events: list[Event]) -> None:
        blocks = voice.render(Script(events))
        for _ in range(int(seconds / length)):
            next(blocks)

    def first_block() -> None:
        next(voice.render(Script([NoteOn(0.0, pitch, 90) for pitch in (48, 60, 64, 67)])))

    return {
        "real_time_factor": seconds / best(lambda: play(music)),
        "idle_real_time_factor": seconds / best(lambda: play([])),
        "first_block_ms": 1e3 * min(best(first_block, 1) for _ in range(20)),
        "block_ms": 1e3 * length,
        "sample_rate": voice.sample_rate,
        "channels": voice.channels,
    }


def bench_parallel(checkpoint: PianoCheckpoint, music: list[Event], seconds: float) -> dict[str, float]:
    """Real-time factors (seconds of sound a second of computing) and what they are a share of."""
    assert isinstance(checkpoint.config, PianoVoiceConfig)
    voice = PianoVoice(checkpoint)
    count = int(seconds * voice.sample_rate / voice.block_length)

    def play(events: list[Event]) -> None:
        blocks = voice.render(Script(events))
        for _ in range(count):
            next(blocks)

    def first_block() -> None:
        next(voice.render(Script([NoteOn(0.0, pitch, 90) for pitch in (48, 60, 64, 67)])))

    engine = seconds / best(lambda: play(music))
    idle = seconds / best(lambda: play([]))
    source, eager = _eager(voice, checkpoint.weights, music, seconds)
    peak = peak_macs()
    macs = multiplications(checkpoint.config)
    return {
        "real_time_factor": engine,
        "idle_real_time_factor": idle,
        "source_real_time_factor": source,
        "eager_real_time_factor": eager,
        "eager_ratio": engine / eager,
        "gmac_per_second_of_sound": macs / 1e9,
        "peak_gmac_per_second": peak / 1e9,
        "limit_share": macs * engine / peak,
        "first_block_ms": 1e3 * min(best(first_block, 1) for _ in range(20)),
        "block_ms": 1e3 * voice.block_length / voice.sample_rate,
        "sample_rate": voice.sample_rate,
        "channels": voice.channels,
    }


def _eager(voice: PianoVoice, weights: dict, music: list[Event], seconds: float) -> tuple[float, float]:
    """Real-time factors of the source alone, and of all of it in eager torch, a whole signal at once."""
    torch.set_num_threads(1)
    config, tables = voice.engine.config, voice.engine.tables
    net, joiner = PianoVoiceNet(config), Joiner(config)
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    onset, release, pedal = fold_all(frames_of(music, GRID, round(seconds * GRID.frame_rate)))
    steps = len(onset) * tables.steps
    source = np.empty((GROUPS * config.rows, steps), np.float32)
    noise = voice.engine.noise(0, steps)

    def sound() -> None:
        sound_source(tables, SourceState.silent(tables), onset, release, pedal, source)

    @torch.no_grad()
    def all_of_it() -> None:
        sound()
        features = features_of(onset, release, pedal, GRID.frame_rate).T.copy()
        heard = [torch.from_numpy(array)[None] for array in (source, noise, features)]
        joiner(net(*heard))

    return seconds / best(sound), seconds / best(all_of_it)
