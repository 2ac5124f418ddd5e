"""The settings file: TOML in the platform's place, whose names are those of the command line's long options.

Everything in it is checked by what checks the option itself. Beside the settings there may be presets
(`[presets.NAME]`, a settings file within the file) and `[controls]`, the knobs that were learnt.
"""

import argparse
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duet.errors import FileError, SettingError, nearest

BIGGEST = 65_536
"""Bytes; a larger file is no settings file of ours."""
PRESETS, CONTROLS, ABOUT = "presets", "controls", "about"
BUILT_IN = Path(__file__).with_name("presets.toml")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What may stand in the file under one name."""

    name: str
    """As the long option is called, without its dashes."""
    kind: type
    """bool, float, int or str: what is written in TOML; a number may be written as either."""
    read: Callable[[str], Any]
    """From text to the value, as on the command line; raises ValueError or ArgumentTypeError."""
    default: Any
    """What holds if nothing is said; None is "you choose"."""
    choices: tuple[str, ...]
    """Empty if anything goes."""
    help: str
    group: str
    """The heading it stands under."""

    def value(self, written: object) -> Any:
        """The value that was written in the file. Raises ValueError, saying what is wanted."""
        if self.kind is bool:
            if not isinstance(written, bool):
                raise ValueError(f"must be true or false, not {written!r}")
            return written
        if isinstance(written, bool) or not isinstance(written, str | int | float):
            raise ValueError(f"cannot be {written!r}")
        text = str(written)
        if self.choices and text not in self.choices:
            raise ValueError(f"{text!r} is none of {', '.join(self.choices)}{nearest(text, self.choices)}")
        try:
            return self.read(text)
        except argparse.ArgumentTypeError as error:
            raise ValueError(str(error)) from None
        except ValueError as error:
            wanted = {int: "must be a whole number, not", float: "must be a number, not"}.get(self.kind)
            raise ValueError(f"{wanted} {written!r}" if wanted else str(error)) from None


Schema = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Contents:
    """A settings file that was read and found good."""

    values: Values = field(default_factory=dict)
    presets: Mapping[str, Values] = field(default_factory=dict)
    """By name; each may carry an "about" beside its settings."""
    controls: Values = field(default_factory=dict)
    """The `[controls]` table as it stands."""


def default_path() -> Path:
    """Where the file is looked for."""
    import platformdirs

    return platformdirs.user_config_path("duet", appauthor=False) / "settings.toml"


def read_settings(path: Path, schema: Schema) -> Contents:
    """Read and check it; a file that is not there is an empty one. Raises FileError or SettingError."""
    try:
        if path.stat().st_size > BIGGEST:
            raise FileError(
                f"{path}: {path.stat().st_size} bytes is no settings file; at most {BIGGEST} are read"
            )
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Contents()
    except OSError as error:
        raise FileError(f"{path}: the settings cannot be read ({error.strerror})") from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # no TOML, no UTF-8, a number of thousands of digits; too deep
        raise SettingError(
            f"{path}: not TOML ({error}); `duet config init` writes one to start from"
        ) from None
    presets, controls = table.pop(PRESETS, {}), table.pop(CONTROLS, {})
    for name, part in ((PRESETS, presets), (CONTROLS, controls)):
        if not isinstance(part, dict):
            raise SettingError(f"{path}: {name} must be a table, [{name}]")
    return Contents(
        _checked(table, schema, f"{path}"),
        {
            name: _checked_preset(preset, schema, f"{path}: preset {name!r}")
            for name, preset in presets.items()
        },
        controls,
    )


def built_in_presets(schema: Schema) -> Mapping[str, Values]:
    """The presets that Duet brings."""
    table = tomllib.loads(BUILT_IN.read_text(encoding="utf-8"))
    return {name: _checked_preset(preset, schema, f"preset {name!r}") for name, preset in table.items()}


def preset(name: str, contents: Contents, schema: Schema) -> Values:
    """The settings of a preset, the player's own before ours. Raises SettingError if there is none."""
    known = {**built_in_presets(schema), **contents.presets}
    if name not in known:
        raise SettingError(
            f"no preset is called {name!r}{nearest(name, known) or '; there are: ' + ', '.join(known)}"
        )
    return {key: value for key, value in known[name].items() if key != ABOUT}


def _checked_preset(table: object, schema: Schema, where: str) -> Values:
    if not isinstance(table, dict):
        raise SettingError(f"{where}: must be a table of settings")
    about = table.pop(ABOUT, "")
    return {ABOUT: str(about), **_checked(table, schema, where)}


def _checked(table: Values, schema: Schema, where: str) -> Values:
    """Each value as the command line would read it, under its Python name."""
    found = {}
    for name, written in table.items():
        setting = schema.get(name)
        if setting is None:
            raise SettingError(f"{where}: no setting is called {name!r}{nearest(name, schema)}")
        if written == "":  # as built in
            continue
        try:
            found[name.replace("-", "_")] = setting.value(written)
        except ValueError as error:
            why = " ".join(str(error).splitlines())  # what was written may be of several
            raise SettingError(f"{where}: {name} {why}") from None
    return found


def template(schema: Schema) -> str:
    """A settings file to start from: every setting, explained and commented out."""
    lines = [
        "# Duet's settings. Take away a # to set something; an empty text is as built in. What is said on the",
        "# command line comes before this, and a preset, too.",
        "# `duet config` shows what holds, `duet config set NAME VALUE` changes a line here.",
    ]
    group = ""
    for setting in schema.values():
        if setting.group != group:
            group = setting.group
            lines += ["", f"# --- {group} ---"]
        lines += ["", f"# {setting.help}", f"# {setting.name} = {_example(setting)}"]
    lines += [
        "", "# Settings under a name, for `duet --preset evening`.",
        "# [presets.evening]", '# about = "slow and close"', "# temperature = 0.8", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _example(setting: Setting) -> str:
    """What is built in; an empty text where that is "you choose"."""
    default = setting.default
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, int | float) else f'"{default or ""}"'


def write_settings(path: Path, text: str) -> None:
    """Write the whole file, or leave the old one as it was. Raises FileError."""
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise FileError(f"{path}: the settings cannot be written ({error.strerror})") from error


def change_file(path: Path, change: Callable[[Any], None]) -> None:
    """Let `change` alter the document (a `tomlkit` one, like a dict); comments and order stay. Raises FileError."""
    import tomlkit

    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: the settings cannot be read ({error})") from error
    change(document)
    write_settings(path, tomlkit.dumps(document))


def set_value(path: Path, name: str, value: float | str) -> None:
    """Set one value: where it stands, else in its commented line, else above the first table. Raises FileError."""
    import tomlkit

    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if name in tomllib.loads(text):
        change_file(path, lambda document: document.update({name: value}))
        return
    line = f"{name} = {tomlkit.item(value).as_string()}"
    commented = re.compile(rf"^# {re.escape(name)} = .*$", re.MULTILINE)
    above = re.compile(r"^(?=(?:# )?\[)|\Z", re.MULTILINE)
    found = commented.search(text) or above.search(text)
    assert found is not None
    end = "" if found.group() else "\n"
    write_settings(path, text[: found.start()] + line + end + text[found.end() :])


def save_table(path: Path, name: str, table: Mapping[str, str]) -> None:
    """Write one table of the file anew, such as `[controls]`, and nothing else. Raises FileError."""

    def put(document: Any) -> None:
        document[name] = dict(table)

    change_file(path, put)
