"""Where names on the command line become partners and voices; also what the models' process runs to load them."""

import os
from pathlib import Path

from duet.ports import Partner, Voice

PARTNERS = ("neural", "markov", "lstm", "wavenet-notes", "biaxial")
VOICES = ("piano", "organ", "guitar", "strings", "vibes", "piano-parallel", "piano-ar", "sine")


def load_partner(name: str) -> Partner:
    """A partner by name or by a checkpoint's path, on one thread. Raises CheckpointError."""
    one_thread()
    from models.partners import load_partner as load

    return load(name)


def load_voice(name: str) -> Voice:
    """A voice by name or by a checkpoint's path, on one thread. Raises CheckpointError."""
    one_thread()
    from models.voices import load_voice as load

    return load(name)


def weights_of(kind: str, name: str) -> Path:
    """The weights file meant by --weights: the shipped one of that kind if `name` is empty."""
    if name:
        return Path(name)
    import models

    return Path(models.__file__).parent / "weights" / f"{kind}.safetensors"


def one_thread() -> None:
    """A model is small: a second thread would only take the core the voice needs."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")
