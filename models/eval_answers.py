"""The passages that answers are judged on, and who judges them: what is known, and a listener of its own."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from duet.note import Event, Note, NoteOff, NoteOn, Pedal, let_go, notes_of
from models.compose import BREATH
from models.events import LOWEST, OFF, PLAYER, Keyboard, Metre, Step, event_of
from models.next_onset import next_onset
from models.partner import Hands, PartnerNet, hands_of
from models.partner_data import Tune
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

    def __init__(self, net: PartnerNet) -> None:
        self._net = net

    @torch.inference_mode()
    def phrase_end(self, events: Sequence[Event]) -> float:
        """How likely no key is struck within a breath of the last stroke of all this."""
        steps = heard_steps(events)
        gap, token, velocity = (
            torch.tensor([[getattr(step, part) for step in steps]]) for part in ("gap", "token", "velocity")
        )
        hands = hands_of(gap, token, self._net.seconds)
        h = self._net.hidden(gap, token, velocity, torch.zeros_like(gap), hands, None)
        expected = next_onset(self._net, h[:, -1:], Hands(*(part[:, -1:] for part in hands)))
        strokes = [event.time for event in events if isinstance(event, NoteOn)]
        since = events[-1].time - strokes[-1]
        return 1 - expected.chance(max(0.1, BREATH - since))


def heard_steps(events: Sequence[Event]) -> list[Step]:
    """The steps of a player's turn as the partner takes them: from the first key on, with a pedal that is down."""
    first = next(place for place, event in enumerate(events) if isinstance(event, NoteOn))
    pedal = [event.down for event in events[:first] if isinstance(event, Pedal)]
    keyboard, metre = Keyboard(), Metre()
    steps = [Step(0, PLAYER)]
    for event in [*([Pedal(events[first].time, 127)] if pedal and pedal[-1] else []), *events[first:]]:
        for token, velocity in keyboard.take(event):
            steps.append(Step(metre.gap(event.time), token, velocity // 4))
    return steps


def own_phrase(tune: Tune, start: float) -> list[Event] | None:
    """What was played from `start` to the first phrase end at least 5 s later, if one comes within 20 s."""
    inside = tune.tokens[(tune.tokens["time"] >= start) & (tune.tokens["time"] < start + 2 * SECONDS)]
    ends = [int(begin) for begin in phrase_ends(inside) if inside["time"][begin] - start > SECONDS / 2]
    if not ends:
        return None
    return [event_of(token, time - start, level // 4) for time, token, level in inside[: ends[0]].tolist()]
