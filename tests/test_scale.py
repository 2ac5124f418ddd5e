import pytest

from duet.request import Character
from duet.scale import KINDS, NAMES, classes_allowed, key_of_pitches, pitch_classes


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("C major", {0, 2, 4, 5, 7, 9, 11}),
        ("a natural minor", {0, 2, 4, 5, 7, 9, 11}),
        ("F# minor", {6, 8, 9, 11, 1, 2, 4, 5}),
        ("Bb", {10, 0, 2, 3, 5, 7, 9}),
        ("b", {11, 1, 3, 4, 6, 8, 10}),
        ("Bm", {11, 1, 2, 4, 6, 7, 9, 10}),
        ("E-flat", {3, 5, 7, 8, 10, 0, 2}),
        ("D Dorian", {2, 4, 5, 7, 9, 11, 0}),
        ("G harmonic-minor", {7, 9, 10, 0, 2, 3, 6}),
        ("eb pentatonic", {3, 5, 7, 10, 0}),
    ],
)
def test_scales_go_by_the_names_musicians_use(name, classes):
    assert pitch_classes(name) == classes


@pytest.mark.parametrize("name", ["H major", "C gypsy", "", "major"])
def test_an_unknown_scale_is_named_with_what_is_known(name):
    with pytest.raises(ValueError, match=r"no scale .*such as C major or F# minor, or call; kinds: major"):
        pitch_classes(name)


def test_every_kind_is_a_scale_on_every_tonic():
    for tonic, name in enumerate(NAMES):
        for kind, steps in KINDS.items():
            assert pitch_classes(f"{name} {kind}") == {(tonic + step) % 12 for step in steps}


@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_cadence_is_heard(tonic):
    major = [60, 64, 67, 65, 69, 72, 67, 71, 74, 65, 60, 64, 67, 72]
    minor = [60, 63, 67, 65, 68, 72, 67, 71, 74, 65, 60, 63, 67, 72]
    assert key_of_pitches(pitch + tonic for pitch in major) == f"{NAMES[tonic]} major"
    assert key_of_pitches(pitch + tonic for pitch in minor) == f"{NAMES[tonic]} minor"


def test_the_calls_own_key_allows_its_scale_and_no_name_allows_all():
    assert classes_allowed("call", [62, 66, 69, 74, 67, 71, 62]) == pitch_classes("D major")
    assert classes_allowed("", [60]) is None
    assert classes_allowed("call", []) == set(range(12))


def test_a_character_knows_a_scale_from_a_slip():
    assert Character(key="F# minor").key == "F# minor"
    assert Character(key="call").key == "call"
    with pytest.raises(ValueError, match="no scale 'C# fnord'"):
        Character(key="C# fnord")
