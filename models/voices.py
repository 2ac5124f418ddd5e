"""The voices by name."""

from pathlib import Path

from duet.errors import CheckpointError, nearest
from duet.mixture import Mixture, is_mixture
from models.ensemble_checkpoint import KIND, load_ensemble
from models.piano_checkpoint import KINDS, load_checkpoint, read_file
from models.piano_player import PianoVoice
from models.sine_voice import SineVoice

FILES = {
    "piano": "piano.safetensors",
    "piano-parallel": "piano.safetensors",
    "piano-ar": "piano-ar.safetensors",
}
"""The weights of each neural voice; `piano` is whichever scores best free-running (docs/results-voice.md)."""
ENSEMBLE = "ensemble.safetensors"
OF_ENSEMBLE = ("organ", "guitar", "strings", "vibes")
"""Voices that share its weights, beside a piano that only mixtures have, as in `piano:0.6,strings:0.4`."""
NAMES = ("piano", *OF_ENSEMBLE, "piano-parallel", "piano-ar", "sine")
WEIGHTS = Path(__file__).parent / "weights"


def load_voice(name_or_path: str | Path, folder: Path | None = None, seed: int = 0) -> PianoVoice | SineVoice:
    """A voice by name, as a mixture of the ensemble's, or by the path of its weights (something.safetensors).

    folder: where the named weights lie; models/weights if None.  Raises CheckpointError.
    """
    name = str(name_or_path)
    if name == "sine":
        return SineVoice()
    if name in FILES:
        return PianoVoice(load_checkpoint((folder or WEIGHTS) / FILES[name]), seed)
    if name == "ensemble":  # all of them, to be judged
        return PianoVoice(load_ensemble((folder or WEIGHTS) / ENSEMBLE), seed)
    if name in OF_ENSEMBLE or is_mixture(name):
        return _mixed(name, (folder or WEIGHTS) / ENSEMBLE, seed)
    if name.endswith(".safetensors"):
        kind = read_file(Path(name), (*KINDS, KIND))[0]["kind"]
        return PianoVoice((load_ensemble if kind == KIND else load_checkpoint)(Path(name)), seed)
    known = ", ".join(NAMES)
    close = nearest(name, NAMES)
    raise CheckpointError(
        f"no voice is called {name!r}{close or f'; there are {known}, or give a .safetensors file'}"
    )


def _mixed(name: str, path: Path, seed: int) -> PianoVoice:
    """A voice of the ensemble, or several. Raises CheckpointError."""
    try:
        mixture = Mixture.read(name)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    checkpoint = load_ensemble(path)
    voices = checkpoint.config.voices
    for part, _ in mixture.parts:
        if part not in voices:
            close = nearest(part, voices)
            raise CheckpointError(
                f"no voice {part!r} can be mixed{close or f'; there are {chr(44).join(voices)}'}"
            )
    voice = PianoVoice(checkpoint, seed)
    voice.blend(name)
    return voice
