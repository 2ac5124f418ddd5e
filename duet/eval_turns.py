"""Judge turn-taking policies on performances: how often they cut in, how long they keep the player waiting.

The labels come from the music by one rule: where neither key nor pedal is held for `END` seconds or longer, or the
piece ends, a phrase has ended; in any shorter silence the player plays on, and who answers cuts in. The rule
is weak in that soloists do not hand over: most of its phrase ends are the ends of pieces, and music played with
the pedal has few silences at all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median, quantiles
from typing import Any

from duet.beat import beat_of
from duet.entry import LONGEST_STEP
from duet.errors import FileError
from duet.foresight import Foresight
from duet.note import Event, NoteOn, Pedal
from duet.phrase_end import Adaptive, Expectation, Fixed, Gaps, Learned, Policy
from duet.piece import Piece
from duet.ports import Forecaster, Partner
from duet.turn import Respond, Turn, Waiting

END = 2.0
"""Seconds of silence that count as the end of a phrase."""
TARGET_SILENCE = 1.0
"""Seconds of the fixed silence whose rate of cut-ins the others are held to."""
COMPOSING = 0.03
"""Seconds from a decision to the first note, as measured live (`duet bench live`)."""

CURVES: dict[str, tuple[Callable[[float], Policy], tuple[float, ...]]] = {
    "fixed": (Fixed, (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5)),
    "gaps": (lambda value: Gaps(value, max(1.2, value), max(0.7, value)),
             (0.3, 0.36, 0.5, 0.7, 1.0)),
    "adaptive": (lambda value: Adaptive(Learned(value)), (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
    "learned": (lambda value: Learned(value),
                (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
}  # fmt: skip
"""For each policy how to make it of its sensitivity, and the sensitivities tried."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A performance, and what the partner expected where nothing was held any more."""

    events: Sequence[Event]
    expected: dict[int, Expectation]
    """By the index of the event."""


def evaluate_turns(pieces: Iterable[Piece], limit: int, partner: Partner) -> dict[str, Any]:
    """Cut-ins a minute of playing and the waits at phrase ends, a row a policy and sensitivity.

    Only expressive pieces count; `limit` of them at most. A partner that foresees nothing is not asked to.
    Raises FileError if there is no such piece.
    """
    chosen = [listen(piece.events, partner) for piece in islice(_expressive(pieces), limit)]
    if not chosen:
        raise FileError("no expressive performance among these files: nothing to judge turn-taking by")
    minutes = sum(heard.events[-1].time - heard.events[0].time for heard in chosen) / 60
    names = [name for name in CURVES if name in ("fixed", "gaps") or isinstance(partner, Forecaster)]
    rows = [
        {"policy": name, "parameter": value, "default": _is_default(name, value)}
        | _row([judge(heard, CURVES[name][0](value)) for heard in chosen], minutes)
        for name in names
        for value in CURVES[name][1]
    ]
    return {
        "policies": rows,
        "pieces": len(chosen),
        "minutes": minutes,
        "phrase_end_s": END,
        "piece_ends": len(chosen),
        "at_the_cut_in_rate_of_fixed_1_s": _at_target(rows, names),
    }


def listen(events: Sequence[Event], partner: Partner) -> Heard:
    """Let the partner hear a performance, and keep what it expects."""
    expected: dict[int, Expectation] = {}
    if isinstance(partner, Forecaster):
        partner.forget()
        foresight = Foresight(partner)
        for index, event in enumerate(events):
            partner.hear(event)
            if expectation := foresight.after(event):
                expected[index] = expectation
    return Heard(events, expected)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy did with a performance."""

    cut_ins: int
    waits: Sequence[float]
    """Seconds from the last release to the decision, at each phrase end."""
    entries: Sequence[float]
    """Seconds from the last release to the answer's first note there, the wait for a beat included."""


def judge(heard: Heard, policy: Policy) -> Judged:
    """Let a policy listen to this performance."""
    turn = Turn(policy)
    cut_ins, waits, entries = 0, list[float](), list[float]()
    for index, (event, press) in enumerate(zip(heard.events, _next_presses(heard.events), strict=True)):
        turn.feed(event)
        if index in heard.expected:
            turn.feed(heard.expected[index])
        deadline = turn.deadline()
        following = heard.events[index + 1].time if index + 1 < len(heard.events) else float("inf")
        if deadline is None or min(press, following) <= deadline:
            continue
        respond = turn.tick(deadline)[-1]
        if isinstance(respond, Waiting):
            continue
        if press - turn.quiet_since < END:
            cut_ins += 1
            continue
        assert isinstance(respond, Respond)
        waits.append(deadline - turn.quiet_since)
        begin = respond.begin
        if begin is None:
            beat = beat_of(respond.call)
            begin = beat.next_part(deadline + COMPOSING, LONGEST_STEP) if beat else deadline + COMPOSING
        entries.append(begin - turn.quiet_since)
    return Judged(cut_ins, waits, entries)


def _next_presses(events: Sequence[Event]) -> list[float]:
    """For each event, when the next key or the pedal goes down after it: infinity after the last."""
    result, coming, pedal_down = list[float](), float("inf"), False
    presses: list[bool] = []
    for event in events:
        match event:
            case Pedal():
                presses.append(event.down and not pedal_down)
                pedal_down = event.down
            case _:
                presses.append(isinstance(event, NoteOn))
    for event, is_press in zip(reversed(events), reversed(presses), strict=True):
        result.append(coming)
        if is_press:
            coming = event.time
    return result[::-1]


def _expressive(pieces: Iterable[Piece]) -> Iterator[Piece]:
    return (piece for piece in pieces if piece.expressive and piece.events)


def _is_default(name: str, value: float) -> bool:
    return CURVES[name][0](value) in (Adaptive(), Learned(), Gaps())


def _row(judged: Sequence[Judged], minutes: float) -> dict[str, Any]:
    waits = [wait for each in judged for wait in each.waits]
    entries = [wait for each in judged for wait in each.entries]
    quarters = quantiles(waits, n=4) if len(waits) > 1 else [None, None, None]
    return {
        "cut_ins_per_minute": sum(each.cut_ins for each in judged) / minutes,
        "wait_s_median": median(waits) if waits else None,
        "wait_s_upper_quartile": quarters[2],
        "wait_s_mean": sum(waits) / len(waits) if waits else None,
        "first_note_s_median": median(entries) if entries else None,
        "first_note_s_mean": sum(entries) / len(entries) if entries else None,
        "phrase_ends": len(waits),
    }


def _at_target(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """For each policy the shortest median wait it reaches without cutting in more often than fixed 1.0 s."""
    rate = next(
        row["cut_ins_per_minute"]
        for row in rows
        if row["policy"] == "fixed" and row["parameter"] == TARGET_SILENCE
    )
    best: dict[str, Any] = {"cut_ins_per_minute": rate}
    for name in names:
        waits = [
            row["wait_s_median"]
            for row in rows
            if row["policy"] == name and row["cut_ins_per_minute"] <= rate and row["wait_s_median"]
        ]
        best[f"{name}_wait_s_median"] = min(waits, default=None)
    return best
