"""What a partner without a network does about what is asked of it: stretch, move by octaves, scale, lock.

The density is met by playing faster or slower, between half and twice, the register by whole octaves, the
loudness by scaling every velocity, the key by moving each note to the nearest one of the scale.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from duet.request import Character
from duet.scale import classes_allowed
from models.chords import Chord, Struck


def stretch_of(call: Sequence[Chord], character: Character) -> float:
    """How much slower than the call an answer is to be, 0.5 .. 2."""
    seconds = sum(chord.wait for chord in call)
    if character.density is None or not seconds:
        return 1.0
    own = sum(len(chord.notes) for chord in call) / seconds
    return min(2.0, max(0.5, own / character.density))


def fit(phrase: Sequence[Chord], character: Character, stretch: float, heard: Sequence[int]) -> list[Chord]:
    """The phrase as it is asked for. heard: pitches that say which key "call" is."""
    notes = [note for chord in phrase for note in chord.notes]
    if not notes:
        return list(phrase)
    move, louder = 0, 1.0
    if character.register is not None:
        mean = sum(note.pitch for note in notes) / len(notes)
        move = 12 * round((character.register - mean) / 12)
    if character.loudness is not None:
        louder = character.loudness / (sum(note.velocity for note in notes) / len(notes))
    allowed = classes_allowed(character.key, heard)

    def fitted(note: Struck) -> Struck:
        pitch = note.pitch + move
        while not 0 <= pitch <= 127:
            pitch += 12 if pitch < 0 else -12
        if allowed is not None:
            pitch = min(
                (other for other in range(128) if other % 12 in allowed),
                key=lambda other: (abs(other - pitch), other),
            )
        velocity = min(127, max(1, round(note.velocity * louder)))
        return replace(
            note,
            delay=note.delay * stretch,
            pitch=pitch,
            velocity=velocity,
            duration=note.duration * stretch,
        )

    return [
        replace(chord, notes=tuple(_different(map(fitted, chord.notes))), wait=chord.wait * stretch)
        for chord in phrase
    ]


def _different(notes: Iterator[Struck]) -> Iterator[Struck]:
    """Each key of a chord once."""
    seen: set[int] = set()
    for note in notes:
        if note.pitch not in seen:
            seen.add(note.pitch)
            yield note
