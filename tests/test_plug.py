"""A port whose other end comes and goes, with a MIDI system of our own in the place of rtmidi's."""

from collections.abc import Sequence

import pytest
import rtmidi

from duet.errors import MidiError
from duet.midi_ports import Port
from duet.plug import Plug, named, no_virtual_ports, only_keyboard


class System:
    """What is plugged in, and what our clients do."""

    def __init__(self, virtual: bool = True) -> None:
        self.virtual = virtual
        self.open: list[str] = []
        self.refuses: set[str] = set()


class FakePlug(Plug):
    """A plug into that system."""

    system = System()

    def _client(self, api: int) -> "Client":
        return Client(self.system)


class Client:
    def __init__(self, system: System) -> None:
        self.system = system
        self.sent: list[Sequence[int]] = []
        self.deleted = False

    def open_port(self, place: int, name: str) -> None:
        if str(place) in self.system.refuses:
            raise rtmidi.SystemError("busy")
        self.system.open.append(f"{place}")

    def open_virtual_port(self, name: str) -> None:
        if not self.system.virtual:
            raise NotImplementedError
        self.system.open.append(name)

    def send_message(self, message: Sequence[int]) -> None:
        assert not self.deleted
        self.sent.append(message)

    def get_message(self) -> tuple[list[int], float] | None:
        assert not self.deleted
        return [0x90, 60, 80], 0.0

    def close_port(self) -> None:
        pass

    def delete(self) -> None:
        self.deleted = True


ALSA = rtmidi.API_LINUX_ALSA


def port(name: str, number: int, place: int = 0) -> Port:
    return Port(name, place, ALSA, place, f"{name} {number}:0")


@pytest.fixture
def plug_class() -> type[FakePlug]:
    FakePlug.system = System()
    return FakePlug


def test_a_keyboard_that_is_unplugged_and_renumbered_is_taken_again(plug_class: type[FakePlug]) -> None:
    nord, through = port("Nord", 20, 1), port("Midi Through", 14, 0)
    plug = plug_class(rtmidi.MidiIn, ("Duet-in", "in"), named("nord"), [through, nord])
    assert plug.name == "Nord"
    assert plug.look([through, nord]) is None
    assert plug.look([through]) == "Nord is gone: plug it in or start it again, Duet will take it"
    assert plug.losses == 1
    assert plug.name == ""
    assert plug.look([through]) is None, "said once"
    assert plug.look([through, port("Nord", 24, 1)]) == "Nord is back"
    assert plug.losses == 1


def test_a_port_that_only_changed_its_number_is_taken_in_one_look(plug_class: type[FakePlug]) -> None:
    plug = plug_class(rtmidi.MidiOut, ("Duet", "out"), named("Moog"), [port("Moog", 20)])
    assert plug.look([port("Moog", 28)]) == "Moog is back"
    assert plug.losses == 1, "what was held there is let go all the same"


def test_it_may_start_before_the_keyboard_is_plugged_in(plug_class: type[FakePlug]) -> None:
    plug = plug_class(rtmidi.MidiIn, ("Duet-in", "in"), named("nord"), [])
    assert plug.name == ""
    assert plug.receive() is None
    plug.send([0x90, 60, 80])
    assert plug.look([]) is None
    assert plug.look([port("Nord Stage", 20)]) == "Nord Stage is there"
    assert plug.receive() == [0x90, 60, 80]


def test_a_port_that_is_listed_but_not_ready_is_tried_again(plug_class: type[FakePlug]) -> None:
    plug = plug_class(rtmidi.MidiIn, ("Duet-in", "in"), named("nord"), [])
    plug_class.system.refuses = {"0"}
    assert plug.look([port("Nord", 20)]) is None
    plug_class.system.refuses = set()
    assert plug.look([port("Nord", 20)]) == "Nord is there"


def test_without_a_name_the_only_keyboard_is_taken_and_another_may_replace_it(
    plug_class: type[FakePlug],
) -> None:
    plug = plug_class(rtmidi.MidiIn, ("Duet-in", "in"), only_keyboard, [port("Midi Through", 14)])
    assert plug.look([port("Midi Through", 14), port("Nord", 20, 1)]) == "Nord is there"
    assert plug.look([port("Yamaha", 24)]) == "Yamaha is back"


def test_who_sends_meanwhile_never_meets_a_client_that_is_gone(plug_class: type[FakePlug]) -> None:
    plug = plug_class(rtmidi.MidiOut, ("Duet", "out"), named("Moog"), [port("Moog", 20)])
    plug.look([])
    plug.send([0x80, 60, 0])
    plug.look([port("Moog", 21)])
    plug.send([0x80, 60, 0])
    plug.close()
    plug.send([0x80, 60, 0])


def test_where_there_are_no_virtual_ports_it_is_said_what_to_install(plug_class: type[FakePlug]) -> None:
    plug_class.system.virtual = False
    with pytest.raises(MidiError):
        plug_class(rtmidi.MidiOut, ("Duet", "To my DAW"), None, [])
    text = no_virtual_ports("To my DAW", rtmidi.MidiOut, "win32")
    assert "loopMIDI" in text and "To my DAW" in text and "--out" in text
    text = no_virtual_ports("in", rtmidi.MidiIn, "win32")
    assert "loopMIDI" in text and "--port" in text
