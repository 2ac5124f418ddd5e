"""The ring between the voice and the audio callback."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duet.ring import CAPACITY, FADE, Ring


@pytest.fixture
def ring():  # type: ignore[no-untyped-def]
    made = Ring(1000)
    yield made
    made.close()


def read(ring: Ring, length: int, channels: int = 1) -> np.ndarray:
    out = np.full((length, channels), 9.0, np.float32)
    ring.read_into(out)
    return out[:, 0]


def ramp(start: int, length: int) -> np.ndarray:
    return np.arange(start, start + length, dtype=np.float32)[:, None]


def ones(length: int, value: float = 1.0) -> np.ndarray:
    return np.full((length, 1), value, np.float32)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), min_size=1, max_size=60))
def test_what_goes_in_comes_out_once_and_in_order(steps: list[tuple[int, int]]) -> None:
    ring = Ring(48000)
    try:
        written, heard = 0, []
        for write, want in steps:
            if ring.fill + write < CAPACITY:
                ring.write(ramp(written, write))
                written += write
            heard.append(read(ring, min(want, ring.fill)))
        heard.append(read(ring, ring.fill))
        assert np.array_equal(np.concatenate(heard), ramp(0, written)[:, 0])
        assert ring.underruns == 0
    finally:
        ring.close()


def test_an_empty_ring_plays_zeros_and_counts_underruns(ring: Ring) -> None:
    assert not read(ring, 10).any()
    assert ring.underruns == 0, "nothing has ever been written"
    ring.write(ones(4))
    assert read(ring, 10).tolist() == [1] * 4 + [0] * 6
    assert ring.underruns == 1


def test_a_gap_in_silence_is_no_underrun(ring: Ring) -> None:
    ring.write(ones(4, 0.0), sounding=False)
    read(ring, 10)
    assert ring.underruns == 0


def test_after_a_cut_an_empty_ring_is_silence_and_no_underrun(ring: Ring) -> None:
    ring.write(ones(50))
    read(ring, 20)
    ring.cut()
    read(ring, 20)
    ring.begin_generation()
    assert not read(ring, 100).any()
    assert ring.underruns == 0
    ring.write(ones(4))
    read(ring, 10)
    assert ring.underruns == 1


def test_both_channels_of_the_device_hear_the_one_of_the_voice(ring: Ring) -> None:
    ring.write(ramp(0, 8))
    out = np.zeros((8, 2), np.float32)
    ring.read_into(out)
    assert np.array_equal(out[:, 0], out[:, 1])


def test_left_stays_left_and_right_right(ring: Ring) -> None:
    ring.write(np.array([[0.5, -0.5]] * 6, np.float32))
    out = np.zeros((6, 2), np.float32)
    ring.read_into(out)
    assert out.tolist() == [[0.5, -0.5]] * 6


def test_a_cut_fades_within_ten_milliseconds_and_then_drops_the_rest(ring: Ring) -> None:
    ring.write(ones(500))
    read(ring, 20)
    ring.cut()
    faded = read(ring, 40)
    length = int(FADE * 1000)
    assert np.all(np.diff(faded[: length + 1]) < 0)
    assert not faded[length:].any()
    assert not read(ring, 100).any(), "silent until the writer has begun anew"
    ring.begin_generation()
    ring.write(ones(50, 0.5))
    assert read(ring, 50).tolist() == [0.5] * 50
    assert ring.underruns == 0


def test_the_other_process_attaches_by_name(ring: Ring) -> None:
    other = Ring(1000, ring.name)
    other.write(ramp(1, 5))
    assert read(ring, 5).tolist() == [1, 2, 3, 4, 5]
    assert other.clock[0] == 5
    other.close()


def test_cuts_in_quick_succession_are_one_silence(ring: Ring) -> None:
    ring.write(ones(100))
    for _, _ in itertools.product(range(2), range(2)):
        ring.cut()
    read(ring, 20)
    ring.begin_generation()
    ring.write(ones(10, 0.25))
    assert read(ring, 10).tolist() == [0.25] * 10
