"""The errors a user can cause or meet; each message names the thing, the value and the remedy.

DuetError                      exit code 1, one line, no traceback
├── MidiError                  no MIDI system, no such port, a port that vanished
│   └── PortNotFound           carries the list of ports there are
├── AudioError                 no PortAudio library, no audio device, wrong device
├── FileError                  a MIDI file that does not parse, a folder that cannot be written
├── CheckpointError            weights missing, damaged or of another kind
└── MissingExtra               a command that needs an optional package
"""


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


class CheckpointError(DuetError):
    """Weights are missing, damaged, or of another kind than asked for."""


class MissingExtra(DuetError):
    """A development command needs a package that is not installed."""
