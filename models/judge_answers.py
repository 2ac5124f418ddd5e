"""What a partner's answers are like, beside the true continuation (ceiling) and another piece (floor).

After 10 s of a held-out performance an answer of 10 s is asked for. Means over the passages, with 95 %
bootstrap intervals over them. `clean_endings`: the answer found an end before 120 % of its length rather
than being told to. `phrase_end_chance`: how likely a listener, our network told nothing, thinks that the
phrase is over after the last stroke; beside it the same of performances cut anywhere and of their own
phrases. `last_stroke`, `last_release`: when they come, as a share of the length. Copying is of eight pitches in a
row, from the call or from anything in the training set.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from duet.note import Event, NoteOn, at, notes_of
from duet.request import Request
from duet.scale import key_of_pitches
from models.compose import UNTIL
from models.eval_answers import SECONDS, Ear, Known, excerpt, own_phrase, passages
from models.kept_rows import Desk, Row
from models.partner_data import Tune
from models.partner_overlap import ROWS, copied, overlaps


@dataclass(frozen=True, slots=True)
class Bench:
    """Who is judged on what, by whom."""

    partners: Mapping[str, Any]
    places: Sequence[tuple[Tune, float]]
    seed: int
    known: Known | None
    """The training set, if copies from it are to be counted."""
    ear: Ear | None
    """Who judges endings, if anybody."""

    def row(self, index: int) -> Row:
        """All figures of one passage: `overlap` by who played, the others by figure and who played."""
        tune, start = self.places[index]
        heard = excerpt(tune, start)
        call = notes_of(heard)
        said = {"ceiling": excerpt(tune, start + SECONDS), "floor": self._elsewhere(index)}
        figures: dict[str, dict[str, float]] = defaultdict(dict)
        overlap = {}
        for name, partner in self.partners.items():
            said[name] = events = _answer(partner, heard, self.seed + index)
            figures["clean_endings"][name] = bool(events) and events[-1].time < UNTIL * SECONDS
            if strokes := [event.time for event in events if isinstance(event, NoteOn)]:
                figures["last_stroke"][name] = strokes[-1] / SECONDS
                figures["last_release"][name] = events[-1].time / SECONDS
        for name, events in said.items():
            notes = notes_of(events)
            figures["silence_rate"][name] = len(notes) < 2
            figures["copy_rate"][name] = copied(notes, call)
            if self.known:
                figures["training_copy_rate"][name] = self.known.share(notes)
            if len(notes) >= 2:
                overlap[name] = overlaps(call, notes)
                keys = [key_of_pitches(note.pitch for note in side) for side in (call, notes)]
                figures["key_agreement"][name] = keys[0] == keys[1]
                if self.ear and name != "floor":
                    after = [at(event, event.time + SECONDS) for event in events]
                    judged = "cut_anywhere" if name == "ceiling" else name
                    figures["phrase_end_chance"][judged] = self.ear.phrase_end([*heard, *after])
        phrase = own_phrase(tune, start) if self.ear else None
        if self.ear and phrase:
            figures["phrase_end_chance"]["own_phrases"] = self.ear.phrase_end(phrase)
        return {"overlap": overlap, "figures": figures}

    def _elsewhere(self, index: int) -> list[Event]:
        """What was played at the next passage that is of another piece."""
        others = (self.places[(index + k) % len(self.places)] for k in range(1, len(self.places)))
        tune = self.places[index][0]
        other, moment = next((place for place in others if place[0] is not tune), self.places[index - 1])
        return excerpt(other, moment + SECONDS)


def judge_answers(
    partners: Mapping[str, Any],
    tunes: Sequence[Tune],
    number: int,
    seed: int,
    known: Known | None = None,
    ear: Ear | None = None,
    desk: Desk | None = None,
) -> dict[str, Any]:
    """Overlaps of calls with answers, true continuations and other pieces; copying; keys; endings.

    known: the training set, if copies from it are to be counted; ear: who judges endings, if anybody; desk: where
    the rows are kept.
    """
    bench = Bench(partners, passages(tunes, number, seed), seed, known, ear)
    options = f"{[*partners]} {number} {seed} {bool(known)} {bool(ear)}"
    rows = (desk or Desk()).rows("answers", __name__, bench.row, len(bench.places), options)
    table: dict[str, list[dict[str, float]]] = defaultdict(list)
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, line in row["overlap"].items():
            table[name].append(line)
        for figure, by_name in row["figures"].items():
            for name, value in by_name.items():
                figures[figure][name].append(float(value))
    copies = figures.get("training_copy_rate", {})
    return {
        "overlap": {name: _summary(lines) for name, lines in table.items()},
        "overlap_intervals": {name: _intervals(lines) for name, lines in table.items()},
        "share_of_the_way": {
            name: _share(table[name], table["ceiling"], table["floor"]) for name in partners if table[name]
        },
        "passages": len(rows),
        **{
            figure: {name: round(float(np.mean(values)), 4) for name, values in by_name.items()}
            for figure, by_name in figures.items()
        },
        "figure_intervals": {
            figure: {name: interval_of_mean(values) for name, values in by_name.items()}
            for figure, by_name in figures.items()
        },
        "training_copies_beyond_the_truth": {
            name: interval_of_mean(np.subtract(copies[name], copies["ceiling"]))
            for name in partners
            if name in copies
        },
    }


def interval_of_mean(values: Any) -> list[float]:
    """The 95 % bootstrap interval of a mean. values: (N,)."""
    array = np.asarray(values, float)
    draws = np.random.default_rng(0).integers(0, len(array), (1000, len(array)))
    return [round(float(q), 4) for q in np.quantile(array[draws].mean(1), [0.025, 0.975])]


def _summary(lines: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean overlaps; the density's distance is a median."""
    rows = {row: float(np.mean([line[row] for line in lines])) for row in ROWS}
    rows["density"] = float(np.median([line["density"] for line in lines]))
    return {row: round(value, 3) for row, value in rows.items()}


def _intervals(lines: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    draws = np.random.default_rng(0).integers(0, len(lines), (1000, len(lines)))
    found = {}
    for row in (*ROWS, "density"):
        values = np.array([line[row] for line in lines])[draws]
        each = np.median(values, 1) if row == "density" else values.mean(1)
        found[row] = [round(float(q), 3) for q in np.quantile(each, [0.025, 0.975])]
    return found


def _share(
    ours: Sequence[dict[str, float]], ceiling: Sequence[dict[str, float]], floor: Sequence[dict[str, float]]
) -> dict[str, float]:
    """How much of the way from floor to ceiling, row by row."""
    said, high, low = (_summary(lines) for lines in (ours, ceiling, floor))
    return {row: round((said[row] - low[row]) / ((high[row] - low[row]) or 1e-9), 2) for row in said}


def _answer(partner: Any, call: Sequence[Event], seed: int) -> list[Event]:
    """A fresh conversation's answer to one call."""
    partner.forget()
    for event in call:
        partner.hear(event)
    return list(partner.respond(Request(1, SECONDS, seed=seed)))
