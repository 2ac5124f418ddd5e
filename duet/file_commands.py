"""The commands that play on files: `demo`, `answer`, `render`; heavy imports stay inside them."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from duet.commands import settings_of, writable
from duet.note import Event
from duet.ports import Block, Voice
from duet.progress import shown, working
from duet.wiring import load_partner, load_voice

DEMO_CALL = Path(__file__).with_name("call.mid")


def demo(options: argparse.Namespace) -> None:
    """A whole duet, to files and, where there is a device, to the ears."""
    from duet.audio import play_file
    from duet.midi import read_midi, write_midi
    from duet.offline import answer_call
    from duet.picture import Drawn, draw_duet
    from duet.sound_file import write_sound

    folder = writable(options.out)
    with working(f"loading the {options.partner} partner and the {options.voice} voice"):
        partner, voice = load_partner(options.partner), load_voice(options.voice)
    with working("playing"):
        exchange = answer_call(read_midi(DEMO_CALL), partner, settings_of(options, partner), voice)
    write_midi(folder / "call.mid", {"player": exchange.call})
    write_midi(folder / "answer.mid", {"partner": _from_zero(exchange.answer)})
    write_midi(folder / "duet.mid", {"player": exchange.call, "partner": exchange.answer})
    samples = exchange.sound
    assert samples is not None
    write_sound(folder / "duet.wav", [samples], voice.sample_rate, voice.channels)
    drawn = Drawn(exchange.call, exchange.answer, ((1, exchange.call[0].time),))
    title = f"{options.partner} partner, {options.voice} voice"
    draw_duet(folder / "duet.png", drawn, samples, voice.sample_rate, title)
    play_file(samples, voice.sample_rate, print)
    names = ", ".join(f"{name}" for name in ("call.mid", "answer.mid", "duet.mid", "duet.wav", "duet.png"))
    print(f"written to {folder}: {names}")
    wait = exchange.listening + exchange.composing
    print(
        f"the answer began {wait * 1000:.0f} ms after the last key: {exchange.listening * 1000:.0f} ms listening for "
        f"the phrase's end, {exchange.composing * 1000:.0f} ms composing the first note"
    )


def answer(options: argparse.Namespace) -> None:
    """Answer a file."""
    from duet.midi import read_midi, write_midi
    from duet.offline import answer_call
    from duet.sound_file import check_sound_name, write_sound

    call = read_midi(options.call)
    out = options.out or options.call.with_name(options.call.stem + "-answer.mid")
    if options.audio:
        check_sound_name(options.audio)
    with working("loading"):
        partner = load_partner(options.partner)
        voice = load_voice(options.voice) if options.audio else None
    exchange = answer_call(call, partner, settings_of(options, partner))
    events = _from_zero(exchange.answer)
    write_midi(out, {"partner": events})
    print(f"written: {out}")
    if voice:
        write_sound(options.audio, singing(events, voice), voice.sample_rate, voice.channels)
        print(f"written: {options.audio}")


def render(options: argparse.Namespace) -> None:
    """Let the voice sing a file."""
    from duet.midi import read_midi
    from duet.sound_file import check_sound_name, write_sound

    events = read_midi(options.notes)
    check_sound_name(options.out)
    with working("loading"):
        voice = load_voice(options.voice)
    write_sound(options.out, singing(events, voice), voice.sample_rate, voice.channels)
    print(f"written: {options.out}")


def singing(events: Sequence[Event], voice: Voice, text: str = "singing") -> Iterator[Block]:
    """The voice's blocks, with a bar while they are made."""
    from duet.offline import sing

    end = max((event.time for event in events), default=0.0)
    return shown(sing(events, voice), voice.block_length / voice.sample_rate, end, text)


def _from_zero(events: list[Any]) -> list[Any]:
    from duet.note import at

    return [at(event, event.time - events[0].time) for event in events]
