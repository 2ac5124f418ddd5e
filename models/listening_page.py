"""The blind test: held-out calls, each with answers by several hands in random order, and a form to judge them.

Each call of 10 s comes with the true continuation, the partner's answer, another partner's and ten seconds of another
piece (whoever does not hear that this one is wrong is not listening). A page (`models/listening_form.py`) plays them
under letters; all begin with a stroke, go on for longer than is heard, are equally long and equally loud and fade out
alike, so that only the music tells them apart. Who is who stands in `NAME-KEY.json` beside the folder, not in it;
`tally` joins the two. What is written is made from the corpus: give it to listeners, do not publish it without the
licences of the pieces that the key names.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from duet.errors import FileError
from duet.note import Event, cut
from duet.request import Request
from models.eval_answers import SECONDS, excerpt, passages
from models.events import OFF
from models.listening_form import page, section
from models.partner_data import Tune
from models.voice_listening import sing
from models.voice_metrics import RATE

MidiWriter = Callable[[Path, Mapping[str, Sequence[Event]]], None]
"""Writes named tracks to a file: `duet.midi.write_midi`."""
TRUE, OTHER = "the true continuation", "another piece"
ASKED = 14.0
"""Seconds that the partners are asked for: an answer ends from 85 % of that on, and no end is to be heard in ten."""
RINGING = 0.6
"""Seconds of sound after the call's last event."""
FADE = 1.5
"""Seconds at the end of ten over which every answer is faded out, as all are cut off."""
LEVEL = 0.06
"""The root mean square of every sound where it sounds, full scale 1; less if a peak would be cut off."""
PEAK = 0.98


def build_page(
    partners: Mapping[str, Any],
    voice: Any,
    tunes: Sequence[Tune],
    out: Path,
    write_midi: MidiWriter,
    calls: int = 10,
    seed: int = 0,
) -> Path:
    """Write the page, its sounds and its MIDI files into `out`, the key beside it; return the key's path.

    partners: by the name the key gives them. Raises FileError if the tunes are too short.
    """
    places = passages(tunes, 2 * calls, seed)
    if len({id(tune) for tune, _ in places}) < 2:
        raise FileError("two pieces of 20 s or more are needed for a listening test")
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    told: list[dict[str, Any]] = []
    sections = []
    spare = places[len(places) // 2 :]  # or what is out of place here would be in its place at the next call
    places = places[: len(places) // 2]
    for index, (tune, start) in enumerate(places):
        heard = excerpt(tune, start)
        other, moment = next(place for place in spare[index:] + spare + places if place[0] is not tune)
        answers = {TRUE: from_stroke(tune, start + SECONDS), OTHER: from_stroke(other, moment + SECONDS)}
        for name, partner in partners.items():
            partner.forget()
            for event in heard:
                partner.hear(event)
            answers[name] = cut(partner.respond(Request(1, ASKED, seed=seed + index)), SECONDS)
        order = [list(answers)[place] for place in rng.permutation(len(answers))]
        letters = dict(zip("ABCDEFGH", order, strict=False))
        folder = f"call-{index + 1:02d}"
        (out / folder).mkdir(exist_ok=True)
        write_midi(out / folder / "call.mid", {"piano": heard})
        _write_sound(out / folder / "call.flac", sing(voice, heard, SECONDS + RINGING), RINGING / 2)
        for letter, name in letters.items():
            write_midi(out / folder / f"{letter}.mid", {"piano": answers[name]})
            _write_sound(out / folder / f"{letter}.flac", sing(voice, answers[name], SECONDS), FADE)
        sections.append(section(index + 1, folder, list(letters)))
        told.append({"piece": tune.name, "seconds": round(start, 2), "answers": letters})
    minutes = len(places) * (1 + 2 * len(letters)) * SECONDS / 60
    test = sha256(json.dumps([seed, told]).encode()).hexdigest()[:12]
    (out / "index.html").write_text(page(test, sections, minutes))
    keeper = out.with_name(f"{out.name}-KEY.json")
    keeper.write_text(json.dumps({"test": test, "calls": told}, indent=1))
    return keeper


def from_stroke(tune: Tune, start: float) -> list[Event]:
    """Ten seconds of a tune from the first stroke after `start`, as an answer begins."""
    times = tune.tokens["time"][tune.tokens["token"] < OFF]
    return excerpt(tune, float(times[np.searchsorted(times, start)]))


def _write_sound(path: Path, sound: NDArray[np.float32], fade: float) -> None:
    """A sound, (T,) or (T, channels), faded out over its last seconds and brought to LEVEL."""
    ramp = np.ones(len(sound), np.float32)
    falling = round(fade * RATE)
    ramp[-falling:] = np.linspace(1, 0, falling)
    sound = sound * (ramp if sound.ndim == 1 else ramp[:, None])
    loudest = float(np.abs(sound).max()) or 1.0
    soundfile.write(path, sound * min(LEVEL / (loudness(sound) or LEVEL), PEAK / loudest), RATE)


def loudness(sound: NDArray[np.float32]) -> float:
    """Root mean square of the half-second pieces of a sound that are within 20 dB of the loudest; 0 of silence."""
    mono = sound if sound.ndim == 1 else np.sqrt((sound**2).mean(1))
    pieces = mono[: len(mono) // (RATE // 2) * (RATE // 2)].reshape(-1, RATE // 2)
    power = (pieces.astype(np.float64) ** 2).mean(1)
    return float(np.sqrt(power[power >= 0.01 * power.max()].mean()))


def tally(choices: Sequence[Path], key: Path) -> dict[str, Any]:
    """How often each hand was chosen as the best, and its mean mark, over listeners' files.

    Raises FileError if a file is of another test.
    """
    known = json.loads(key.read_text())
    best: dict[str, list[bool]] = defaultdict(list)
    marks: dict[str, list[int]] = defaultdict(list)
    for path in choices:
        said = json.loads(path.read_text())
        if said.get("test") != known["test"]:
            raise FileError(f"{path}: choices of another test than {key}")
        for number, call in enumerate(known["calls"], 1):
            for letter, name in call["answers"].items():
                best[name].append(said["choices"].get(f"best-{number}") == letter)
                if mark := said["choices"].get(f"fit-{number}-{letter}"):
                    marks[name].append(int(mark))
    return {
        name: {
            "best": round(float(np.mean(hits)), 3),
            "best_interval": _interval(hits),
            "mark": round(float(np.mean(marks[name])), 2) if marks[name] else None,
        }
        for name, hits in best.items()
    }


def _interval(hits: Sequence[bool]) -> list[float]:
    draws = np.random.default_rng(0).integers(0, len(hits), (1000, len(hits)))
    return [round(float(q), 3) for q in np.quantile(np.array(hits)[draws].mean(1), [0.025, 0.975])]
