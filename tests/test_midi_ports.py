"""How a person names a port."""

import pytest
import rtmidi

from duet.errors import PortNotFound
from duet.midi_ports import Port, _number_duplicates, choose, lasting_name

NAMES = [
    "Midi Through:Midi Through Port-0",
    "Piano:out",
    "Piano:out 2",
    "Digital Piano MIDI 1",
    "nanoKONTROL:a",
]
PORTS = [Port(name, index, 0, index, name) for index, name in enumerate(NAMES)]


@pytest.mark.parametrize(
    ("wanted", "index"), [("3", 3), ("Piano:out", 1), ("piano:OUT 2", 2), ("digital", 3), ("nano", 4)]
)
def test_a_number_an_exact_name_or_a_unique_part_of_one_is_enough(wanted: str, index: int) -> None:
    assert choose(wanted, PORTS, "MIDI input").index == index


@pytest.mark.parametrize("wanted", ["piano", "out", "9", "Steinway"])
def test_an_ambiguous_or_missing_name_gets_the_list(wanted: str) -> None:
    with pytest.raises(PortNotFound) as error:
        choose(wanted, PORTS, "MIDI input")
    assert "1: Piano:out" in str(error.value)
    assert "\n" not in str(error.value)


def test_with_no_port_at_all_that_is_said() -> None:
    with pytest.raises(PortNotFound, match="there is none"):
        choose("Piano", [], "MIDI input")


def test_two_ports_of_one_name_are_numbered_and_can_both_be_chosen() -> None:
    twins = _number_duplicates([Port("Piano", 0, 0, 0, "Piano 20:0"), Port("Piano", 1, 0, 1, "Piano 24:0")])
    assert [port.name for port in twins] == ["Piano", "Piano (2)"]
    assert choose("Piano (2)", twins, "MIDI input").place == 1
    assert choose("Piano", twins, "MIDI input").place == 0


def test_a_port_keeps_its_name_when_the_system_numbers_it_anew() -> None:
    assert (
        lasting_name("Nord Stage:Nord Stage MIDI 1 24:0", rtmidi.API_LINUX_ALSA, 3)
        == "Nord Stage:Nord Stage MIDI 1"
    )
    assert lasting_name("loopMIDI Port 2", rtmidi.API_WINDOWS_MM, 2) == "loopMIDI Port"
    assert lasting_name("Digital Piano 1 0", rtmidi.API_WINDOWS_MM, 0) == "Digital Piano 1"
    assert lasting_name("IAC Driver Bus 1", rtmidi.API_MACOSX_CORE, 1) == "IAC Driver Bus 1"
    assert lasting_name("system:midi_capture_1", rtmidi.API_UNIX_JACK, 1) == "system:midi_capture_1"
