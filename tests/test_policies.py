"""Names of policies, as a person writes them."""

import re

import pytest

from duet.phrase_end import Adaptive, Bars, Explicit, Fixed, Learned
from duet.policies import policy_named


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("adaptive", Adaptive()),
        ("learned", Learned()),
        ("fixed:0.8", Fixed(0.8)),
        ("bars:4", Bars(4)),
        ("pedal", Explicit()),
        ("pedal:66", Explicit((66,))),
        ("key:108", Explicit(pitch=108)),
        ("Bars:2 ", Bars(2)),
    ],
)
def test_every_form_is_understood_and_written_back(text: str, policy: object) -> None:
    assert policy_named(text) == policy
    assert policy_named(str(policy)) == policy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("adaptve", "did you mean 'adaptive'"),
        ("bar:4", "did you mean 'bars:4'"),
        ("", "one of adaptive, learned, fixed:SECONDS"),
        ("fixed", "needs a number: 'fixed:0.8'"),
        ("fixed:", "needs a number"),
        ("fixed:soon", "not 'soon'"),
        ("fixed:-1", "0.05 .. 60 s, got -1"),
        ("fixed:nan", "0.05 .. 60 s"),
        ("bars:2.5", "not '2.5'"),
        ("bars:0", "1 .. 64, got 0"),
        ("pedal:64", "0..119 but 64"),
        ("pedal:", "needs a number"),
        ("key:200", "pitch 0..127"),
        ("adaptive:1", "takes no value"),
    ],
)
def test_what_is_not_understood_is_answered_with_the_nearest_form(text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=re.escape(remedy)):
        policy_named(text)
