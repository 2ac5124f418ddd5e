"""The partners there are, by name; a path to weights of the kind "partner" or "rival" is a partner too."""

from pathlib import Path
from typing import TYPE_CHECKING

from duet.errors import CheckpointError, nearest
from models.markov import MarkovPartner

if TYPE_CHECKING:
    from models.biaxial_partner import BiaxialPartner
    from models.chord_partner import ChordPartner
    from models.neural import NeuralPartner

    AnyPartner = NeuralPartner | MarkovPartner | ChordPartner | BiaxialPartner

RIVALS = ("lstm", "wavenet-notes", "biaxial")
"""Partners in the manner of others, to compare with; each has its weights in a file of its name, once it was taught."""
NAMES = ("neural", "markov", "lstm", "wavenet-notes", "biaxial")
WEIGHTS = Path(__file__).parent / "weights"


def load_partner(name_or_path: str, folder: Path | None = None) -> "AnyPartner":
    """The partner of a name, or of a weights file. Raises CheckpointError.

    folder: where the named ones' weights lie, this package's own if None.
    """
    if name_or_path == "markov":
        return MarkovPartner()
    path = Path(name_or_path)
    if name_or_path == "neural":
        path = (folder or WEIGHTS) / "partner.safetensors"
    elif name_or_path in RIVALS:
        path = (folder or WEIGHTS) / f"{name_or_path}.safetensors"
    elif path.suffix != ".safetensors" and not path.exists():
        names = ", ".join(NAMES)
        close = nearest(name_or_path, NAMES)
        raise CheckpointError(
            f"no partner is called {name_or_path!r}{close or f'; there are {names}, or give a .safetensors file'}"
        )
    from models.rivals import is_rival, load_rival

    if name_or_path in RIVALS or is_rival(path):
        return load_rival(path).partner()
    from models.neural import NeuralPartner

    return NeuralPartner(path)
