"""A private JACK server for the session, a rig to play and to hear, and real Duets that are always ended."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from duet.errors import MissingExtra
from duet.jack_rig import Duet, Rig, jack_server, stop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A live test gets a second chance: JACK's dummy driver drops messages when the machine is short of cores."""
    for item in items:
        if item.get_closest_marker("live"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with jack_server(tmp_path_factory.mktemp("jack") / "jackd.log") as name:
            yield name
    except MissingExtra as error:
        if os.environ.get("DUET_REQUIRE_LIVE"):
            pytest.fail(f"{error}; DUET_REQUIRE_LIVE says it must be there")
        pytest.skip(str(error))


@pytest.fixture
def rig(server: str) -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


@pytest.fixture
def start_duet(tmp_path: Path, server: str) -> Iterator[Callable[..., Duet]]:
    started: list[Duet] = []

    def start(*options: str) -> Duet:
        started.append(Duet(tmp_path, *options))
        return started[-1]

    yield start
    for duet in started:
        stop(duet.process)
