"""Sound to a file, block by block as it is made: WAV or FLAC, as the name ends."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from duet.errors import FileError
from duet.ports import Block

FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_24")}


def check_sound_name(path: Path) -> None:
    """Raises FileError if the name ends as no sound file of ours does, or its folder is not there."""
    if path.suffix.lower() not in FORMATS:
        raise FileError(f"{path}: a sound's name ends in {' or '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise FileError(f"{path}: cannot be written (there is no folder {path.parent})")


def write_sound(path: Path, blocks: Iterable[Block], rate: int, channels: int) -> None:
    """Write it; nothing is there until all is. Raises FileError."""
    check_sound_name(path)
    container, samples = FORMATS[path.suffix.lower()]
    partial = path.with_name(path.name + ".part")
    try:
        with soundfile.SoundFile(partial, "w", rate, channels, samples, format=container) as file:
            for block in blocks:
                file.write(np.clip(block, -1, 1))
        partial.replace(path)
    except (OSError, soundfile.SoundFileError) as error:
        raise FileError(f"{path}: cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)
