"""What the voice plays is in the file, on its place, whatever happens meanwhile."""

import subprocess
import sys
import time
import wave
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duet import recording
from duet.recording import HEADER, Recording, as_integers, wav_header
from duet.ring import FADE

RATE = 1000


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FLUSH", 0.01)


class Device:
    """How far the ring has been read."""

    position: int | None = 0


def record(path: Path, device: Device, tell: Callable[[str], None] = pytest.fail) -> Recording:
    return Recording(path, RATE, zero=100.0, heard=lambda: device.position, tell=tell)


def ones(length: int, level: float = 0.5) -> np.ndarray:
    return np.full((length, 2), level, np.float32)


def sound_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32767


def written(path: Path, samples: int) -> np.ndarray:
    """The file's sound once it has so many samples."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if path.exists() and path.stat().st_size > HEADER and len(sound := sound_of(path)) >= samples:
            return sound
        time.sleep(0.005)
    raise TimeoutError(f"{path} never had {samples} samples")


def test_sound_lies_where_its_notes_do_and_between_answers_is_silence(tmp_path: Path) -> None:
    device = Device()
    kept = record(tmp_path / "a.wav", device)
    kept.begin(position=7000, time=100.5)
    kept.add(7000, ones(100))
    kept.add(7100, ones(100, 0.25))
    kept.begin(position=9000, time=102.0)
    kept.add(9000, ones(50))
    kept.close(5.0)
    sound = sound_of(tmp_path / "a.wav")
    assert len(sound) == 2050
    expected = np.zeros(2050)
    expected[500:600], expected[600:700], expected[2000:] = 0.5, 0.25, 0.5
    assert sound[:, 0] == pytest.approx(expected, abs=1e-4)
    assert sound[:, 1] == pytest.approx(expected, abs=1e-4)


def test_the_file_is_one_after_everything_that_is_written_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    class Read(FileIO):
        def write(self, data: Any) -> int:
            count = super().write(data)
            lengths.append(len(sound_of(tmp_path / "a.wav")))
            return count

    monkeypatch.setattr("duet.recording.FileIO", Read)
    kept = record(tmp_path / "a.wav", Device())
    kept.begin(0, 100.0)
    kept.add(0, ones(300))
    kept.close(5.0)
    assert lengths == [0, 0, 300]


def test_the_file_can_be_read_at_any_moment_up_to_what_was_heard(tmp_path: Path) -> None:
    device = Device()
    kept = record(tmp_path / "a.wav", device)
    kept.begin(0, 100.0)
    for block in range(10):
        kept.add(100 * block, ones(100))
    device.position = 450
    assert len(written(tmp_path / "a.wav", 400)) == 400, "what the device has not read yet may yet be cut"
    device.position = 1000
    assert len(written(tmp_path / "a.wav", 1000)) == 1000
    kept.close(5.0)


def test_what_a_barge_in_cuts_off_fades_out_as_it_was_heard(tmp_path: Path) -> None:
    device = Device()
    kept = record(tmp_path / "a.wav", device)
    kept.begin(0, 100.0)
    kept.add(0, ones(100))
    device.position = None  # between the cut and the voice's hearing of it
    kept.add(100, ones(100))
    kept.cut(60)
    kept.close(5.0)
    sound = sound_of(tmp_path / "a.wav")[:, 0]
    fade = int(FADE * RATE)
    assert sound[:60] == pytest.approx(0.5, abs=1e-4)
    assert np.all(np.diff(sound[60 : 60 + fade]) < 0)
    assert not sound[60 + fade :].any()
    assert len(sound) == 100


def test_a_voice_that_was_started_again_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for start, level in ((100.0, 0.5), (100.3, 0.25)):
        kept = record(tmp_path / "a.wav", Device())
        kept.begin(0, start)
        kept.add(0, ones(100, level))
        kept.close(5.0)
    sound = sound_of(tmp_path / "a.wav")[:, 0]
    assert sound[[50, 200, 350]] == pytest.approx([0.5, 0.0, 0.25], abs=1e-4)


def test_a_full_disk_is_said_once_and_what_it_refused_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    full = True

    class Disk(FileIO):
        def write(self, data: object) -> int:
            if full:
                raise OSError(28, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    monkeypatch.setattr(recording, "FileIO", Disk)
    device = Device()
    kept = record(tmp_path / "a.wav", device, said.append)
    kept.begin(0, 100.0)
    for block in range(5):
        kept.add(100 * block, ones(100))
        device.position = 100 * (block + 1)
        time.sleep(0.03)
    full = False
    assert written(tmp_path / "a.wav", 500)[:, 0] == pytest.approx(0.5, abs=1e-4)
    kept.close(5.0)
    assert len(said) == 1
    assert "No space left on device" in said[0]


def test_nothing_heard_leaves_no_file(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", Device()).close(5.0)
    assert list(tmp_path.iterdir()) == []


def test_loud_sound_is_held_at_full_scale_and_one_channel_becomes_two() -> None:
    found = as_integers(np.array([[2.0], [-2.0], [0.0]], np.float32))
    assert found.tolist() == [[32767, 32767], [-32767, -32767], [0, 0]]
    assert len(wav_header(48000, 0)) == HEADER


RECORDS_FOR_EVER = """
import sys, time
from pathlib import Path
import numpy as np
from duet.recording import Recording
began = time.monotonic()
clock = lambda: int(1000 * (time.monotonic() - began))
kept = Recording(Path(sys.argv[1]), 1000, began, clock, print)
kept.begin(0, began)
position = 0
while True:
    while position < clock() + 50:
        kept.add(position, np.full((10, 2), 0.5, np.float32))
        position += 10
    print(clock(), flush=True)
    time.sleep(0.01)
"""


def test_a_process_killed_while_it_sounds_loses_less_than_a_second(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    command = [sys.executable, "-c", RECORDS_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        heard = 0
        while heard < 1500:
            heard = int(process.stdout.readline())
        process.kill()
        process.wait()
        rest = process.stdout.read().splitlines()
    heard = int(rest[-1]) if rest else heard
    sound = sound_of(path)[:, 0]
    assert sound == pytest.approx(0.5, abs=1e-4)
    assert heard - 1000 < len(sound) <= heard
