"""What a training draws: windows, crops, keys and tempi, from a seed."""

import zlib
from pathlib import Path


def seed_of(seed: int, start_from: Path | None) -> int:
    """The seed of a training that begins with these weights, or with none.

    The weights have a part in it. By `seed` alone a training would draw the very windows, in the same keys and tempi,
    that those before it have drawn, and so on from one to the next.
    """
    return zlib.crc32(start_from.read_bytes(), seed) if start_from else seed
