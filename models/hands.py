"""Notes on their way to the keys: struck in order, each let go in time, and nothing left down.

For partners that compose notes with lengths rather than key by key.
"""

from collections.abc import Iterable, Iterator

from duet.note import Event, Note, NoteOff, NoteOn

MOST_KEYS = 12
"""Keys down at once; further ones are not struck."""


def play_notes(batches: Iterable[tuple[float, list[Note]]], limit: float) -> Iterator[Event]:
    """The events of notes that come in batches, from time 0, as soon as they are sure.

    batches: a time that no note of this or a later batch begins before, and notes, in any order. A key
    struck while down goes up first; two strokes of it at once are one. limit: seconds by which all keys are
    up (at least 30 ms after the last stroke).
    """
    waiting: list[Note] = []
    held: dict[int, float] = {}
    zero: float | None = None

    def play(until: float) -> Iterator[Event]:
        nonlocal zero
        waiting.sort(key=lambda note: (note.onset, note.pitch))
        while waiting and waiting[0].onset < until:
            note = waiting.pop(0)
            zero = note.onset if zero is None else zero
            onset = note.onset - zero
            yield from let_go(onset)
            if note.pitch in held:
                if struck[note.pitch] >= onset:
                    continue
                del held[note.pitch]
                yield NoteOff(onset, note.pitch)
            if len(held) < MOST_KEYS:
                held[note.pitch] = max(onset + 0.03, min(limit, onset + note.duration))
                struck[note.pitch] = onset
                yield NoteOn(onset, note.pitch, note.velocity)

    def let_go(until: float) -> Iterator[Event]:
        for end, pitch in sorted((end, pitch) for pitch, end in held.items() if end <= until):
            del held[pitch]
            yield NoteOff(end, pitch)

    struck: dict[int, float] = {}
    for time, notes in batches:
        yield from play(time)
        waiting += notes
    yield from play(float("inf"))
    yield from let_go(float("inf"))
