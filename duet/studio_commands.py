"""`duet calibrate`."""

import argparse

from duet.errors import DuetError


def calibrate(options: argparse.Namespace) -> None:
    """Measure the delay of the instrument at --out and write it down as the setting `latency-out`."""
    from duet.calibrate import Microphone, MidiEar
    from duet.calibrate import calibrate as measure
    from duet.settings_file import set_value

    if (options.port is None) == (options.audio_in is None):
        raise DuetError("say how to hear the instrument: --port for its MIDI, or --audio-in for a microphone")
    print("Quiet, please: a note is sent every second and listened for.", flush=True)
    ear = MidiEar(options.port) if options.port is not None else Microphone(options.audio_in or None)
    found = measure(options.out, ear, options.times, print, options.latency_in / 1000)
    print("velocity  delay")
    for velocity, delay in found.points:
        print(f"{velocity:8}  {1000 * delay:5.1f} ms")
    if options.dry_run:
        print(f"to use it: duet --out {options.out!r} --latency-out {found}")
        return
    set_value(options.settings_path, "latency-out", str(found))
    print(
        f"written to {options.settings_path}: latency-out = {found}; answers to that port are sent so much earlier"
    )
