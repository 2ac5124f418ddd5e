"""A stamp of source files, so that compiled code kept on disk is never older than what it was compiled from."""

import hashlib
from pathlib import Path
from types import ModuleType


def stamp(*modules: ModuleType) -> int:
    """A number that changes when one of the modules' files does."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(Path(str(module.__file__)).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")
