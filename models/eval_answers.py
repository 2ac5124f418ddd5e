"""What a partner's answers are like, beside the true continuation (ceiling) and another piece (floor).

After 10 s of a held-out performance an answer of 10 s is asked for. Means over the passages, with 95 %
bootstrap intervals over them. `clean_endings`: the answer found an end before 120 % of its length rather
than being told to. `phrase_end_chance`: how likely a listener, our network told nothing, thinks that the
phrase is over after the last stroke; beside it the same of performances cut anywhere and of their own
phrases. Copying is of eight pitches in a row, from the call or from anything in the training set.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duet.note import Event, Note, NoteOff, NoteOn, at, let_go, notes_of
from duet.request import Request
from duet.scale import key_of_pitches
from models.compose import BREATH, UNTIL
from models.events import LOWEST, OFF, event_of
from models.neural import NeuralPartner
from models.partner_data import Tune
from models.partner_overlap import ROWS, copied, overlaps
from models.partner_turns import phrase_ends

SECONDS = 10.0
SHINGLE = 8


def excerpt(tune: Tune, start: float) -> list[Event]:
    """The events of 10 s of a tune, from time 0, as a pianist would begin and end there."""
    events: list[Event] = []
    held: set[int] = set()
    rows = tune.tokens
    inside = rows[(rows["time"] >= start) & (rows["time"] < start + SECONDS)]
    for time, token, velocity in inside.tolist():
        event = event_of(token, time - start)
        match event:
            case NoteOn(_, pitch, _):
                event = NoteOn(event.time, pitch, velocity)
                held.add(pitch)
            case NoteOff(_, pitch):
                if pitch not in held:
                    continue
                held.remove(pitch)
        events.append(event)
    return events + let_go(events, SECONDS)


def passages(tunes: Sequence[Tune], number: int, seed: int) -> list[tuple[Tune, float]]:
    """Places with at least ten notes in the 10 s before and in the 10 s after, spread over the tunes."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Tune, float]] = []
    for _ in range(20 * number):
        tune = tunes[len(found) % len(tunes)] if len(found) < len(tunes) else tunes[rng.integers(len(tunes))]
        start = float(rng.uniform(0, max(0.1, tune.tokens["time"][-1] - 2 * SECONDS)))
        if all(len(notes_of(excerpt(tune, moment))) >= 10 for moment in (start, start + SECONDS)):
            found.append((tune, start))
        if len(found) == number:
            break
    return found


def runs_of(tune: Tune) -> NDArray[np.uint64]:
    """A number for every eight pitches in a row of a tune, seven bits a pitch."""
    return _hashes(_pitches(tune.tokens))


class Known:
    """Every eight pitches in a row of some tunes."""

    def __init__(self, tunes: Sequence[Tune]) -> None:
        hashed = [runs_of(tune) for tune in tunes]
        self._hashes = np.unique(np.concatenate(hashed)) if hashed else np.zeros(0, np.uint64)

    def share(self, notes: Sequence[Note]) -> float:
        """The share of some notes' shingles that are known."""
        ordered = sorted(notes, key=lambda note: (note.onset, note.pitch))
        hashed = _hashes(np.array([note.pitch - LOWEST for note in ordered]))
        if not len(hashed) or not len(self._hashes):
            return 0.0
        places = np.searchsorted(self._hashes, hashed).clip(max=len(self._hashes) - 1)
        return float((self._hashes[places] == hashed).mean())


def _pitches(tokens: NDArray[np.void]) -> NDArray[np.int64]:
    strokes = tokens[tokens["token"] < OFF]
    return strokes["token"][np.lexsort((strokes["token"], strokes["time"]))].astype(np.int64)


