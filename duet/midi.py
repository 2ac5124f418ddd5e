"""MIDI messages and files to events and back.

One piano is heard: all tracks and channels of a file but the drums (channel 10) are laid on one keyboard.
Note-on with velocity 0 is a note-off (MIDI 1.0). A pitch struck again while it sounds ends first.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import mido

from duet.errors import FileError
from duet.note import Event, NoteOff, NoteOn, Pedal, order

SUSTAIN = 64
DRUMS = 9
UNISON = 0.03
"""Seconds within which the same key in two tracks is one stroke."""
LARGEST, LONGEST = 20_000_000, 24 * 3600.0
"""Bytes and seconds of a MIDI file that is still read: a few bytes can claim years."""
TICKS_PER_BEAT = 960
TEMPO = 500_000
"""Microseconds a beat in the files we write: 120 beats a minute, so a tick is 0.52 ms."""


def event_of(message: Sequence[int], time: float) -> Event | None:
    """The event in the bytes of one MIDI message, or None if it is of no concern."""
    if len(message) < 3:
        return None
    status, first, second = message[0] & 0xF0, message[1] & 0x7F, message[2] & 0x7F
    match status:
        case 0x90 if second > 0:
            return NoteOn(time, first, second)
        case 0x80 | 0x90:
            return NoteOff(time, first)
        case 0xB0 if first == SUSTAIN:
            return Pedal(time, second)
    return None


def message_of(event: Event, channel: int = 0) -> list[int]:
    """The bytes of the MIDI message that says the event. channel: 0..15."""
    match event:
        case NoteOn(_, pitch, velocity):
            return [0x90 | channel, pitch, velocity]
        case NoteOff(_, pitch):
            return [0x80 | channel, pitch, 64]
        case Pedal(_, value):
            return [0xB0 | channel, SUSTAIN, value]


@dataclass(frozen=True, slots=True)
class Words:
    """A text in a MIDI file, at its moment."""

    time: float
    """Seconds."""
    text: str
    marker: bool = False
    """A marker, which a DAW shows over its timeline, rather than a text event."""


def read_midi(path: Path) -> list[Event]:
    """The events of a MIDI file, in playing order, in seconds. Raises FileError."""
    file = _open(path)
    events = _on_one_keyboard(_in_time_order(file.tracks), file.ticks_per_beat)
    if events and events[-1].time > LONGEST:
        raise FileError(
            f"{path}: lasts {events[-1].time / 3600:.0f} hours; {LONGEST / 3600:.0f} are the most"
        )
    return events


def read_tracks(path: Path) -> tuple[dict[str, list[Event]], list[Words]]:
    """Each named track's own events, those of one name together, and what is written in the file. Raises FileError."""
    file = _open(path)
    messages = _in_time_order(file.tracks)
    tempi = [item for item in messages if item[2].type == "set_tempo"]
    tracks: dict[str, list[Event]] = {}
    for name in {track.name: None for track in file.tracks if track.name}:
        numbers = {number for number, track in enumerate(file.tracks) if track.name == name}
        own = [item for item in messages if item[1][0] in numbers and item[2].type != "set_tempo"]
        events = _on_one_keyboard(sorted([*tempi, *own], key=lambda item: item[0]), file.ticks_per_beat)
        if events:
            tracks[name] = events
    return tracks, _words_of(file)[0]


def read_conductor(path: Path) -> tuple[list[Words], float]:
    """What is written in the file's first track, and how many seconds that lasts; the notes stay unread.

    In the files we write the first track lasts as long as the music. Raises FileError.
    """
    try:
        with path.open("rb") as file:
            header = file.read(14)
            chunk = file.read(8)
            size = int.from_bytes(chunk[4:], "big")
            alone = header[:8] + b"\0\1\0\1" + header[12:] + chunk + file.read(size)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror})") from error
    return _words_of(_open(path, io.BytesIO(alone)))


def _words_of(file: mido.MidiFile) -> tuple[list[Words], float]:
    messages = _in_time_order(file.tracks)
    seconds = _seconds_of(messages, file.ticks_per_beat)
    words = [
        Words(seconds(tick), message.text, message.type == "marker")
        for tick, _, message in messages
        if message.type in {"text", "marker"}
    ]
    return words, seconds(messages[-1][0] if messages else 0)


def _open(path: Path, content: BinaryIO | None = None) -> mido.MidiFile:
    try:
        if content is None and path.stat().st_size > LARGEST:
            raise FileError(f"{path}: is larger than {LARGEST / 1e6:.0f} MB; no music for a piano is")
        file = mido.MidiFile(path if content is None else None, file=content, clip=True)
        if file.type == 2:
            raise FileError(f"{path}: a MIDI file of type 2 has no common timeline; save it as type 0 or 1")
        if not 0 < file.ticks_per_beat < 0x8000:
            raise FileError(f"{path}: its times are in SMPTE frames; save it with ticks per beat")
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise FileError(f"{path}: is a folder, not a MIDI file") from None
    except PermissionError:
        raise FileError(f"{path}: not allowed to read it") from None
    except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
        reason = str(error) or type(error).__name__
        raise FileError(f"{path}: not a MIDI file that can be read ({reason})") from error
    return file


