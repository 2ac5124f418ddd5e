import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.harmony import expectation

WHITE = [0, 2, 4, 5, 7, 9, 11]
BLACK = [1, 3, 6, 8, 10]


@given(st.lists(st.integers(0, 127), min_size=1, max_size=50), st.integers(0, 11))
def test_it_is_a_distribution_and_moves_with_the_music(pitches, shift):
    expected = expectation(pitches)
    assert abs(expected.sum() - 1) < 1e-9
    np.testing.assert_allclose(expectation([pitch + shift for pitch in pitches]), np.roll(expected, shift))


def test_after_a_white_melody_white_keys_are_expected_played_or_not():
    expected = expectation([60, 62, 64, 65, 67, 65, 64, 62, 60])
    assert expected[WHITE].min() > expected[BLACK].max()
    assert expected[0] == expected.max()


def test_a_blue_note_that_was_played_is_expected_again():
    lick = [60, 63, 65, 66, 67, 70, 67, 63, 60]
    assert expectation(lick)[6] > 2 * expectation([60, 63, 65, 67, 70, 67, 63, 60])[6]