def _hashes(pitches: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number for each eight in a row: seven bits a pitch. (N,) -> (N - 7,)."""
    count = len(pitches) - SHINGLE + 1
    result = np.zeros(max(0, count), np.uint64)
    for place in range(SHINGLE):
        result = result << np.uint64(7) | pitches[place : place + max(0, count)].astype(np.uint64)
    return result


class Ear:
    """A listener of its own: our network, hearing call and answer as one player's playing."""

    def __init__(self, net: NeuralPartner) -> None:
        self._net = net

    def phrase_end(self, events: Sequence[Event]) -> float:
        """How likely no key is struck within a breath of the last stroke of all this."""
        self._net.forget()
        for event in events:
            self._net.hear(event)
        strokes = [event.time for event in events if isinstance(event, NoteOn)]
        since = events[-1].time - strokes[-1]
        return 1 - self._net.next_onset().chance(max(0.1, BREATH - since))


def own_phrase(tune: Tune, start: float) -> list[Event] | None:
    """What was played from `start` to the first phrase end at least 5 s later, if one comes within 20 s."""
    inside = tune.tokens[(tune.tokens["time"] >= start) & (tune.tokens["time"] < start + 2 * SECONDS)]
    ends = [int(begin) for begin in phrase_ends(inside) if inside["time"][begin] - start > SECONDS / 2]
    if not ends:
        return None
    return [event_of(token, time - start, level // 4) for time, token, level in inside[: ends[0]].tolist()]


def judge_answers(
    partners: dict[str, Any],
    tunes: Sequence[Tune],
    number: int,
    seed: int,
    known: Known | None = None,
    ear: Ear | None = None,
) -> dict[str, Any]:
    """Overlaps of calls with answers, true continuations and other pieces; copying; keys; endings.

    known: the training set, if copies from it are to be counted; ear: who judges endings, if anybody.
    """
    table: dict[str, list[dict[str, float]]] = defaultdict(list)
    lists: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    places = passages(tunes, number, seed)
    for index, (tune, start) in enumerate(places):
        heard = excerpt(tune, start)
        call = notes_of(heard)
        others = (places[(index + k) % len(places)] for k in range(1, len(places)))
        other, moment = next((place for place in others if place[0] is not tune), places[index - 1])
        said = {"ceiling": excerpt(tune, start + SECONDS), "floor": excerpt(other, moment + SECONDS)}
        for name, partner in partners.items():
            said[name] = _answer(partner, heard, seed + index)
            ends_well = bool(said[name]) and said[name][-1].time < UNTIL * SECONDS
            lists["clean_endings"][name].append(ends_well)
        for name, events in said.items():
            notes = notes_of(events)
            lists["silence_rate"][name].append(len(notes) < 2)
            lists["copy_rate"][name].append(copied(notes, call))
            if known:
                lists["training_copy_rate"][name].append(known.share(notes))
            if len(notes) >= 2:
                table[name].append(overlaps(call, notes))
                keys = [key_of_pitches(note.pitch for note in side) for side in (call, notes)]
                lists["key_agreement"][name].append(keys[0] == keys[1])
                if ear and name != "floor":
                    after = [at(event, event.time + SECONDS) for event in events]
                    lists["phrase_end_chance"][name].append(ear.phrase_end([*heard, *after]))
        phrase = own_phrase(tune, start) if ear else None
        if ear and phrase:
            lists["phrase_end_chance"]["own_phrases"].append(ear.phrase_end(phrase))
    if "ceiling" in lists["phrase_end_chance"]:
        lists["phrase_end_chance"]["cut_anywhere"] = lists["phrase_end_chance"].pop("ceiling")
    return {
        "overlap": {name: _summary(lines) for name, lines in table.items()},
        "overlap_intervals": {name: _intervals(lines) for name, lines in table.items()},
        "share_of_the_way": {
            name: _share(table[name], table["ceiling"], table["floor"]) for name in partners if table[name]
        },
        "passages": len(places),
        **{
            figure: {name: round(float(np.mean(values)), 4) for name, values in by_name.items() if values}
            for figure, by_name in lists.items()
        },
    }


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
