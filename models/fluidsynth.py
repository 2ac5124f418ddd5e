"""The truth a voice learns from and is judged by: FluidSynth playing a SoundFont, called as a command.

Reverb and chorus off, fixed gain, nothing normalised, in stereo as the SoundFont has it. FluidSynth starts
events at blocks of 64 samples; ours are sent half a frame before the block they belong to, so that a roll
with a hop of 64 samples and the audio agree to the sample, whatever rounding happens on the way.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray

from duet.errors import FileError, MissingExtra
from duet.note import Event, NoteOff, NoteOn
from duet.roll import Grid

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
"""Where Debian's fluid-soundfont-gm (MIT, Frank Wen) puts it."""
GAIN = 1.0
LAG = 65
"""Samples by which FluidSynth's first sample trails the block an event is sent in: cut off."""
_ALL_SOUND_OFF = 120
_TICKS = 1000
_LEAD = 100
"""Frames of silence before the first event, cut off again."""


def render_truth(
    events: Sequence[Event],
    seconds: float,
    grid: Grid,
    soundfont: Path = SOUNDFONT,
    gain: float = GAIN,
    program: int = 0,
) -> NDArray[np.float32]:
    """Sound events as the SoundFont has it: (2, round(seconds * sample_rate)) float32, not clipped.

    program: of General MIDI, 0 is the piano. Each event takes effect at the start of the frame it falls in.
    Raises FileError, MissingExtra.
    """
    if shutil.which("fluidsynth") is None:
        raise MissingExtra(
            "fluidsynth is not installed; on Debian: apt install fluidsynth fluid-soundfont-gm"
        )
    if not soundfont.is_file():
        raise FileError(f"{soundfont}: no such SoundFont; on Debian: apt install fluid-soundfont-gm")
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "score.mid"), Path(folder, "sound.wav")
        _write_score(score, events, seconds, grid, program)
        command = [
            "fluidsynth",
            "-ni",
            "-q",
            "-R",
            "0",
            "-C",
            "0",
            "-g",
            str(gain),
            "-r",
            str(grid.sample_rate),
        ]
        command += ["-T", "wav", "-O", "float", "-o", "synth.polyphony=4096"]
        done = subprocess.run(
            [*command, "-F", str(sound), str(soundfont), str(score)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not sound.exists():
            raise FileError(f"{soundfont}: fluidsynth could not render it ({done.stderr.strip()[-200:]})")
        audio, _ = soundfile.read(sound, dtype="float32", always_2d=True)
    start = _LEAD * grid.hop_length + LAG
    length = round(seconds * grid.sample_rate)
    sound = np.ascontiguousarray(audio[start : start + length].T)
    return np.pad(sound, ((0, 0), (0, length - sound.shape[1])))


def _write_score(path: Path, events: Sequence[Event], seconds: float, grid: Grid, program: int) -> None:
    """A MIDI file whose ticks are milliseconds, each event half a frame before its frame begins."""
    file = mido.MidiFile(type=0, ticks_per_beat=_TICKS)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])
    file.tracks.append(track)
    if program:
        track.append(mido.Message("program_change", program=program))
    now = 0
    for event in events:
        if event.time >= seconds:
            break
        frame = max(0, grid.frame_of(event.time)) + _LEAD
        tick = max(now, int((frame - 0.5) * grid.hop_length / grid.sample_rate * _TICKS))
        track.append(_message(event, tick - now))
        now = tick
    end = int((seconds + 0.5) * _TICKS) + 200
    # an organ's note that is still held would keep FluidSynth playing for ever
    track.append(mido.Message("control_change", control=_ALL_SOUND_OFF, value=0, time=max(0, end - now)))
    track.append(mido.MetaMessage("end_of_track", time=0))
    file.save(path)


def _message(event: Event, delta: int) -> mido.Message:
    match event:
        case NoteOn(_, pitch, velocity):
            return mido.Message("note_on", note=pitch, velocity=velocity, time=delta)
        case NoteOff(_, pitch):
            return mido.Message("note_off", note=pitch, time=delta)
        case _:
            return mido.Message("control_change", control=64, value=event.value, time=delta)
