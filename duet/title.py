"""What `ps` and `top` call each of Duet's processes."""

import contextlib
from pathlib import Path


def name_process(name: str) -> None:
    """Call this process so, in at most 15 letters; only Linux lets a process do that by itself."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")