Hand = tuple[int, int]
"""A track and a channel: whoever holds keys in a file."""
TimedMessage = tuple[int, Hand, mido.Message]
"""A message with its tick and its hand."""


def _in_time_order(tracks: Sequence[mido.MidiTrack]) -> list[TimedMessage]:
    """All messages with their ticks and their hands, as they sound."""
    messages: list[TimedMessage] = []
    for number, track in enumerate(tracks):
        tick = 0
        for message in track:
            tick += message.time
            messages.append((tick, (number, getattr(message, "channel", DRUMS)), message))
    return sorted(messages, key=lambda item: item[0])


def _seconds_of(messages: Sequence[TimedMessage], ticks_per_beat: int) -> Callable[[int], float]:
    """From ticks to seconds, along the file's tempi."""
    changes = [(0, 0.0, TEMPO)]
    for tick, _, message in messages:
        if message.type == "set_tempo":
            before, time, tempo = changes[-1]
            changes.append((tick, time + (tick - before) * tempo / ticks_per_beat / 1e6, message.tempo))

    def seconds(tick: int) -> float:
        before, time, tempo = changes[bisect_right(changes, tick, key=lambda change: change[0]) - 1]
        return time + (tick - before) * tempo / ticks_per_beat / 1e6

    return seconds


def _on_one_keyboard(messages: Sequence[TimedMessage], ticks_per_beat: int) -> list[Event]:
    """Lay all hands on one keyboard: a key stays down until the last hand that pressed it lets go.

    Two hands on one key within UNISON are one stroke; later it is struck again.
    """
    events: list[Event] = []
    hands_on: dict[int, set[Hand]] = {}
    pressed: dict[int, float] = {}
    tempo, time, now = 500_000, 0.0, 0
    for tick, hand, message in messages:
        time += (tick - now) * tempo / ticks_per_beat / 1e6
        now = tick
        if message.type == "set_tempo":
            tempo = message.tempo
        if hand[1] == DRUMS:
            continue
        match event_of(message.bytes(), time):
            case NoteOn(_, pitch, _) as press:
                hands = hands_on.setdefault(pitch, set())
                unison = bool(hands - {hand}) and time - pressed[pitch] < UNISON
                if hands and not unison:
                    events.append(NoteOff(time, pitch))
                if not unison:
                    events.append(press)
                    pressed[pitch] = time
                hands.add(hand)
            case NoteOff(_, pitch) as release:
                hands = hands_on.get(pitch, set())
                if hand in hands:
                    hands.discard(hand)
                    if not hands:
                        events.append(release)
            case Pedal() as pedal:
                events.append(pedal)
    events.extend(NoteOff(time, pitch) for pitch, hands in hands_on.items() if hands)
    return sorted(_lengthen(events), key=order)


def _lengthen(events: list[Event]) -> list[Event]:
    """Give notes that end at the very moment they begin a millisecond, so that order stays clear."""
    pressed: dict[int, float] = {}
    result: list[Event] = []
    for event in events:
        match event:
            case NoteOn(time, pitch, _):
                pressed[pitch] = time
            case NoteOff(time, pitch) if time <= pressed.get(pitch, -1.0):
                result.append(NoteOff(time + 0.001, pitch))
                continue
        result.append(event)
    return result


def write_midi(
    path: Path, tracks: Mapping[str, Sequence[Event]], words: Sequence[Words] = (), one_track: bool = False
) -> None:
    """Write named tracks, each on a channel of its own, times from 0 in seconds. Raises FileError.

    `one_track`: all of it in a single track (type 0), for players that know no other.
    """
    conductor = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=TEMPO)])
    texts = [
        (_tick(each.time), mido.MetaMessage("marker" if each.marker else "text", text=each.text))
        for each in sorted(words, key=lambda each: each.time)
    ]
    end = max((_tick(event.time) for events in tracks.values() for event in events), default=0)
    conductor.extend(_apart([*texts, (end, mido.MetaMessage("end_of_track"))]))
    parts = [conductor]
    for channel, (name, events) in enumerate(tracks.items()):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        track.extend(
            _apart(
                (_tick(event.time), mido.Message.from_bytes(message_of(event, channel)))
                for event in sorted(events, key=order)
            )
        )
        parts.append(track)
    file = mido.MidiFile(type=0 if one_track else 1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.extend([mido.merge_tracks(parts)] if one_track else parts)
    partial = path.with_name(path.name + ".part")
    try:
        file.save(partial)
        partial.replace(path)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from error


def _tick(seconds: float) -> int:
    return max(0, round(seconds * 1e6 / TEMPO * TICKS_PER_BEAT))


def _apart(messages: Iterable[tuple[int, mido.Message]]) -> Iterator[mido.Message]:
    """Messages at their ticks as messages with the ticks between them."""
    now = 0
    for tick, message in messages:
        yield message.copy(time=max(0, tick - now))
        now = max(now, tick)
