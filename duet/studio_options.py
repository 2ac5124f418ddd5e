"""The options of clock, routing and controls, and what they amount to."""

import argparse
from collections.abc import Callable
from typing import Any

from duet.errors import SettingError
from duet.option_kit import Commands, command, within

NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def add_studio(top: argparse.ArgumentParser) -> None:
    """The groups `clock`, `routing` and `controls`."""
    clock = top.add_argument_group("clock")
    clock.add_argument(
        "--clock",
        default="internal",
        metavar="SOURCE",
        help="internal; keyboard: MIDI clock on the keyboard's port; virtual: on a port Duet makes; "
        "or another port by number or name (default internal)",
    )
    clock.add_argument(
        "--bpm", type=within(20, 400), metavar="N", help="start our own clock at this tempo (also: tap it)"
    )
    clock.add_argument(
        "--metronome",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="click: in the sound, or without sound on channel 10 of --out",
    )
    clock.add_argument(
        "--beats", type=_whole(1, 32), default=4, metavar="N", help="beats in a bar (default 4)"
    )
    clock.add_argument(
        "--clock-out",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="send MIDI clock, start and stop to --out",
    )
    routing = top.add_argument_group("routing")
    routing.add_argument(
        "--channel-in",
        type=_whole(1, 16),
        metavar="N",
        help="listen to this MIDI channel only (default: all)",
    )
    routing.add_argument(
        "--channel-out", type=_whole(1, 16), default=1, metavar="N", help="the answers' channel (default 1)"
    )
    routing.add_argument(
        "--thru",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="what you play also goes to --out, on its own channel",
    )
    routing.add_argument(
        "--monitor",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="what you play also sounds through the voice",
    )
    routing.add_argument(
        "--transpose", type=_whole(-48, 48), default=0, metavar="N", help="semitones added to what you play"
    )
    routing.add_argument(
        "--velocity",
        default="linear",
        metavar="CURVE",
        type=_touch,
        help="your touch: linear, soft (a light touch plays louder), hard, fixed:N, or a power such as 0.8",
    )
    routing.add_argument(
        "--split", type=pitch_of, metavar="KEY", help="keys below (60, C4) only go through to --out"
    )
    routing.add_argument(
        "--latency-in", type=within(0, 500), default=0.0, metavar="MS", help="your keyboard's own delay"
    )
    routing.add_argument(
        "--latency-out",
        type=_table,
        default="0",
        metavar="MS",
        help="the delay of the instrument at --out: 50, or by velocity 20:155,64:90,120:50 (`duet calibrate`)",
    )
    routing.add_argument(
        "--buffer",
        type=_whole(64, 2048),
        default=512,
        metavar="N",
        help="samples in a block of sound; fewer are quicker and may crackle (default 512)",
    )
    controls = top.add_argument_group("controls")
    controls.add_argument(
        "--learn",
        action="append",
        default=[],
        metavar="WHAT",
        help="bind WHAT to the next knob moved or pad struck, and remember it: a setting (temperature, density, "
        "length, loudness, register, closeness, bpm, blend: between the voices of a mixture) or a wish (panic, "
        "again, replay, keep, mute, metronome, tap, handover); may be given several times",
    )
    controls.add_argument(
        "--state-cc",
        type=_whole(0, 127),
        metavar="N",
        help="say on this controller of --out whose turn it is: 0 nobody's, 64 yours, 127 Duet's",
    )


def studio_of(options: argparse.Namespace) -> Any:
    """What the options ask for, as `duet.live_options.Studio`. Raises SettingError for controls that are none."""
    from duet.controls import Controls
    from duet.latency import Latency
    from duet.live_options import Studio
    from duet.route import Route, Touch

    try:
        controls = Controls.read(options.controls)
    except ValueError as error:
        raise SettingError(f"{options.settings_path}: [controls]: {error}") from error
    channel = None if options.channel_in is None else options.channel_in - 1
    route = Route(channel, options.transpose, Touch.read(options.velocity), options.split, options.thru)
    return Studio(
        route=route,
        channel_out=options.channel_out - 1,
        monitor=options.monitor,
        clock=options.clock,
        clock_out=options.clock_out,
        bpm=options.bpm,
        beats_in_bar=options.beats,
        metronome=options.metronome,
        latency_in=options.latency_in / 1000,
        latency_out=Latency.read(options.latency_out),
        controls=controls,
        settings_path=options.settings_path,
        learn=tuple(options.learn),
        state_cc=options.state_cc,
        buffer=options.buffer,
    )


def pitch_of(text: str) -> int:
    """A key by number or name: 60, C4, F#3, Bb2; C4 is middle C."""
    name = text.strip().casefold()
    try:
        if name[:1] in NOTES:
            shift = {"#": 1, "b": -1}.get(name[1:2], 0)
            pitch = NOTES[name[0]] + shift + 12 * (int(name[2:] if shift else name[1:]) + 1)
        else:
            pitch = int(name)
    except ValueError:
        pitch = -1
    if not 0 <= pitch <= 127:
        raise argparse.ArgumentTypeError(f"must be a key, 0 .. 127 or C-1 .. G9, not {text}")
    return pitch


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}, not {text}")
        return value

    return read


def add_studio_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """`calibrate`."""
    calibrate = command(
        commands,
        "calibrate",
        "measure the delay of a piano or synth that plays the answers, and remember it",
        'duet calibrate --out Disklavier --port Disklavier\n  duet calibrate --out "Moog" --audio-in 2',
        "duet.studio_commands",
    )
    calibrate.add_argument("--out", required=True, metavar="PORT", help="the instrument's MIDI port")
    calibrate.add_argument(
        "--port", metavar="N|NAME", help="hear it by MIDI: the port on which it tells its moving keys"
    )
    calibrate.add_argument(
        "--audio-in",
        metavar="DEVICE",
        nargs="?",
        const="",
        help="hear it with a microphone, on this audio input",
    )
    calibrate.add_argument(
        "--times",
        type=_whole(1, 50),
        default=4,
        metavar="N",
        help="notes at each of five velocities (default 4)",
    )
    calibrate.add_argument(
        "--latency-in",
        type=within(0, 500),
        default=0.0,
        metavar="MS",
        help="what of it is the way back (default 0)",
    )
    calibrate.add_argument(
        "--dry-run", action="store_true", help="say what was measured and do not write it to the settings"
    )


def _table(text: str) -> str:
    from duet.latency import Latency

    try:
        Latency.read(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be milliseconds below 1000, such as 50, or by velocity 20:155,64:90,120:50, not {text}"
        ) from None
    return text


def _touch(text: str) -> str:
    from duet.route import Touch

    try:
        Touch.read(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be linear, soft, hard, fixed:1 .. fixed:127 or a power such as 0.8, not {text}"
        ) from None
    return text
