"""The command line: what can be said, and how errors reach the person. Nothing heavy is imported here."""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from duet import __version__
from duet.errors import DuetError
from duet.model_options import add_model_commands
from duet.option_kit import Commands, Parser
from duet.play_options import add_live, add_play_commands
from duet.settings_options import add_settings_commands
from duet.settings_schema import understand
from duet.studio_options import add_studio_commands
from duet.take_options import add_take_commands

EPILOG = """\
examples:
  duet                                 the only keyboard there is, the neural piano, the default audio device
  duet --port 0 --voice piano          the first port of `duet ports`
  duet --headless --out Duet --audio none    answers to a DAW as MIDI; Ctrl-C ends it
  duet demo                            no keyboard: hear a built-in call answered

Exit codes: 0 done; 1 something a person can mend, said in one line; 2 the command was not understood.
"""


def parser() -> Parser:
    """The whole command line."""
    top = Parser(
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
    top.add_argument(
        "--settings", type=Path, metavar="FILE", help="another settings file than yours (`duet config path`)"
    )
    top.set_defaults(run="duet.commands:live", plays=True, forgives=False)
    add_live(top)
    commands: Commands[argparse.ArgumentParser] = top.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=Parser
    )
    add_play_commands(commands)
    add_take_commands(commands)
    add_studio_commands(commands)
    add_settings_commands(commands)
    add_model_commands(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        options = understand(parser(), arguments)
        module, _, name = ("duet.commands:ports" if options.list_ports else options.run).partition(":")
        getattr(importlib.import_module(module), name)(options)
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
