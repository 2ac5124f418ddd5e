"""`duet takes`: lists, plays, exports, renders again, opens and deletes what was played."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from duet.errors import DuetError, FileError, TakeError
from duet.take_keeper import SOUND
from duet.take_list import TakeFile, choose_take, default_folder, list_takes
from duet.take_options import AGAIN


def takes(options: argparse.Namespace) -> None:
    """Do one action of `duet takes`."""
    folder: Path = options.takes or default_folder()
    match options.action:
        case "play":
            _play(choose_take(options.take, folder), options)
        case "export":
            _export(choose_take(options.take, folder), options)
        case "render":
            _export(choose_take(options.take, folder), options)
        case "open":
            _open(choose_take(options.take, folder).path if options.take else folder)
        case "delete":
            _delete([choose_take(name, folder) for name in options.take], options.yes)
        case _:
            _list(folder, options.json)


def _list(folder: Path, as_json: bool) -> None:
    found = list_takes(folder)
    if as_json:
        rows = [_row(take) for take in found]
        print(json.dumps({"folder": str(folder), "takes": rows}))
        return
    if not found:
        print(f"no takes in {folder} yet: play one with `duet`")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "date", "turns", "length", "partner", "voice", "style", "seed", "kept"):
        table.add_column(heading, justify="right" if heading in {"", "turns", "length", "seed"} else "left")
    for take in found:
        row = _row(take)
        table.add_row(
            str(take.number), take.date[:16], str(take.turns) if take.answers else "-", _length(take.seconds),
            *(", ".join(row[name]) for name in ("partner", "voice", "style", "seed")),
            ", ".join(f"turn {number}" for number in take.kept),
        )  # fmt: skip
    Console(highlight=False, soft_wrap=not sys.stdout.isatty()).print(table)
    print(f"in {folder}")


def _row(take: TakeFile) -> dict[str, Any]:
    return {
        "number": take.number, "name": take.path.stem, "path": str(take.path), "date": take.date,
        "seconds": round(take.seconds, 3), "turns": take.turns, "kept": take.kept,
        **{name: take.asked(name) for name in ("partner", "voice", "style", "seed")},
        "answers": [asdict(answer) for answer in take.answers],
    }  # fmt: skip


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _play(take: TakeFile, options: argparse.Namespace) -> None:
    from duet.take_music import read_music
    from duet.take_player import play_midi, play_sound

    music = read_music(take, options.turns)
    events = {"player": music.player, "partner": music.partner}.get(options.only, music.both)
    print(f"{take.path.stem}, {_length(events[-1].time if events else 0)}; Ctrl-C stops", file=sys.stderr)
    if options.out:
        play_midi(events, options.out, _wait)
        return
    from duet.audio import choose_device
    from duet.file_commands import singing
    from duet.progress import working
    from duet.wiring import load_voice

    device = None if options.audio in (None, "none") else options.audio
    choose_device(device)  # before a voice is loaded for nothing
    with working("loading"):
        voice = load_voice(_voice_name(take, options))
    play_sound(singing(events, voice, "playing"), voice.sample_rate, device)


def _wait(seconds: float) -> None:
    from duet.progress import shown

    def moments() -> Iterator[None]:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(0.1, left))
            yield

    for _ in shown(moments(), 0.1, seconds, "playing"):
        pass


def _voice_name(take: TakeFile, options: argparse.Namespace) -> str:
    """The voice asked for, else the one that was heard last, else the piano."""
    said = getattr(options, AGAIN + "voice")
    return said or next(iter(reversed(take.asked("voice"))), "piano")


def _export(take: TakeFile, options: argparse.Namespace) -> None:
    from duet.take_export import Export
    from duet.take_music import read_music

    files = [*options.files, *([options.picture] if options.picture else [])]
    if not files:
        raise TakeError("say what to write, such as evening.wav, evening.mid or --picture evening.png")
    music = read_music(take, options.turns)
    export = Export(music, _voice_name(take, options), f"{take.date[:16]}", options.stems, options.type0)
    export.check(files)
    asked = {
        key.removeprefix(AGAIN): value
        for key, value in vars(options).items()
        if key.startswith(AGAIN) and key != AGAIN + "voice" and value is not None
    }
    if asked:
        export = replace(export, music=_answered_anew(take, music, asked))
    for path in export.write(files):
        print(f"written: {path}")


def _answered_anew(take: TakeFile, music: Any, asked: dict[str, Any]) -> Any:
    """The player's part again, answered as is asked now, and for the rest as it was then."""
    from duet.news import News, Setup
    from duet.offline import play_again
    from duet.progress import working
    from duet.request import Character, Settings
    from duet.take_music import Music
    from duet.take_story import Story
    from duet.wiring import load_partner

    then = take.answers[-1] if take.answers else None
    name = asked.pop("partner", None) or (then.partner if then else "neural")
    known = {*Settings.__dataclass_fields__, *Character.__dataclass_fields__} - {"character"}
    held = {key: value for key, value in (then.settings if then else {}).items() if key in known}
    try:
        settings = Settings().changed(**{**held, **asked})
    except (TypeError, ValueError) as error:
        raise TakeError(f"{take.path.name}: cannot be answered so: {error}") from error
    with working("loading"):
        partner = load_partner(name)
    if settings.character.style and settings.character.style not in partner.styles:
        if "style" in asked:
            known_styles = ", ".join(partner.styles) or "no style at all"
            raise TakeError(
                f"the partner {name!r} knows no style {asked['style']!r}; it knows {known_styles}"
            )
        settings = settings.changed(style="")
    story = Story()
    voice = next(iter(reversed(take.asked("voice"))), "")
    story.observe(Setup("", "", "", name, (), voice, (), (), settings))

    def observe(news: News) -> None:
        story.observe(news)

    with working("answering anew"):
        answers = play_again(music.player, partner, settings, observe)
    return Music(music.player, answers, story.answers)


def _open(path: Path) -> None:
    if not path.exists():
        raise TakeError(f"{path}: not there yet; play something first")
    if sys.platform == "win32":
        os.startfile(path)
        return
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        done = subprocess.run([opener, str(path)], capture_output=True, text=True, check=False)
    except OSError:
        raise DuetError(f"{opener} is not there to open it with; the file is {path}") from None
    if done.returncode:
        why = done.stderr.strip().splitlines()
        raise DuetError(f"{opener} could not open it ({why[-1] if why else done.returncode}); it is {path}")


def _delete(chosen: Sequence[TakeFile], sure: bool) -> None:
    for take in {take.path: take for take in chosen}.values():
        sound = " and its sound" if take.path.with_suffix(SOUND).exists() else ""
        what = f"{take.path}{sound} ({take.turns} turns, {_length(take.seconds)})"
        if not sure:
            if not sys.stdin.isatty():
                raise TakeError(f"{what}: not deleted without a question; say --yes")
            if input(f"delete {what}? [y/N] ").strip().casefold() not in {"y", "yes"}:
                print("kept")
                continue
        try:
            take.path.unlink()
            take.path.with_suffix(SOUND).unlink(missing_ok=True)
        except OSError as error:
            raise FileError(f"{take.path}: cannot be deleted ({error.strerror})") from error
        print(f"deleted: {take.path}")
