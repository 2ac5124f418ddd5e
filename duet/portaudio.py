"""The PortAudio library: found, quiet, and looked at anew when devices have come or gone.

PortAudio lists devices once, when it starts. Where a JACK server has died it cannot even be ended (that aborts the
process, tried with jackd killed), so a second copy of the library is loaded then, and the first left alone.
"""

import ctypes.util
import importlib.util
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

from duet.errors import AudioError
from duet.midi_ports import quiet

NAME = "sounddevice"
LOCK = threading.RLock()
"""Held while the library opens, closes or lists: it is not made for two threads."""


def portaudio() -> ModuleType:
    """The sounddevice module. Raises AudioError if there is no PortAudio library."""
    try:
        with quiet():
            import sounddevice
    except OSError:
        raise AudioError(
            "no PortAudio library: `apt install libportaudio2` (Debian, Ubuntu) or `brew install portaudio` (macOS)"
        ) from None
    module: ModuleType = sounddevice
    return module


def look_anew(server_died: bool) -> None:
    """List the devices there are now; no stream may be open. Raises AudioError where that cannot be done."""
    with LOCK, quiet():
        if server_died:
            sys.modules[NAME] = _second_copy(portaudio())
        else:
            portaudio()._terminate()
            portaudio()._initialize()


def _second_copy(old: ModuleType) -> ModuleType:
    library = _loaded()
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(library, folder)  # another file, or the loader would hand out the first again
        spec = importlib.util.spec_from_file_location(NAME, str(old.__file__))
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        find, ctypes.util.find_library = ctypes.util.find_library, lambda name: copy
        try:
            spec.loader.exec_module(module)
        finally:
            ctypes.util.find_library = find
    return module


def _loaded() -> Path:
    """The file that PortAudio was loaded from. Raises AudioError where the system does not tell."""
    try:
        maps = Path("/proc/self/maps").read_text().splitlines()
        return next(
            path for line in maps if (path := Path(line.split()[-1])).is_file() and "portaudio" in path.name
        )
    except (OSError, StopIteration):
        raise AudioError("PortAudio cannot be started again on this system") from None
