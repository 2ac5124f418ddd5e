"""The voices by name."""

from pathlib import Path

from duet.errors import CheckpointError, nearest
from models.piano_checkpoint import load_checkpoint
from models.piano_player import PianoVoice
from models.sine_voice import SineVoice

FILES = {
    "piano": "piano.safetensors",
    "piano-parallel": "piano.safetensors",
    "piano-ar": "piano-ar.safetensors",
}
"""The weights of each neural voice; `piano` is whichever scores best free-running (docs/results-voice.md)."""
NAMES = (*FILES, "sine")
WEIGHTS = Path(__file__).parent / "weights"


def load_voice(name_or_path: str | Path, folder: Path | None = None, seed: int = 0) -> PianoVoice | SineVoice:
    """A voice by name, or by the path of its weights (something.safetensors).

    folder: where the named weights lie; models/weights if None.  Raises CheckpointError.
    """
    name = str(name_or_path)
    if name == "sine":
        return SineVoice()
    if name in FILES:
        return PianoVoice(load_checkpoint((folder or WEIGHTS) / FILES[name]), seed)
    if name.endswith(".safetensors"):
        return PianoVoice(load_checkpoint(Path(name)), seed)
    known = ", ".join(NAMES)
    close = nearest(name, NAMES)
    raise CheckpointError(
        f"no voice is called {name!r}{close or f'; there are {known}, or give a .safetensors file'}"
    )
