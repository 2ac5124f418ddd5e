"""The commands `duet` (live play) and `duet ports`; heavy imports stay inside them."""

import argparse
import asyncio
import json
import logging
import os
import secrets
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from duet.errors import DuetError, FileError, MidiError
from duet.news import Answered, Message, News, Setup, Turned
from duet.studio_options import studio_of
from duet.wiring import PARTNERS, VOICES, load_partner, load_voice


def live(options: argparse.Namespace) -> None:
    """Play until quit."""
    from duet.live import play_live
    from duet.live_options import LiveOptions
    from duet.models_handle import Loaders
    from duet.take_list import default_folder

    takes = options.takes or default_folder()
    seed = secrets.randbelow(1 << 20) if options.seed is None else options.seed
    if not options.headless and not sys.stdout.isatty():
        raise DuetError("no terminal to draw on: say --headless, or run it in a terminal")
    log = Path(os.devnull) if options.headless else _log_file()
    wanted = LiveOptions(
        options.port, options.out, options.voice, options.partner, options.audio, options.headless,
        _character(options), seed, options.length, takes, log, PARTNERS, VOICES,
        options.turn, studio_of(options), options.wav, options.insists_on_style,
    )  # fmt: skip
    show = _print_news if options.headless else _print_farewell
    try:
        asyncio.run(play_live(wanted, Loaders(load_partner, load_voice), show))
    except MidiError as error:
        if options.port or options.out or options.headless or not sys.stdin.isatty():
            raise
        _offer_demo(error, options)


def _offer_demo(error: MidiError, options: argparse.Namespace) -> None:
    """There is nothing to play on here: the demo needs nothing."""
    from duet.file_commands import demo

    print(f"duet: {error}", file=sys.stderr)
    print("`duet doctor` looks closer.", file=sys.stderr)
    if input("Hear the demo instead? [Y/n] ").strip().casefold() not in {"", "y", "yes"}:
        raise DuetError("nothing was played")
    demo(argparse.Namespace(**{**vars(options), "out": Path("demo")}))


def _print_farewell(news: News) -> None:
    """The face shows everything else; this comes when it has closed."""
    match news:
        case Message(text) if text.startswith("take saved"):
            print(text)


def _print_news(news: News) -> None:
    match news:
        case Setup():
            print(f"keyboard: {news.midi_in}; answers: {news.midi_out}; audio: {news.audio}", flush=True)
            print(
                f"partner: {news.partner}; voice: {news.voice or 'none'}; ready, play something", flush=True
            )
        case Answered(turn, wait, decision, held):
            waiting = f", {held * 1000:.0f} ms waiting for the beat"
            print(
                f"turn {turn}: answered {wait * 1000:.0f} ms after your last move "
                f"({(decision - held) * 1000:.0f} ms composing{waiting})",
                flush=True,
            )
        case Turned("CALL", number):
            print(f"turn {number}: you play", flush=True)
        case Message(text, True):
            from duet.midi_ports import aloud

            with aloud():
                print(text, file=sys.stderr, flush=True)
        case Message(text):
            print(text, flush=True)


def _log_file() -> Path:
    """Where the program's own log goes while the face has the terminal. Raises FileError."""
    import platformdirs

    path = platformdirs.user_log_path("duet") / "duet.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=path, level=logging.INFO, force=True)
    except OSError as error:
        raise FileError(f"{path}: the log cannot be written ({error.strerror})") from error
    return path


def ports(options: argparse.Namespace) -> None:
    """List ports and devices; a part of the system that is not there is said, not fatal."""
    import rtmidi

    from duet.audio import list_devices
    from duet.midi_ports import list_ports

    found: dict[str, Any] = {}
    problems: list[str] = []
    for key, look in (
        ("midi_in", lambda: [port.name for port in list_ports(rtmidi.MidiIn)]),
        ("midi_out", lambda: [port.name for port in list_ports(rtmidi.MidiOut)]),
        ("audio", lambda: [{"index": device.index, "name": device.name} for device in list_devices()]),
    ):
        try:
            found[key] = look()
        except DuetError as error:
            found[key] = []
            if str(error) not in problems:
                problems.append(str(error))
    if options.json:
        print(json.dumps(found | {"problems": problems}))
        return
    for title, key in (("MIDI inputs (--port)", "midi_in"), ("MIDI outputs (--out)", "midi_out")):
        print(f"{title}:", *(f"  {index}: {name}" for index, name in enumerate(found[key])), sep="\n")
    print(
        "audio devices (--audio):",
        *(f"  {entry['index']}: {entry['name']}" for entry in found["audio"]),
        sep="\n",
    )
    for problem in problems:
        print(f"note: {problem}", file=sys.stderr)


def settings_of(options: argparse.Namespace, partner: Any) -> Any:
    """What the options ask of a partner. Raises CheckpointError if it knows no such style."""
    from duet.request import Settings
    from duet.styles import settle_style

    style, told = settle_style(options.style, options.partner, partner.styles, options.insists_on_style)
    if told:
        print(f"duet: {told}", file=sys.stderr)
    seed = 2 if options.seed is None else options.seed  # why 2: docs/results-partner.md
    return Settings(replace(_character(options), style=style), seed, options.length)


def _character(options: argparse.Namespace) -> Any:
    from duet.request import Character

    return Character(
        options.temperature, options.style, options.density, options.loudness, options.register,
        options.closeness, options.key,
    )  # fmt: skip


def writable(folder: Path) -> Path:
    """The folder, made if it was not there. Raises FileError if nothing can be written in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise FileError(
            f"{folder}: nothing can be written there ({error.strerror}); name another folder"
        ) from error
    return folder
