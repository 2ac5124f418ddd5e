"""A sound device that goes, and comes back, with a PortAudio of our own."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from duet import sound
from duet.audio import Device
from duet.errors import AudioError
from duet.ring import Ring
from duet.sound import Sound


class System:
    """What is plugged in, and what has been done."""

    def __init__(self) -> None:
        self.there = {
            "USB": Device("USB", 0, 1000, 2, "ALSA"),
            "JACK": Device("JACK", 1, 1000, 2, "JACK Audio"),
        }
        self.looks: list[bool] = []
        self.open: list[Speaker] = []
        self.hold = threading.Event()
        self.hold.set()

    def choose(self, wanted: str | None) -> Device:
        if (wanted or "USB") not in self.there:
            raise AudioError("is no audio device")
        return self.there[wanted or "USB"]

    def look_anew(self, server_died: bool) -> None:
        self.hold.wait(5)
        self.looks.append(server_died)


class Speaker:
    def __init__(self, device: Device, ring: Ring, block: int) -> None:
        SYSTEM[0].open.append(self)
        self.device, self.active, self.closed = device, True, False

    def close(self) -> None:
        self.closed = True


SYSTEM: list[System] = []


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    SYSTEM[:] = [System()]
    monkeypatch.setattr(sound, "choose_device", SYSTEM[0].choose)
    monkeypatch.setattr(sound, "look_anew", SYSTEM[0].look_anew)
    monkeypatch.setattr(sound, "RingSpeaker", Speaker)
    monkeypatch.setattr(sound, "_midi_has_died", lambda: False)
    return SYSTEM[0]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  a thread tells no event
            await asyncio.sleep(0.005)


async def test_a_device_that_goes_is_said_once_and_opened_again_when_it_is_back(system: System) -> None:
    said, dropped = list[tuple[str, bool]](), list[bool]()
    kept = Sound(None, 64, lambda *line: said.append(line))
    kept.came_back = lambda: dropped.append(True)
    kept.check()
    assert said == []
    usb = system.there.pop("USB")
    system.open[0].active = False
    kept.check()
    for looks in (1, 2):
        kept.check()
        await until(lambda looks=looks: len(system.looks) >= looks and not kept._looking)
    assert [error for _, error in said] == [True], "once, however often it is looked for"
    assert system.open[0].closed
    assert kept.speaker is None
    system.there["USB"] = usb
    await until(lambda: kept.check() or kept.speaker)
    assert said[1:] == [("USB is back, and the sound with it", False)]
    assert dropped == [True]
    assert not any(system.looks), "the library is in good health"
    kept.close()


async def test_one_that_was_chosen_meanwhile_is_kept(system: System) -> None:
    kept = Sound(None, 64, lambda text, error: None)
    system.open[0].active = False
    system.hold.clear()
    kept.check()
    kept.check()
    kept.change("JACK")
    system.hold.set()
    await until(lambda: system.looks and not kept._looking)
    assert [speaker.closed for speaker in system.open] == [True, False]
    assert kept.name == "JACK"
    kept.close()


async def test_what_a_dead_server_had_open_is_left_alone(system: System) -> None:
    kept = Sound("JACK", 64, lambda text, error: None)
    system.open[0].active = False
    kept.check()
    kept.check()
    await until(lambda: kept.speaker)
    assert system.looks == [True]
    assert not system.open[0].closed
    assert kept.server_died
    kept.close()
