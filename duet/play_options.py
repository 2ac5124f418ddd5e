"""The options of playing: live, and on files."""

import argparse
from collections.abc import Callable
from pathlib import Path

from duet.option_kit import (
    PARTNER_HELP,
    VOICE_HELP,
    Commands,
    Options,
    command,
    positive,
    scale,
    turn_taking,
    within,
)  # fmt: skip
from duet.studio_options import add_studio


def add_live(top: argparse.ArgumentParser) -> None:
    """What `duet` without a command takes."""
    plug = top.add_argument_group("what is plugged in")
    plug.add_argument(
        "--port", metavar="N|NAME", help="the keyboard's MIDI port, by number or name (`duet ports`)"
    )
    plug.add_argument(
        "--out", metavar="PORT", help="the MIDI port for answers; a new name makes a virtual port"
    )
    plug.add_argument("--audio", metavar="DEVICE|none", help="the audio device, or none for MIDI only")
    plug.add_argument(
        "--headless",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="no terminal UI; print a line for each event of note",
    )
    music = top.add_argument_group("how it plays")
    music.add_argument(
        "--preset",
        metavar="NAME",
        help="settings under one name, such as trading-fours (`duet config presets`)",
    )
    add_music(music)
    music.add_argument(
        "--turn",
        type=turn_taking,
        default="adaptive",
        metavar="POLICY",
        help="when a phrase is over: adaptive (default), learned, fixed:SECONDS, bars:N of the clock, "
        "pedal, pedal:CC or key:PITCH",
    )
    music.add_argument(
        "--takes",
        metavar="DIR",
        type=Path,
        help="where sessions are kept as MIDI (default: your music folder)",
    )
    music.add_argument(
        "--wav",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="also record what the voice plays, as a .wav beside the take",
    )
    add_studio(top)


def add_music(group: Options) -> None:
    """How the partner answers and what it sounds like."""
    add_voice(group)
    group.add_argument("--partner", default="neural", metavar="NAME", help=PARTNER_HELP)
    group.add_argument(
        "--style",
        default="",
        metavar="STYLE",
        help="a style the partner knows, such as chopin or pop (default: like you)",
    )
    group.add_argument(
        "--temperature", type=positive, default=1.0, metavar="T", help="0.1 safe .. 2 wild (default 1)"
    )
    group.add_argument(
        "--length", type=positive, default=1.0, metavar="X", help="the answer's length, in calls (default 1)"
    )
    group.add_argument("--density", type=positive, metavar="N", help="notes a second (default: as played)")
    group.add_argument(
        "--loudness", type=within(1, 127), metavar="V", help="mean velocity, 1..127 (default: as played)"
    )
    group.add_argument(
        "--register",
        type=within(0, 127),
        metavar="P",
        help="mean pitch, 60 is middle C (default: as played)",
    )
    group.add_argument(
        "--closeness", type=within(0, 1), metavar="C", help="0 contrast .. 1 echo (default: as it likes)"
    )
    group.add_argument(
        "--key",
        type=scale,
        default="",
        metavar="SCALE",
        help='only its notes: "C major", "F# minor", or call: the call\'s',
    )
    group.add_argument("--seed", type=int, metavar="S", help="same seed, same call: same answer")


def play_as_at_the_top(made: argparse.ArgumentParser, add: Callable[[argparse.ArgumentParser], None]) -> None:
    """Give a command options that `duet` itself has: unless said after it, they are as said before it or set."""
    before = len(made._actions)
    add(made)
    for action in made._actions[before:]:
        action.default = argparse.SUPPRESS
    made.set_defaults(plays=True)


def add_voice(group: Options) -> None:
    """What it sounds like."""
    group.add_argument("--voice", default="piano", metavar="VOICE", help=VOICE_HELP)


def add_play_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """`ports`, `demo`, `answer`, `render`, `doctor`."""
    ports = command(
        commands,
        "ports",
        "list MIDI inputs, MIDI outputs and audio devices",
        "duet ports --json",
        "duet.commands",
    )
    ports.add_argument("--json", action="store_true", help="print one JSON object")
    demo = command(
        commands,
        "demo",
        "hear a built-in call answered; needs no keyboard and no sound card",
        "duet demo --out demo",
        "duet.file_commands",
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="folder for what it writes (default: demo)",
    )
    play_as_at_the_top(demo, add_music)
    answer = command(
        commands,
        "answer",
        "answer a MIDI file with a MIDI file, and with sound if asked",
        "duet answer call.mid --out answer.mid --audio answer.wav",
        "duet.file_commands",
    )
    answer.add_argument("call", type=Path, metavar="CALL.mid", help="what the player played")
    answer.add_argument(
        "--out", type=Path, metavar="ANSWER.mid", help="where the answer goes (default: CALL-answer.mid)"
    )
    answer.add_argument(
        "--audio", type=Path, metavar="ANSWER.wav", help="also render the answer with the voice"
    )
    play_as_at_the_top(answer, add_music)
    render = command(
        commands,
        "render",
        "let the voice sing a MIDI file's notes, velocities and pedal",
        "duet render notes.mid --out sound.wav --voice piano",
        "duet.file_commands",
    )
    render.add_argument("notes", type=Path, metavar="NOTES.mid")
    render.add_argument("--out", type=Path, required=True, metavar="SOUND.wav")
    play_as_at_the_top(render, add_voice)
    doctor = command(
        commands,
        "doctor",
        "look this machine over: ports, sound, speed, files, and say what to do",
        "duet doctor --silent",
        "duet.doctor_commands",
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.add_argument("--silent", action="store_true", help="try the sound without letting it be heard")
    play_as_at_the_top(doctor, _add_what_is_looked_at)
    doctor.set_defaults(forgives=True)


def _add_what_is_looked_at(made: argparse.ArgumentParser) -> None:
    add_voice(made)
    made.add_argument("--partner", metavar="NAME", help=PARTNER_HELP)
    made.add_argument("--audio", metavar="DEVICE|none", help="the audio device")
    made.add_argument("--takes", type=Path, metavar="DIR", help="where takes are to be kept")
