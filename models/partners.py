"""The partners there are, by name; a path to weights of the kind "partner" is a partner too."""

from pathlib import Path
from typing import TYPE_CHECKING

from duet.errors import CheckpointError
from models.markov import MarkovPartner

if TYPE_CHECKING:
    from models.neural import NeuralPartner

NAMES = ("neural", "markov")
WEIGHTS = Path(__file__).parent / "weights"


def load_partner(name_or_path: str, folder: Path | None = None) -> "NeuralPartner | MarkovPartner":
    """The partner of a name, or of a weights file. Raises CheckpointError.

    folder: where `partner.safetensors` lies, this package's own if None.
    """
    if name_or_path == "markov":
        return MarkovPartner()
    path = Path(name_or_path)
    if name_or_path == "neural":
        path = (folder or WEIGHTS) / "partner.safetensors"
    elif path.suffix != ".safetensors" and not path.exists():
        names = ", ".join(NAMES)
        raise CheckpointError(f"no partner {name_or_path!r}; there are {names}, or give a .safetensors file")
    from models.neural import NeuralPartner

    return NeuralPartner(path)
