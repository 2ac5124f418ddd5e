"""What a benchmark says before it starts."""

import pytest

from duet.bench_notice import notice


@pytest.mark.parametrize("what", ["voice", "partner", "face", "studio", "daw", "live"])
def test_a_benchmark_says_what_it_measures_and_for_how_long_in_one_line(what: str) -> None:
    assert notice(what, 10.0).startswith("measuring ")
    assert "\n" not in notice(what, 10.0)


def test_more_music_takes_longer() -> None:
    assert "about 30 s" in notice("partner", 10.0)
    assert "about 4 minutes" in notice("partner", 3600.0)
