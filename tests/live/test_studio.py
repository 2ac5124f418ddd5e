"""Duet among other machines: a clock source, a DAW's transport, loops, splits, knobs; all over real JACK ports."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from duet.bench_studio import one_bar_traded
from duet.devices import Devices
from duet.errors import MidiError
from duet.jack_rig import RATE, Duet, Rig, stop, wait_for
from duet.live_options import Studio
from duet.news import Plugged
from duet.note import Event, NoteOff, NoteOn
from duet.route import Route

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

SMALL = ("--partner", "markov", "--audio", "none")
PHRASE = [60, 64, 67, 72, 67, 64]
READY = "ready, play something"


def transport(command: str) -> None:
    """Roll, stop or locate JACK's transport, as a DAW's buttons do."""
    subprocess.run(["jack_transport"], input=f"{command}\nquit\n", text=True, capture_output=True, check=True)


@pytest.fixture
def clock_source(server: str) -> Iterator[None]:
    if not shutil.which("jack_midi_clock"):
        if os.environ.get("DUET_REQUIRE_LIVE"):
            pytest.fail("jack_midi_clock is not installed; DUET_REQUIRE_LIVE says it must be there")
        pytest.skip("jack_midi_clock is not installed: `apt install jack-midi-clock`")
    source = subprocess.Popen(
        ["jack_midi_clock", "-b", "96"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield
    transport("stop")
    stop(source)


def test_what_is_played_goes_through_and_no_key_hangs_when_the_keyboard_is_pulled_out(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    with closing(Rig("Nord", 20)) as keyboard:
        duet = start_duet(*SMALL, "--port", "Nord", "--thru", "--transpose", "12", "--channel-out", "2")
        duet.wait_until(READY)
        rig.listen_to("Duet:Duet")
        keyboard.play([0x90, 60, 70], [0xB0, 1, 30])
        wait_for(lambda: len(rig.received) >= 2, 3, "the key and the wheel came through")
        assert [message for _, message in rig.received] == [bytes([0x90, 72, 70]), bytes([0xB0, 1, 30])]
    duet.wait_until("Nord:keys is gone", 5)
    wait_for(lambda: not rig.sounding(), 2, "the key came up")
    with closing(Rig("Nord", 20)) as keyboard:
        replugged = time.monotonic()
        duet.wait_until("Nord:keys is back", 5)
        assert time.monotonic() - replugged < 2.0
        released = keyboard.play_phrase(PHRASE)
        assert released
        wait_for(lambda: [m for _, m in rig.received if m[0] == 0x91], 5, "an answer on its own channel")
    assert duet.end() == 0
    assert rig.sounding() == set()


def test_an_output_that_loops_back_to_the_input_is_not_taken_for_the_player(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL)
    duet.wait_until(READY)
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.client.connect("Duet:Duet", "Duet-in:in")
    rig.play_phrase(PHRASE)
    wait_for(rig.note_ons, 5, "an answer")
    wait_for(lambda: not rig.sounding(), 20, "the answer ends")
    time.sleep(1.5)
    assert duet.text.count("you play") == 1
    assert duet.text.count("answered") == 1
    assert duet.end() == 0


def test_below_the_split_the_left_hand_accompanies_without_taking_the_turn(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL, "--split", "C4", "--channel-out", "2", "--state-cc", "119")
    duet.wait_until(READY)
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.play_phrase([40, 43])
    assert "you play" not in duet.text
    rig.play_phrase(PHRASE, interval=0.5)
    wait_for(lambda: [m for _, m in rig.received if m[0] == 0x91], 5, "an answer")
    rig.play([0x90, 40, 60])
    time.sleep(0.3)
    assert [m for _, m in rig.received if m[0] == 0x91 and m[2]], "the answer goes on over the left hand"
    assert [m[2] for _, m in rig.received if m[:2] == bytes([0xB1, 119])] == [64, 127]
    assert duet.text.count("you play") == 1
    rig.play([0x80, 40, 0])
    assert duet.end() == 0


def test_a_clock_source_gives_the_tempo_and_its_stop_ends_the_answer(
    rig: Rig, start_duet: Callable[..., Duet], clock_source: None
) -> None:
    duet = start_duet(*SMALL, "--clock", "jack_midi_clock", "--metronome", "--clock-out")
    duet.wait_until(READY)
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    transport("locate 0")
    transport("play")
    duet.wait_until("the clock is running", 5)
    rig.play_phrase(PHRASE)
    wait_for(lambda: [m for _, m in rig.received if m[0] == 0x90], 5, "an answer")
    time.sleep(0.3)
    transport("stop")
    duet.wait_until("the clock has stopped", 5)
    time.sleep(0.2)
    assert rig.sounding() == set()
    clicks = [(t, m[1]) for t, m in rig.received if m[0] == 0x99]
    ticks = [t for t, m in rig.received if m[0] == 0xF8]
    assert len(clicks) >= 3
    assert [m for _, m in rig.received if m[0] in (0xFA, 0xFB, 0xFC)][-1] == bytes([0xFC])
    beats = sorted(b - a for a, b in zip(ticks, ticks[24:], strict=False))
    assert beats[len(beats) // 2] == pytest.approx(60 / 96, rel=0.02), "the same tempo goes out"
    spacing = sorted(b[0] - a[0] for a, b in pairwise(clicks))
    assert spacing[len(spacing) // 2] == pytest.approx(60 / 96, rel=0.02)
    assert duet.end() == 0


def test_traded_bars_begin_on_the_bar_line_of_another_machines_clock(
    start_duet: Callable[..., Duet], server: str
) -> None:
    rig = Rig("rig", 30, bpm=161.0)
    duet = start_duet(*SMALL, "--clock", "rig:clock", "--turn", "bars:1")
    duet.wait_until(READY)
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.rolling = True
    time.sleep(1.5)
    late, _ = one_bar_traded(rig)
    rig.close()
    assert late == pytest.approx(0.0, abs=0.03)
    assert duet.end() == 0


def test_our_own_clock_starts_ticks_and_stops_another_machine(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL, "--bpm", "100", "--clock-out", "--metronome")
    wait_for(lambda: rig.ports("Duet:Duet", is_midi=True), 20, "the port")
    rig.listen_to("Duet:Duet")
    duet.wait_until(READY)
    time.sleep(3)
    assert duet.end() == 0
    kinds = [message[0] for _, message in rig.received if message[0] >= 0xF0]
    assert kinds[0] == 0xFA and kinds[-1] == 0xFC
    assert set(kinds[1:-1]) == {0xF8}
    ticks = [t for t, m in rig.received if m[0] == 0xF8]
    beats = sorted(b - a for a, b in zip(ticks, ticks[24:], strict=False))
    assert beats[len(beats) // 2] == pytest.approx(60 / 100, rel=0.005), (
        "the median: JACK loses time when busy"
    )
    first = next(t for t, m in rig.received if m[0] == 0x99)
    assert first == pytest.approx(ticks[0], abs=0.012), "the first beat is the first tick"


def test_a_knob_is_learnt_used_and_remembered(
    rig: Rig, start_duet: Callable[..., Duet], tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = tmp_path_factory.mktemp("config") / "settings.toml"
    settings.write_text("")
    duet = start_duet(*SMALL, "--settings", str(settings), "--learn", "temperature", "--learn", "panic")
    duet.wait_until("move the knob or strike the pad for temperature")
    rig.connect_keyboard("Duet-in:in")
    rig.play([0xB0, 21, 64])
    duet.wait_until("temperature is on cc 21 ch 1 now")
    rig.play([0x99, 36, 64], [0x89, 36, 0])
    duet.wait_until("panic is on note 36 ch 10 now")
    rig.listen_to("Duet:Duet")
    rig.play([0xB0, 21, 127])
    wait_for(lambda: [m for _, m in rig.received if m[:2] == bytes([0xB0, 21])], 3, "the setting's echo")
    rig.play([0x99, 36, 64])
    wait_for(lambda: [m for _, m in rig.received if m[:2] == bytes([0xBF, 120])], 3, "all sound off")
    assert "you play" not in duet.text, "a pad is no music"
    assert duet.end() == 0
    assert 'temperature = "cc 21 ch 1"' in settings.read_text()
    again = start_duet(*SMALL, "--settings", str(settings))
    again.wait_until(READY)
    rig.connect_keyboard("Duet-in:in")
    rig.received.clear()
    rig.listen_to("Duet:Duet")
    rig.play([0x99, 36, 64])
    wait_for(lambda: [m for _, m in rig.received if m[:2] == bytes([0xBF, 120])], 3, "all sound off")
    assert again.end() == 0


class SlowPiano:
    """A JACK client that tells each key it is sent, later: a soft stroke later than a loud one."""

    def __init__(self) -> None:
        import jack

        self.client = jack.Client("Disklavier", no_start_server=True)
        self.keys = self.client.midi_inports.register("in")
        self.tells = self.client.midi_outports.register("out")
        self.waiting: list[tuple[int, bytes]] = []
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, frames: int) -> None:
        now = self.client.last_frame_time
        for offset, data in self.keys.incoming_midi_events():
            message = bytes(data)
            delay = 0.2 - 0.001 * message[2] if message[0] & 0xF0 == 0x90 else 0.1
            self.waiting.append((now + offset + int(delay * RATE), message))
        self.waiting.sort()
        self.tells.clear_buffer()
        while self.waiting and self.waiting[0][0] < now + frames:
            due, message = self.waiting.pop(0)
            self.tells.write_midi_event(max(0, due - now), message)

    def close(self) -> None:
        self.client.deactivate()
        self.client.close()


def test_calibrating_finds_an_instruments_delay_by_velocity_and_keeps_it(server: str, tmp_path: Path) -> None:
    piano = SlowPiano()
    settings = tmp_path / "settings.toml"
    command = [sys.executable, "-m", "duet", "--settings", str(settings), "calibrate", "--out", "Disklavier"]
    settings.write_text("")
    try:
        done = subprocess.run(
            [*command, "--port", "Disklavier", "--times", "2"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        piano.close()
    assert done.returncode == 0, done.stderr
    written = tomllib.loads(settings.read_text())["latency-out"]
    found = [[float(number) for number in pair.split(":")] for pair in written.split(",")]
    assert [velocity for velocity, _ in found] == [20, 45, 70, 95, 120]
    wires = found[0][1] - 180  # JACK's periods and ours, the same for all
    assert -3 <= wires < 60
    for velocity, delay in found:
        assert delay - wires == pytest.approx(200 - velocity, abs=8)


def test_an_instrument_that_does_not_answer_is_said_in_one_line(
    server: str, rig: Rig, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "duet",
        "calibrate",
        "--out",
        "rig",
        "--port",
        "rig",
        "--times",
        "1",
        "--dry-run",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "of 1 notes at velocity 20 0 came back: is the instrument on" in done.stderr


def test_keyboard_and_out_are_changed_while_keys_are_down_and_nothing_hangs(rig: Rig) -> None:
    second = Rig("second")
    heard: list[Event] = []

    async def evening() -> None:
        lines: list[str] = []
        plugged: list[Plugged] = []
        studio = Studio(route=Route(thru=True))
        devices = Devices(
            ("rig", "rig", "none"), studio, lambda text, error: lines.append(text), plugged.append
        )

        async def listen() -> None:
            async for event in devices.keyboard:
                heard.append(event)

        listening = asyncio.create_task(listen())
        await strike(rig, 60, rig)
        devices.change_out("second")
        await until(lambda: rig.sounding() == set())
        devices.change_port("second")
        await until(lambda: any(isinstance(event, NoteOff) for event in heard))
        await strike(second, 64, second)
        for _ in range(10):  # JACK may lose the first
            devices.keyboard.press((0x90, 67, 70))
            await asyncio.sleep(0.3)
            if second.sounding() == {64, 67}:
                break
        assert second.sounding() == {64, 67}
        await until(
            lambda: plugged and "second:keys" in plugged[-1].midi_ins and "rig:heard" in plugged[-1].midi_outs
        )
        with pytest.raises(MidiError, match="no MIDI input has the number 99"):
            devices.change_port("99")
        devices.close()
        await listening
        await until(lambda: second.sounding() == set())

    asyncio.run(evening())
    second.close()
    assert {event.pitch for event in heard if isinstance(event, NoteOn)} == {60, 64, 67}


async def until(condition: Callable[[], object]) -> None:
    """Wait on the loop, two seconds at most."""
    async with asyncio.timeout(3):
        while not condition():  # noqa: ASYNC110  other programs tell no event
            await asyncio.sleep(0.01)


async def strike(keyboard: Rig, pitch: int, ear: Rig) -> None:
    """Press a key until it is heard: JACK loses messages while its graph changes."""
    async with asyncio.timeout(8):
        while pitch not in ear.sounding():
            keyboard.play([0x80, pitch, 0], [0x90, pitch, 70])
            await asyncio.sleep(0.3)
