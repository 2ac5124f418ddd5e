"""Judge turn-taking policies on performances: how often they cut in, how long they keep the player waiting.

The labels come from the music by one rule: where key and pedal are up for `END` seconds or longer, or the
piece ends, a phrase has ended; in any shorter silence the player plays on. It is weak in that soloists do not
hand over (their silences are shorter or written), and in that pedalled music has few silences at all.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from statistics import median
from typing import Any

from duet.errors import FileError
from duet.note import Event, NoteOn
from duet.phrase_end import Adaptive, Fixed, Policy
from duet.piece import Piece
from duet.turn import Turn

END = 2.0
"""Seconds of silence that count as the end of a phrase."""
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5)


def evaluate_turns(pieces: Iterable[Piece], limit: int) -> dict[str, Any]:
    """Cut-ins a minute of playing and the median wait at phrase ends, a row a policy and parameter.

    Only expressive pieces count; `limit` of them at most. Raises FileError if there is none.
    """
    chosen = list(islice((piece for piece in pieces if piece.expressive), limit))
    if not chosen:
        raise FileError("no expressive performance among these files: nothing to judge turn-taking by")
    policies: list[tuple[str, float | None, Policy]] = [
        ("fixed", value, Fixed(value)) for value in THRESHOLDS
    ]
    policies.append(("adaptive", None, Adaptive()))
    rows = []
    for name, parameter, policy in policies:
        cut_ins, waits, seconds = 0, list[float](), 0.0
        for piece in chosen:
            cuts, piece_waits = judge(piece.events, policy)
            cut_ins += cuts
            waits += piece_waits
            seconds += piece.events[-1].time - piece.events[0].time
        rows.append(
            {
                "policy": name,
                "parameter": parameter,
                "cut_ins_per_minute": cut_ins / seconds * 60,
                "wait_s_median": median(waits) if waits else None,
                "phrase_ends": len(waits),
            }
        )
    return {"policies": rows, "pieces": len(chosen), "phrase_end_s": END}


def judge(events: Sequence[Event], policy: Policy) -> tuple[int, list[float]]:
    """(cut-ins, waits in seconds at phrase ends) of a policy that listens to this performance."""
    turn = Turn(policy)
    cut_ins, waits = 0, list[float]()
    ahead = _next_onsets(events)
    for event, onset in zip(events, ahead, strict=True):
        turn.feed(event)
        deadline = turn.deadline()
        if deadline is None or onset <= deadline:
            continue
        if onset - event.time >= END:
            waits.append(deadline - event.time)
        else:
            cut_ins += 1
        turn.tick(deadline)
    return cut_ins, waits


def _next_onsets(events: Sequence[Event]) -> list[float]:
    """For each event, when the next one comes that is not a mere release: infinity after the last."""
    result, coming = [], float("inf")
    for index in range(len(events) - 1, -1, -1):
        result.append(coming)
        if isinstance(events[index], NoteOn):
            coming = events[index].time
    return result[::-1]
