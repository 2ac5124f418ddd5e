"""The command line's options as the settings that may stand in the settings file, and how they are put to use."""

import argparse
import inspect
import sys
from collections.abc import Sequence

from duet.errors import FileError, SettingError
from duet.option_kit import Parser
from duet.settings_file import Contents, Schema, Setting, default_path, preset, read_settings

NOT_SETTINGS = {"help", "version", "list-ports", "json", "settings", "learn"}
"""Options of `duet` that say what to do once, rather than how to play."""


def schema_of(top: argparse.ArgumentParser) -> Schema:
    """Every option of live play, under the headings that --help has."""
    headings = {id(action): group.title for group in top._action_groups for action in group._group_actions}
    settings = {}
    for action in top._actions:
        name = next((text[2:] for text in action.option_strings if text.startswith("--")), "")
        if name and name not in NOT_SETTINGS:
            choices = tuple(str(choice) for choice in action.choices or ())
            read = action.type if callable(action.type) else str
            heading = headings.get(id(action)) or ""
            settings[name] = Setting(
                name, _kind(action), read, action.default, choices, action.help or "", heading
            )
    return settings


def _kind(action: argparse.Action) -> type:
    if action.nargs == 0:
        return bool
    if action.type is int:
        return int
    if action.type is not None and not inspect.isclass(action.type) and callable(action.type):
        return float if inspect.signature(action.type).return_annotation in (float, "float") else str
    return str


def understand(top: Parser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse, with the settings file and a preset in the place of the defaults.

    What comes of it: arguments before preset before file before built-in defaults. Beside the options it has
    `settings_path`, `controls`, the file's table of knobs, and `insists_on_style`: whether the style is an
    argument. Raises FileError or SettingError.
    """
    top.check_names(sys.argv[1:] if arguments is None else arguments)
    options = top.parse_args(arguments)
    path = options.settings or default_path()
    if not options.plays:
        options.settings_path = path
        return options
    if options.settings and not path.exists():
        raise SettingError(f"{path}: no such settings file; `duet --settings {path} config init` writes one")
    schema = schema_of(top)
    try:
        contents = read_settings(path, schema)
    except (FileError, SettingError):
        if not options.forgives:  # the doctor tells of it itself
            raise
        contents = Contents()
    values = dict(contents.values)
    if name := options.preset or values.get("preset"):
        values |= preset(name, contents, schema)
    top.set_defaults(
        **values, settings_path=path, controls=contents.controls, insists_on_style=bool(options.style)
    )
    return top.parse_args(arguments)
