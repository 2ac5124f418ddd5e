"""The commands that play on files: `demo`, `answer`, `render`; heavy imports stay inside them."""

import argparse
from pathlib import Path
from typing import Any

from duet.commands import settings_of, writable
from duet.wiring import load_partner, load_voice

DEMO_CALL = Path(__file__).with_name("call.mid")


def demo(options: argparse.Namespace) -> None:
    """A whole duet, to files and, where there is a device, to the ears."""
    from duet.audio import play_file
    from duet.midi import read_midi, write_midi
    from duet.offline import answer_call, write_wav
    from duet.picture import draw_duet

    folder = writable(options.out)
    print(f"loading the {options.partner} partner and the {options.voice} voice", flush=True)
    partner, voice = load_partner(options.partner), load_voice(options.voice)
    print("playing", flush=True)
    exchange = answer_call(read_midi(DEMO_CALL), partner, settings_of(options, partner), voice)
    write_midi(folder / "call.mid", {"player": exchange.call})
    write_midi(folder / "answer.mid", {"partner": _from_zero(exchange.answer)})
    write_midi(folder / "duet.mid", {"player": exchange.call, "partner": exchange.answer})
    samples = exchange.sound
    assert samples is not None
    write_wav(folder / "duet.wav", samples, voice.sample_rate)
    draw_duet(folder / "duet.png", exchange.call, exchange.answer, samples, voice.sample_rate)
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
    import numpy as np

    from duet.midi import read_midi, write_midi
    from duet.offline import answer_call, sing, write_wav

    call = read_midi(options.call)
    out = options.out or options.call.with_name(options.call.stem + "-answer.mid")
    partner = load_partner(options.partner)
    voice = load_voice(options.voice) if options.audio else None
    exchange = answer_call(call, partner, settings_of(options, partner))
    events = _from_zero(exchange.answer)
    write_midi(out, {"partner": events})
    print(f"written: {out}")
    if voice:
        write_wav(options.audio, np.concatenate(list(sing(events, voice))), voice.sample_rate)
        print(f"written: {options.audio}")


def render(options: argparse.Namespace) -> None:
    """Let the voice sing a file."""
    import numpy as np

    from duet.midi import read_midi
    from duet.offline import sing, write_wav

    events = read_midi(options.notes)
    voice = load_voice(options.voice)
    write_wav(options.out, np.concatenate(list(sing(events, voice))), voice.sample_rate)
    print(f"written: {options.out}")


def _from_zero(events: list[Any]) -> list[Any]:
    from duet.note import at

    return [at(event, event.time - events[0].time) for event in events]
