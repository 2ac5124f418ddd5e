"""The options of `duet takes`."""

import argparse
from pathlib import Path

from duet.option_kit import Commands, Options, command
from duet.play_options import add_music, play_as_at_the_top

TAKE_HELP = "its number in `duet takes`, a part of its name that is unique, or a path"
AGAIN = "again_"
"""What the names of options begin with that ask for other answers than were played."""


def add_take_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """`takes`."""
    takes = command(
        commands, "takes", "list, play, export and delete what was played", "duet takes export 1 evening.flac",
        "duet.take_commands",
    )  # fmt: skip
    takes.add_argument("--json", action="store_true", help="list: print one JSON object")
    play_as_at_the_top(takes, _add_folder)
    actions = takes.add_subparsers(dest="action", metavar="ACTION", title="actions", required=False)

    listing = _action(actions, "list", "all takes, the latest first (what `duet takes` alone does)")
    listing.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object"
    )

    play = _action(actions, "play", "hear a take, or send it to a MIDI port")
    _add_take(play)
    play.add_argument("--out", metavar="PORT", help="send it to this MIDI port instead of singing it")
    play.add_argument("--audio", metavar="DEVICE", default=argparse.SUPPRESS, help="the audio device")
    play.add_argument("--only", choices=("player", "partner"), help="one of the two")
    _add_own_voice(play)

    export = _action(actions, "export", "write a take as .mid, .wav, .flac or .png, as the name ends")
    _add_take(export)
    export.add_argument("files", nargs="*", type=Path, metavar="FILE", help="what to write; several at once")
    export.add_argument(
        "--picture", type=Path, metavar="PNG", help="also draw it: both players over the sound"
    )
    export.add_argument(
        "--stems", action="store_true", help="sound: two files, FILE-player and FILE-partner, that sum up"
    )
    export.add_argument(
        "--type0", action="store_true", help=".mid: one track (type 0) instead of two (type 1)"
    )
    _add_own_voice(export)

    again = _action(actions, "render", "write a take again with another voice, partner or setting")
    _add_take(again)
    again.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".mid, .wav, .flac or .png")
    _add_own_voice(again)
    _add_again(again.add_argument_group("answers anew (said: composed again; unsaid: as they were)"))
    again.set_defaults(stems=False, type0=False, picture=None)

    show = _action(actions, "open", "open a take in the program your system opens MIDI files with")
    show.add_argument("take", nargs="?", metavar="TAKE", help=TAKE_HELP + "; without it, the folder")

    delete = _action(actions, "delete", "delete takes, after a question")
    delete.add_argument("take", nargs="+", metavar="TAKE", help=TAKE_HELP)
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _action(actions: "Commands[argparse.ArgumentParser]", name: str, what: str) -> argparse.ArgumentParser:
    made = actions.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    play_as_at_the_top(made, _add_folder)
    return made


def _add_folder(group: argparse.ArgumentParser) -> None:
    group.add_argument(
        "--takes", type=Path, metavar="DIR", help="the folder of takes (default: your music folder)"
    )


def _add_take(made: argparse.ArgumentParser) -> None:
    made.add_argument("take", metavar="TAKE", help=TAKE_HELP)
    made.add_argument("--turns", metavar="N|N-M|kept", help="only these turns, or those marked as kept")


def _add_own_voice(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--voice", dest=AGAIN + "voice", metavar="VOICE", help="another voice than it was played with"
    )


def _add_again(group: Options) -> None:
    """All that can be asked of an answer, but the voice, each None unless said."""
    every = argparse.ArgumentParser(add_help=False)
    add_music(every)
    for action in every._actions:
        if action.dest != "voice":
            action.dest, action.default = AGAIN + action.dest, None
            group._add_action(action)
