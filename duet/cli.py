"""The command line: what can be said, and how errors reach the person. Nothing heavy is imported here."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from duet import __version__
from duet.errors import DuetError

VOICE_HELP = "the voice: piano (neural), sine (no weights), or a checkpoint's path"
PARTNER_HELP = "the partner: neural, markov (learns from this session alone), or a checkpoint's path"

EPILOG = """\
examples:
  duet                                 the only keyboard there is, the neural piano, the default audio device
  duet --port 0 --voice piano          the first port of `duet ports`
  duet --headless --out Duet --audio none    answers to a DAW as MIDI; Ctrl-C ends it
  duet demo                            no keyboard: hear a built-in call answered

Exit codes: 0 done; 1 something a person can mend, said in one line; 2 the command was not understood.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="duet",
        description="Duet answers what you play. With no command it plays live; with one it does that.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"duet {__version__}")
    top.add_argument(
        "--list-ports", action="store_true", help="list MIDI ports and audio devices, as `duet ports`"
    )
    top.add_argument("--json", action="store_true", help="with --list-ports: one JSON object")
    plug = top.add_argument_group("what is plugged in")
    plug.add_argument(
        "--port", metavar="N|NAME", help="the keyboard's MIDI port, by number or name (`duet ports`)"
    )
    plug.add_argument(
        "--out", metavar="PORT", help="the MIDI port for answers; a new name makes a virtual port"
    )
    plug.add_argument("--audio", metavar="DEVICE|none", help="the audio device, or none for MIDI only")
    plug.add_argument(
        "--headless", action="store_true", help="no terminal UI; print a line for each event of note"
    )
    music = top.add_argument_group("how it plays")
    _add_music(music, live=True)
    music.add_argument(
        "--takes",
        metavar="DIR",
        type=Path,
        help="where sessions are kept as MIDI (default: your music folder)",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_play_commands(commands)
    _add_model_commands(commands)
    return top


def _add_music(group: argparse._ArgumentGroup | argparse.ArgumentParser, live: bool = False) -> None:
    group.add_argument("--voice", default="piano", metavar="VOICE", help=VOICE_HELP)
    group.add_argument("--partner", default="neural", metavar="NAME", help=PARTNER_HELP)
    group.add_argument(
        "--style", default="", help="a style the partner knows, such as chopin or pop (default: like you)"
    )
    group.add_argument(
        "--temperature", type=_positive, default=1.0, metavar="T", help="0.1 safe .. 2 wild (default 1)"
    )
    group.add_argument(
        "--length", type=_positive, default=1.0, metavar="X", help="the answer's length, in calls (default 1)"
    )
    group.add_argument("--density", type=_positive, metavar="N", help="notes a second (default: as played)")
    group.add_argument(
        "--loudness", type=_within(1, 127), metavar="V", help="mean velocity, 1..127 (default: as played)"
    )
    group.add_argument(
        "--register",
        type=_within(0, 127),
        metavar="P",
        help="mean pitch, 60 is middle C (default: as played)",
    )
    group.add_argument(
        "--closeness", type=_within(0, 1), metavar="C", help="0 contrast .. 1 echo (default: as it likes)"
    )
    group.add_argument(
        "--key",
        default="",
        metavar="SCALE",
        help='only its notes: "C major", "F# minor", or call: the call\'s',
    )
    group.add_argument(
        "--seed", type=int, default=None if live else 1, metavar="S", help="same seed, same call: same answer"
    )


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str, example: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=what, description=what[0].upper() + what[1:] + ".", epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def _add_play_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ports = _command(
        commands, "ports", "list MIDI inputs, MIDI outputs and audio devices", "duet ports --json"
    )
    ports.add_argument("--json", action="store_true", help="print one JSON object")
    demo = _command(
        commands,
        "demo",
        "hear a built-in call answered; needs no keyboard and no sound card",
        "duet demo --out demo",
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="folder for what it writes (default: demo)",
    )
    _add_music(demo)
    answer = _command(
        commands,
        "answer",
        "answer a MIDI file with a MIDI file, and with sound if asked",
        "duet answer call.mid --out answer.mid --audio answer.wav",
    )
    answer.add_argument("call", type=Path, metavar="CALL.mid", help="what the player played")
    answer.add_argument(
        "--out", type=Path, metavar="ANSWER.mid", help="where the answer goes (default: CALL-answer.mid)"
    )
    answer.add_argument(
        "--audio", type=Path, metavar="ANSWER.wav", help="also render the answer with the voice"
    )
    _add_music(answer)
    render = _command(
        commands,
        "render",
        "let the voice sing a MIDI file's notes, velocities and pedal",
        "duet render notes.mid --out sound.wav --voice piano",
    )
    render.add_argument("notes", type=Path, metavar="NOTES.mid")
    render.add_argument("--out", type=Path, required=True, metavar="SOUND.wav")
    render.add_argument("--voice", default="piano", metavar="VOICE", help=VOICE_HELP)


def _add_model_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = _command(
        commands,
        "train",
        "train the partner or the voice on a folder of MIDI files",
        "duet train partner --data my_midi --minutes 10",
    )
    train.add_argument("what", choices=("partner", "voice"))
    train.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="MIDI files; a manifest.csv in it gives the splits (default: corpus or ../shared/corpus)",
    )
    train.add_argument(
        "--out",
        type=Path,
        metavar="WEIGHTS",
        help="where the weights go (default: runs/WHAT/WHAT.safetensors)",
    )
    train.add_argument(
        "--minutes", type=_positive, default=30.0, metavar="M", help="time to train (default 30)"
    )
    train.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument(
        "--from", dest="start_from", type=Path, metavar="WEIGHTS", help="partner: start from these weights"
    )
    train.add_argument(
        "--soundfont",
        type=Path,
        default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
        metavar="SF2",
        help="voice: what FluidSynth renders the targets with",
    )
    judge = _command(
        commands,
        "eval",
        "judge the partner, the voice or the turn-taking on held-out pieces",
        "duet eval voice --data corpus --pieces 10 --json",
    )
    judge.add_argument("what", choices=("partner", "voice", "turns"))
    judge.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="MIDI files; the test split of its manifest.csv if it has one (default: as for train)",
    )
    judge.add_argument(
        "--pieces",
        type=int,
        default=10,
        metavar="N",
        help="voice, turns: how many pieces at most (default 10)",
    )
    judge.add_argument(
        "--weights", default="", metavar="NAME|FILE", help="which partner or voice (default: the shipped one)"
    )
    judge.add_argument(
        "--soundfont",
        type=Path,
        default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
        metavar="SF2",
        help="voice: what the truth is rendered with",
    )
    judge.add_argument(
        "--picture", type=Path, metavar="PNG", help="voice: also draw spectrograms, model beside truth"
    )
    judge.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    bench = _command(
        commands,
        "bench",
        "measure how fast the voice, the partner or the whole live path is",
        "duet bench live --json",
    )
    bench.add_argument("what", choices=("voice", "partner", "live"))
    bench.add_argument("--weights", default="", metavar="FILE", help="voice, partner: other than the shipped")
    bench.add_argument("--voice", default="piano", metavar="VOICE", help="live: " + VOICE_HELP)
    bench.add_argument("--partner", default="neural", metavar="NAME", help="live: " + PARTNER_HELP)
    bench.add_argument(
        "--seconds",
        type=_positive,
        default=10.0,
        metavar="S",
        help="how much music to measure with (default 10)",
    )
    bench.add_argument("--json", action="store_true", help="print one JSON object on standard output")


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def _within(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be {low} .. {high}, not {text}")
        return value

    return read


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    from duet import commands, model_commands

    name = "ports" if options.list_ports else options.command or "live"
    try:
        getattr(model_commands if name in {"train", "eval", "bench"} else commands, name)(options)
    except DuetError as error:
        print(f"duet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("duet: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone, `head` for one
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
