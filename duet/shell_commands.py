"""`duet completion`: what a shell needs to complete our options, made of the parser itself."""

import argparse

import shtab

from duet.cli import parser
from duet.settings_file import Contents, built_in_presets, default_path, read_settings
from duet.settings_schema import schema_of
from duet.wiring import PARTNERS, VOICES

BASH, ZSH = "bash", "zsh"


def completion(options: argparse.Namespace) -> None:
    """Print the script."""
    top = parser()
    schema = schema_of(top)
    own: Contents = read_settings(default_path(), schema)
    words = {
        "voice": VOICES,
        "partner": PARTNERS,
        "preset": (*built_in_presets(schema), *own.presets),
    }
    _mark(top, words)
    functions = "\n".join(
        f"_duet_{name}() {{ compgen -W '{' '.join(held)}' -- \"$1\"; }}" for name, held in words.items()
    )
    print(shtab.complete(top, options.shell, preamble=functions if options.shell == BASH else ""))


def _mark(top: argparse.ArgumentParser, words: dict[str, tuple[str, ...]]) -> None:
    """Say of each option, the commands' too, what its values are."""
    for action in top._actions:
        name = action.dest.removeprefix("again_")
        if isinstance(action, argparse._SubParsersAction):
            for made in action.choices.values():
                _mark(made, words)
        elif name in words:
            action.complete = {BASH: f"_duet_{name}", ZSH: f"({' '.join(words[name])})"}  # type: ignore[attr-defined]
        elif getattr(action.type, "__name__", "") == "Path":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
