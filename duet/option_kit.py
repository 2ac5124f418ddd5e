"""What the options of several commands are made of: how a command is declared, how a value is read."""

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from duet.errors import nearest
from duet.policies import policy_named
from duet.scale import CALL, pitch_classes

Options = argparse.ArgumentParser | argparse._ArgumentGroup
"""Whatever takes options."""
Commands = argparse._SubParsersAction
"""What argparse calls the list of commands; generic only to type checkers."""

VOICE_HELP = (
    "piano (the best neural one); organ, guitar, strings, vibes; a mixture of these and another piano, such as "
    "piano:0.6,strings:0.4; piano-parallel, piano-ar; sine (no weights); or a checkpoint's path"
)
PARTNER_HELP = (
    "the partner: neural, markov (learns from this session alone), lstm, wavenet-notes, biaxial (older kinds, "
    "to compare with), or a checkpoint's path"
)


class Parser(argparse.ArgumentParser):
    """Says in one line what was not understood, and what is nearest to it."""

    def check_names(self, arguments: Sequence[str]) -> None:
        """End here if an option is none of ours: else its value would be taken for a command."""
        names = _all_options(self)
        for word in arguments:
            name = word.partition("=")[0]
            if name.startswith("--") and not any(known.startswith(name) for known in names):
                self.error(f"unrecognized arguments: {name}")

    def error(self, message: str) -> NoReturn:
        hint = ""
        if unknown := re.search(r"unrecognized arguments: (--[\w-]+)", message):
            hint = nearest(unknown[1], _all_options(self))
        elif late := re.fullmatch(r"unrecognized arguments: ([^-].*)", message):
            message, hint = f"{late[1]}: not expected there", "; names and files come before options"
        elif choice := re.match(r"(.*invalid choice: '([^']*)') \(choose from (.*)\)", message):
            names = re.findall(r"[\w-]+", choice[3])
            hint = nearest(choice[2], names)
            message = choice[1] if hint else message
        self.exit(2, f"{self.prog}: {message}{hint or f'; `{self.prog} --help` says what there is'}\n")


def _all_options(parser: argparse.ArgumentParser) -> set[str]:
    """Its own and its commands'."""
    names = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            names.update(*(_all_options(made) for made in action.choices.values()))
    return names


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


def share(text: str) -> float:
    """A share of something else, 0 .. 0.9."""
    value = float(text)
    if not 0 <= value <= 0.9:
        raise argparse.ArgumentTypeError(f"must be a share from 0 to 0.9, not {text}")
    return value


def turn_taking(text: str) -> str:
    """A turn-taking policy, as it is usually written."""
    try:
        return str(policy_named(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole(text: str) -> int:
    """A whole number from 1 on."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return value


def count(text: str) -> int:
    """A whole number from 0 on."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
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
