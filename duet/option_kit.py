"""What the options of several commands are made of: how a command is declared, how a value is read."""

import argparse
from collections.abc import Callable

from duet.scale import CALL, pitch_classes

Options = argparse.ArgumentParser | argparse._ArgumentGroup
"""Whatever takes options."""
Commands = argparse._SubParsersAction
"""What argparse calls the list of commands; generic only to type checkers."""

VOICE_HELP = (
    "piano (the best neural one), piano-parallel, piano-ar, sine (no weights), or a checkpoint's path"
)
PARTNER_HELP = "the partner: neural, markov (learns from this session alone), or a checkpoint's path"


def command(
    commands: "Commands[argparse.ArgumentParser]", name: str, what: str, example: str, module: str
) -> argparse.ArgumentParser:
    """A command of that name with its help and an example; the function of that name in `module` runs it."""
    made = commands.add_parser(
        name, help=what, description=what[0].upper() + what[1:] + ".", epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.set_defaults(run=f"{module}:{name}", plays=False)
    return made


def positive(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def whole(text: str) -> int:
    """A whole number from 1 on."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return value


def scale(text: str) -> str:
    """A scale's name, or what stands for the call's."""
    if text and text != CALL:
        try:
            pitch_classes(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return text


def within(low: float, high: float) -> Callable[[str], float]:
    """Reads a number from `low` to `high`."""

    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be {low} .. {high}, not {text}")
        return value

    return read
