"""Writes a take as what others can use: MIDI of two tracks or one, sound, stems, a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from duet.errors import FileError
from duet.file_commands import singing
from duet.midi import write_midi
from duet.note import Event, Pedal, at, order
from duet.picture import Drawn, draw_duet
from duet.ports import Block, Voice
from duet.progress import working
from duet.sound_file import FORMATS, check_sound_name, write_sound
from duet.take_music import PARTNER, PLAYER, Music
from duet.take_story import words_of
from duet.wiring import load_voice

KINDS = (".mid", *FORMATS, ".png")


@dataclass(frozen=True)
class Export:
    """What is written, and how."""

    music: Music
    voice_name: str
    title: str
    stems: bool = False
    """Each player's sound in a file of its own."""
    one_track: bool = False
    """MIDI of type 0."""

    def check(self, files: Sequence[Path]) -> None:
        """Raises FileError before any work is done for nothing."""
        for path in files:
            if path.suffix.lower() not in KINDS:
                raise FileError(f"{path}: cannot be written; a name ends in {', '.join(KINDS)}")
            if path.suffix.lower() in FORMATS:
                check_sound_name(path)
            elif not path.parent.is_dir():
                raise FileError(f"{path}: cannot be written (there is no folder {path.parent})")

    def write(self, files: Sequence[Path]) -> Iterator[Path]:
        """Write them; yield each when it is there. Raises FileError."""
        for path in files:
            match path.suffix.lower():
                case ".mid":
                    write_midi(path, self._tracks, words_of(self.music.answers, self._start), self.one_track)
                    yield path
                case ".png":
                    self._draw(path)
                    yield path
                case _ if self.stems:
                    yield from self._write_stems(path)
                case _:
                    write_sound(path, self._sing(self._heard), self._voice.sample_rate, self._voice.channels)
                    yield path

    @property
    def _start(self) -> float:
        return self.music.start

    @cached_property
    def _tracks(self) -> dict[str, list[Event]]:
        return {
            PLAYER: [at(event, event.time - self._start) for event in self.music.player],
            PARTNER: [at(event, event.time - self._start) for event in self.music.partner],
        }

    @cached_property
    def _heard(self) -> list[Event]:
        return sorted([*self._tracks[PLAYER], *self._tracks[PARTNER]], key=order)

    @cached_property
    def _voice(self) -> Voice:
        with working(f"loading the voice {self.voice_name}"):
            return load_voice(self.voice_name)

    def _sing(self, events: Sequence[Event], text: str = "singing") -> Iterator[Block]:
        return singing(events, self._voice, text)

    def _write_stems(self, path: Path) -> Iterator[Path]:
        """Both begin where the take begins and last as long as it does, to be laid under each other in a DAW."""
        end = max((event.time for event in self._heard), default=0.0)
        for name, events in self._tracks.items():
            stem = path.with_name(f"{path.stem}-{name}{path.suffix}")
            whole = [*events, Pedal(max(end, events[-1].time if events else 0.0), 0)]
            write_sound(stem, self._sing(whole, name), self._voice.sample_rate, self._voice.channels)
            yield stem

    def _draw(self, path: Path) -> None:
        samples = np.concatenate(list(self._sing(self._heard, "singing for the picture")))
        turns = list({answer.turn: answer.time - self._start for answer in self.music.answers}.items())
        drawn = Drawn(self._tracks[PLAYER], self._tracks[PARTNER], turns)
        partners = ", ".join(dict.fromkeys(answer.partner for answer in self.music.answers))
        title = "  ·  ".join(
            filter(None, (self.title, partners and f"{partners} partner", f"{self.voice_name} voice"))
        )
        with working("drawing"):
            draw_duet(path, drawn, samples, self._voice.sample_rate, title)
