"""The options of `duet config` and `duet completion`: what is set up once."""

import argparse

from duet.option_kit import Commands, command

ACTIONS = {
    "show": "every setting, its value and where it comes from (what `duet config` alone does)",
    "path": "where the settings file is",
    "init": "write a commented settings file, if there is none",
    "edit": "open it in your editor, and check it afterwards",
    "set": "NAME VALUE: put one setting into it",
    "unset": "NAME: take one out of it",
    "presets": "the presets there are",
}


def add_settings_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """`config`, `completion`."""
    config = command(
        commands, "config", "show and change the settings file", "duet config set voice sine",
        "duet.settings_commands",
    )  # fmt: skip
    listing = "\n".join(f"  {name:<9}{what}" for name, what in ACTIONS.items())
    config.epilog = f"actions:\n{listing}\n\n{config.epilog}"
    config.add_argument(
        "action", nargs="?", choices=tuple(ACTIONS), default="show", help="see below (default: show)"
    )
    config.add_argument("name", nargs="?", metavar="NAME", help="a setting: a long option without its dashes")
    config.add_argument("value", nargs="?", metavar="VALUE")
    config.add_argument("--json", action="store_true", help="show, presets: print one JSON object")
    completion = command(
        commands, "completion", "print what makes your shell complete duet's options",
        "duet completion bash >> ~/.bashrc", "duet.shell_commands",
    )  # fmt: skip
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
