"""The errors a user can cause or meet; each message names the thing, the value and the remedy.

DuetError                      exit code 1, one line, no traceback
├── MidiError                  no MIDI system, no such port, a port that vanished
│   └── PortNotFound           carries the list of ports there are
├── AudioError                 no PortAudio library, no audio device, wrong device
├── FileError                  a MIDI file that does not parse, a folder that cannot be written
├── SettingError               the settings file holds what is no setting, or no value of it; no such preset
├── TakeError                  no such take, or nothing to do with it
├── CheckpointError            weights missing, damaged or of another kind
└── MissingExtra               a command that needs an optional package
"""

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """What to add to a message about a name that is not known: the closest that is, or nothing."""
    by_fold = {each.casefold(): each for each in names}
    close = difflib.get_close_matches(name.casefold(), by_fold, n=1)
    return f"; did you mean {by_fold[close[0]]!r}?" if close else ""


class DuetError(Exception):
    """A named error a person can act on: printed as one line, exit code 1."""


class MidiError(DuetError):
    """The MIDI system is absent, or a port of it went away."""


class PortNotFound(MidiError):
    """No port, or more than one, answers to the name or number asked for."""


class AudioError(DuetError):
    """The sound library or the sound device is absent or refuses."""


class FileError(DuetError):
    """A file cannot be read, or a folder cannot be written."""


class SettingError(DuetError):
    """The settings file, or a preset, says what cannot be."""


class TakeError(DuetError):
    """No take, or more than one, answers to the name or number asked for."""


class CheckpointError(DuetError):
    """Weights are missing, damaged, or of another kind than asked for."""


class MissingExtra(DuetError):
    """A development command needs a package that is not installed."""
