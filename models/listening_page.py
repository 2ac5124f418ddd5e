"""The blind test: held-out calls, each with answers by several hands in random order, and a form to judge them.

Each call of 10 s comes with the true continuation, the partner's answer, those of other partners and ten
seconds of another piece (whoever does not hear that this one is wrong is not listening). A page plays them
under letters; what one chooses is kept as `choices.json`. Who is who stands in `KEY.json` beside the folder,
not in it; `tally` joins the two. What is written is made from the corpus: give it to listeners, do not
publish it without the licences of the pieces that the key names.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from duet.errors import FileError
from duet.note import Event
from duet.request import Request
from models.eval_answers import SECONDS, excerpt, passages
from models.partner_data import Tune
from models.voice_listening import sing

MidiWriter = Callable[[Path, Mapping[str, Sequence[Event]]], None]
"""Writes named tracks to a file: `duet.midi.write_midi`."""
TRUE, OTHER = "the true continuation", "another piece"
RINGING = 1.5
"""Seconds of sound after the last event."""

PAGE = """<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Duet: which answer fits?</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
fieldset {{ margin: 1.5rem 0; border: 1px solid #bbb; border-radius: 6px }}
.answer {{ display: flex; gap: .8rem; align-items: center; margin: .4rem 0; flex-wrap: wrap }}
audio {{ height: 2rem }} output {{ margin-left: 1rem }}
</style>
<h1>Which answer fits what was played?</h1>
<p>Listen to each call, then to its answers. Say how well each goes on from the call: 1 not at all, 5 as if the
same player went on. Then choose the one that fits best. The order was drawn by lot.</p>
<form id="test">
<p><label>Your name or a pseudonym <input name="listener"></label></p>
{calls}
<button type="submit">Save my choices</button><output id="said"></output>
</form>
<script>
document.getElementById("test").addEventListener("submit", event => {{
  event.preventDefault();
  const form = event.target, said = document.getElementById("said");
  const missing = [...form.querySelectorAll("fieldset")].filter(
    call => !call.querySelector("input[type=radio]:checked"));
  if (missing.length) {{
    said.value = "Still to choose: " + missing.map(call => call.dataset.call).join(", ");
    return;
  }}
  const choices = Object.fromEntries(new FormData(form));
  const file = new Blob([JSON.stringify({{test: "{test}", choices}}, null, 1)], {{type: "application/json"}});
  const link = Object.assign(document.createElement("a"),
    {{href: URL.createObjectURL(file), download: "choices.json"}});
  link.click();
  said.value = "Saved as choices.json. Thank you.";
}});
</script>
"""
CALL = """<fieldset data-call="{number}"><legend>Call {number}</legend>
<div class="answer"><b>Call</b> <audio controls preload="none" src="{folder}/call.flac"></audio>
<a href="{folder}/call.mid">MIDI</a></div>
{answers}</fieldset>
"""
ANSWER = """<div class="answer"><b>{letter}</b>
<audio controls preload="none" src="{folder}/{letter}.flac"></audio>
<a href="{folder}/{letter}.mid">MIDI</a>
<label>fits <select name="fit-{number}-{letter}"><option></option>{marks}</select></label>
<label><input type="radio" name="best-{number}" value="{letter}"> best</label></div>
"""


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
    places = passages(tunes, calls, seed)
    if len({id(tune) for tune, _ in places}) < 2:
        raise FileError("two pieces of 20 s or more are needed for a listening test")
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    key: dict[str, Any] = {"test": f"{seed}-{len(places)}", "calls": []}
    sections = []
    for index, (tune, start) in enumerate(places):
        heard = excerpt(tune, start)
        other, moment = next(place for place in places[index + 1 :] + places if place[0] is not tune)
        answers = {TRUE: excerpt(tune, start + SECONDS), OTHER: excerpt(other, moment + SECONDS)}
        for name, partner in partners.items():
            partner.forget()
            for event in heard:
                partner.hear(event)
            answers[name] = list(partner.respond(Request(1, SECONDS, seed=seed + index)))
        order = [list(answers)[place] for place in rng.permutation(len(answers))]
        letters = dict(zip("ABCDEFGH", order, strict=False))
        folder = f"call-{index + 1:02d}"
        (out / folder).mkdir(exist_ok=True)
        _write(out / folder / "call", heard, voice, write_midi)
        for letter, name in letters.items():
            _write(out / folder / letter, answers[name], voice, write_midi)
        sections.append(_section(index + 1, folder, letters))
        key["calls"].append({"piece": tune.name, "seconds": round(start, 2), "answers": letters})
    page = PAGE.format(calls="".join(sections), test=escape(key["test"]))
    (out / "index.html").write_text(page)
    keeper = out.with_name(f"{out.name}-KEY.json")
    keeper.write_text(json.dumps(key, indent=1))
    return keeper


def _section(number: int, folder: str, letters: Mapping[str, str]) -> str:
    marks = "".join(f"<option>{mark}</option>" for mark in range(1, 6))
    answers = (ANSWER.format(letter=letter, folder=folder, number=number, marks=marks) for letter in letters)
    return CALL.format(number=number, folder=folder, answers="".join(answers))


def _write(path: Path, events: Sequence[Event], voice: Any, write_midi: MidiWriter) -> None:
    """The MIDI file and the sound of one side."""
    write_midi(path.with_suffix(".mid"), {"piano": list(events)})
    seconds = (events[-1].time if events else 0.0) + RINGING
    sound = sing(voice, events, seconds)
    loudest = float(np.abs(sound).max()) or 1.0
    soundfile.write(path.with_suffix(".flac"), sound * min(1.0, 0.98 / loudest), 32_000)


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
