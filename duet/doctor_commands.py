"""`duet doctor`: what works, what does not, and what to do about it here."""

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from duet import __version__
from duet.advice import TRIED
from duet.cli import parser
from duet.doctor import (
    Finding,
    State,
    built_in_call,
    look_at_files,
    look_at_loop,
    look_at_midi,
    look_at_partner,
    look_at_sound,
    look_at_system,
    look_at_voice,
)
from duet.errors import DuetError
from duet.progress import working
from duet.settings_file import read_settings
from duet.settings_schema import schema_of
from duet.take_list import default_folder
from duet.wiring import load_partner, load_voice

SIGNS = {State.WELL: ("ok", "green"), State.CARE: ("care", "yellow"), State.ILL: ("NO", "bold red")}


def doctor(options: argparse.Namespace) -> None:
    """Look at everything; raises DuetError if playing is impossible."""
    findings: list[Finding] = []
    if not options.json:
        print(f"Duet {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for finding in _look(options):
        findings.append(finding)
        if not options.json:
            _print(finding)
    if options.json:
        print(json.dumps(_report(findings)))
    ill = [finding for finding in findings if finding.state is State.ILL]
    if ill:
        raise DuetError(f"playing is not possible here yet: {'; '.join(each.text for each in ill)}")
    if not options.json:
        cares = sum(finding.state is State.CARE for finding in findings)
        print("\nready to play: `duet`" + (f" ({cares} to mind above)" if cares else ""))
        if sys.platform not in TRIED:
            print("What is advised for this system is from its makers' manuals; we have not run it there.")


def _look(options: argparse.Namespace) -> Iterator[Finding]:
    def check_settings() -> Path:
        path: Path = options.settings_path
        read_settings(path, schema_of(parser()))
        return path

    call = built_in_call()
    yield from _meanwhile("looking at MIDI", look_at_midi())
    yield from _meanwhile("sending notes around", look_at_loop())
    yield from _meanwhile("trying the sound", look_at_sound(options.audio, not options.silent))
    partner, voice = options.partner, options.voice
    yield from _meanwhile(f"trying the partner {partner}", look_at_partner(partner, load_partner, call))
    if options.audio != "none":
        yield from _meanwhile(f"trying the voice {voice}", look_at_voice(voice, load_voice, call))
    yield from look_at_files(options.takes or default_folder(), check_settings)
    yield from look_at_system()


def _meanwhile(text: str, look: Iterator[Finding]) -> list[Finding]:
    """What a look finds; the spinner is gone from the line before it is printed."""
    with working(text):
        return list(look)


def _print(finding: Finding) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    sign, style = SIGNS[finding.state]
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(Text.assemble((f"{sign:<5}", style), f"{finding.subject:<10} {finding.text}"))
    if finding.remedy:
        remedy = Text(finding.remedy, "dim")
        console.print(Padding(remedy, (0, 0, 0, 16), expand=False))


def _report(findings: list[Finding]) -> dict[str, object]:
    rows = [
        {
            "subject": finding.subject, "state": finding.state.value, "text": finding.text,
            "remedy": finding.remedy, **finding.figures,
        }
        for finding in findings
    ]  # fmt: skip
    can_play = all(finding.state is not State.ILL for finding in findings)
    return {"version": __version__, "system": sys.platform, "can_play": can_play, "findings": rows}
