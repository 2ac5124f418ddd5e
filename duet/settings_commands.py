"""`duet config`: shows and changes the settings file."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from duet.cli import parser
from duet.errors import FileError, SettingError, nearest
from duet.settings_file import (
    ABOUT,
    Contents,
    Schema,
    built_in_presets,
    change_file,
    read_settings,
    set_value,
    template,
    write_settings,
)
from duet.settings_schema import schema_of


def config(options: argparse.Namespace) -> None:
    """Do one action of `duet config`."""
    path: Path = options.settings_path
    top = parser()
    schema = schema_of(top)
    match options.action:
        case "path":
            print(path)
        case "init":
            _init(path, schema)
        case "edit":
            _edit(path, schema)
        case "set" | "unset":
            _change(path, schema, options)
        case "presets":
            _presets(read_settings(path, schema), schema, options.json)
        case _:
            contents = read_settings(path, schema)
            defaults = {name: top.get_default(name.replace("-", "_")) for name in schema}
            _show(path, contents, defaults, options.json)


def _show(path: Path, contents: Contents, defaults: Mapping[str, Any], as_json: bool) -> None:
    held = {
        name: (contents.values.get(key, default), "file" if key in contents.values else "default")
        for name, default in defaults.items()
        for key in [name.replace("-", "_")]
    }
    if as_json:
        print(json.dumps({"path": str(path), "settings": {name: value for name, (value, _) in held.items()}},
                         default=str))  # fmt: skip
        return
    print(f"{path}{'' if path.exists() else ' (not there yet: `duet config init` writes it)'}\n")
    for name, (value, source) in held.items():
        text = "" if value in (None, "") else str(value).lower() if isinstance(value, bool) else str(value)
        print(f"{name:<14}{text:<24}{'' if source == 'default' else 'from the file'}".rstrip())


def _presets(contents: Contents, schema: Schema, as_json: bool) -> None:
    known = {**built_in_presets(schema), **contents.presets}
    if as_json:
        print(json.dumps(known, default=str))
        return
    for name, values in known.items():
        held = ", ".join(f"{key} {value}" for key, value in values.items() if key != ABOUT)
        print(f"{name:<16}{values.get(ABOUT, '')}\n{'':<16}{held}")


def _init(path: Path, schema: Schema) -> None:
    if path.exists():
        raise FileError(f"{path}: is there already; `duet config edit` opens it")
    write_settings(path, template(schema))
    print(f"written: {path}")


def _edit(path: Path, schema: Schema) -> None:
    if not path.exists():
        write_settings(path, template(schema))
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if os.name == "nt" else "")
    if not editor:
        raise SettingError(f"no editor is named in $EDITOR; the file is {path}")
    try:
        subprocess.run([*shlex.split(editor, posix=os.name != "nt"), str(path)], check=False)
    except OSError as error:
        raise SettingError(
            f"the editor {editor!r} does not start ({error.strerror}); the file is {path}"
        ) from error
    read_settings(path, schema)
    print(f"in order: {path}")


def _change(path: Path, schema: Schema, options: argparse.Namespace) -> None:
    name, text = options.name, options.value
    if name is None or (text is None) == (options.action == "set"):
        raise SettingError(
            f"say `duet config {options.action} NAME{' VALUE' if options.action == 'set' else ''}`"
        )
    if name not in schema:
        raise SettingError(f"no setting is called {name!r}{nearest(name, schema)}")
    read_settings(path, schema)  # what is wrong already is said before anything is written
    if options.action == "unset":
        change_file(path, lambda document: document.pop(name, None))
        print(f"{name} is as built in", file=sys.stderr)
        return
    value = _written(text)
    try:
        schema[name].value(value)
    except ValueError as error:
        raise SettingError(f"{name} {error}") from None
    set_value(path, name, value)
    print(f"{name} is {text}, in {path}")


def _written(text: str) -> Any:
    """A word of the command line as TOML would have it: a number, true or false, else a text."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float) else text
