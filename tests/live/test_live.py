"""Duet as a pianist and a DAW meet it: real JACK ports, a real PortAudio stream, three real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

from duet.jack_rig import RATE, Duet, Rig, jack_server, stop, wait_for
from duet.midi import read_midi
from duet.note import notes_of

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

SMALL = ("--partner", "markov", "--voice", "sine")
PHRASE = [60, 64, 67, 72, 67, 64]


def fundamental_is_there(sound: np.ndarray, pitch: int) -> bool:
    """The pitch's own frequency (or its octave) stands out above the gap half way to the next ones."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 16))
    frequency = 440 * 2 ** ((pitch - 69) / 12)

    def band(hertz: float) -> float:
        low, high = (int(hertz * factor / RATE * (1 << 16)) for factor in (0.98, 1.02))
        return float(spectrum[low : high + 1].max())

    return band(frequency) + band(2 * frequency) > 3 * band(frequency * 2 ** (3.5 / 12))


def test_a_phrase_on_a_jack_keyboard_is_answered_on_the_midi_port_and_heard(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL, "--seed", "1")
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.hear("PortAudio.*")
    released = rig.play_phrase(PHRASE, velocity=90)
    wait_for(lambda: rig.note_ons(released), 5, "an answer")
    time.sleep(2.5)
    notes = rig.note_ons(released)
    first, pitch, velocity = notes[0]
    assert 0.25 < first - released < 1.3, "after the phrase, and soon"
    assert abs(velocity - 90) < 25, "touch is answered in kind"
    wait_for(lambda: not rig.sounding(), 10, "the answer ends")
    before = rig.sound[int(released * RATE) : int((first - 0.02) * RATE), 0]
    after = rig.sound[int((first - 0.02) * RATE) : int((first + 0.4) * RATE), 0]
    assert np.abs(before[-2000:]).max() < 0.001, "Duet is silent while it listens"
    onset = np.flatnonzero(np.abs(after) > 0.003)[0] / RATE - 0.02
    assert onset < 0.15, "the sound comes with the note"
    assert fundamental_is_there(after[int((onset + 0.05) * RATE) :], pitch)
    assert duet.end() == 0
    take = list(duet.takes.glob("*.mid"))
    assert len(take) == 1
    kept = [note.pitch for note in notes_of(read_midi(take[0]))]
    assert kept[: len(PHRASE)] == PHRASE
    assert len(kept) >= len(PHRASE) + len(notes)


def test_the_neural_partner_and_the_neural_voice_answer(rig: Rig, start_duet: Callable[..., Duet]) -> None:
    duet = start_duet("--seed", "3")
    duet.wait_until("partner: neural; voice: piano; ready")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.hear("PortAudio.*")
    released = rig.play_phrase([60, 62, 64, 65, 67, 65, 64, 62], interval=0.3, velocity=75)
    wait_for(lambda: rig.note_ons(released), 6, "an answer")
    time.sleep(1.5)
    first = rig.note_ons(released)[0][0]
    heard = np.abs(rig.sound[int(first * RATE) : int((first + 1.2) * RATE), 0])
    assert heard.max() > 0.003
    assert np.isfinite(heard).all()
    wait_for(lambda: not rig.sounding(), 30, "the answer ends")
    assert duet.end() == 0


def test_what_is_heard_is_recorded_beside_the_take_and_a_kill_loses_less_than_a_second(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL, "--seed", "1", "--wav")
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.hear("PortAudio.*")
    released = rig.play_phrase([48, 52, 55, 60, 55, 52], interval=0.3, velocity=90)
    wait_for(lambda: rig.note_ons(released), 5, "an answer")
    time.sleep(1.6)
    duet.process.kill()
    duet.process.wait(5)
    (path,) = duet.takes.glob("*.wav")
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        kept = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)[:, 0] / 32767
    began = rig.sent[0][0]
    first = rig.note_ons(released)[0][0] - began
    assert not kept[: int((first - 0.04) * RATE)].any(), "the player's own keys were not to be heard"
    assert np.flatnonzero(np.abs(kept) > 0.003)[0] / RATE == pytest.approx(first, abs=0.04)
    assert len(kept) / RATE > first + 0.6


def test_the_demo_is_heard_where_there_is_an_audio_device(rig: Rig, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "duet", "demo", "--out", str(tmp_path), *SMALL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        rig.hear("PortAudio.*")
        text = demo.communicate(timeout=60)[0]
    assert demo.returncode == 0, text
    assert "not heard" not in text
    assert np.abs(rig.sound).max() > 0.02


def test_without_a_portaudio_library_live_play_goes_on_with_midi_and_says_so(
    rig: Rig, start_duet: Callable[..., Duet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    duet = start_duet(*SMALL)
    duet.wait_until("playing MIDI without sound: no PortAudio library: `apt install libportaudio2`")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    released = rig.play_phrase(PHRASE)
    wait_for(lambda: rig.note_ons(released), 5, "an answer")
    assert duet.end() == 0


def test_barge_in_ends_every_note_and_the_sound_at_once(rig: Rig, start_duet: Callable[..., Duet]) -> None:
    duet = start_duet(*SMALL)
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.hear("PortAudio.*")
    released = rig.play_phrase([48, 52, 55, 60], interval=0.8)
    wait_for(lambda: rig.sounding(), 6, "an answer under way")
    time.sleep(0.15)
    rig.play([0x90, 84, 70])
    wait_for(lambda: not rig.to_send, 1, "the key is down")
    pressed = rig.sent[-1][0]
    time.sleep(0.5)
    assert rig.sounding() == set()
    offs = [t for t, message in rig.received if message[0] & 0xF0 == 0x80 and t >= pressed]
    assert offs, "what sounded was ended"
    assert offs[-1] - pressed < 0.1
    assert not [t for t, _, _ in rig.note_ons(pressed + 0.05)]
    assert rig.note_ons(released), "there was an answer to interrupt"
    quiet = rig.sound[int((pressed + 0.15) * RATE) : int((pressed + 0.45) * RATE)]
    assert np.abs(quiet).max() < 0.001
    rig.play([0x80, 84, 0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_again_and_again_interrupts_no_ending(
    rig: Rig, start_duet: Callable[..., Duet], number: int
) -> None:
    duet = start_duet("--partner", "markov", "--audio", "none", "--out", "To my DAW")
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:To my DAW")
    rig.play_phrase(PHRASE, interval=0.4)
    wait_for(lambda: rig.sounding(), 6, "an answer under way")
    while duet.process.poll() is None:
        duet.process.send_signal(number)
        time.sleep(0.05)
    time.sleep(0.1)
    assert duet.process.returncode == 0
    assert rig.sounding() == set()
    assert "Traceback" not in duet.text
    assert len(list(duet.takes.glob("*.mid"))) == 1, "and the take is kept"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_mid_answer_leaves_nothing_sounding(
    rig: Rig, start_duet: Callable[..., Duet], number: int
) -> None:
    duet = start_duet("--partner", "markov", "--audio", "none", "--out", "To my DAW")
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:To my DAW")
    rig.play([0xB0, 64, 127])
    rig.play_phrase(PHRASE, interval=0.4)
    rig.play([0xB0, 64, 0])
    wait_for(lambda: rig.sounding(), 6, "an answer under way")
    assert duet.end(number) == 0
    time.sleep(0.1)
    assert rig.sounding() == set()
    pedal = [message[2] for _, message in rig.received if message[0] & 0xF0 == 0xB0 and message[1] == 64]
    assert pedal[-1] == 0


def test_the_pedal_of_the_player_is_heard_and_kept(rig: Rig, start_duet: Callable[..., Duet]) -> None:
    duet = start_duet("--partner", "markov", "--audio", "none", "--port", "rig:keys")
    duet.wait_until("keyboard: rig:keys")
    duet.wait_until("ready, play something")
    rig.listen_to("Duet:Duet")
    rig.play([0xB0, 64, 127])
    time.sleep(0.05)
    released = rig.play_phrase(PHRASE)
    time.sleep(1.5)
    assert rig.note_ons(released) == [], "a held pedal keeps the turn"
    rig.play([0xB0, 64, 0])
    wait_for(lambda: rig.note_ons(released), 5, "an answer")
    duet.end()
    take = next(duet.takes.glob("*.mid"))
    assert 127 in [event.value for event in read_midi(take) if hasattr(event, "value")]


def test_a_synth_on_the_other_end_sounds_the_answer(rig: Rig, start_duet: Callable[..., Duet]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shell = f"shell.port={free.getsockname()[1]}"
    command = [
        "fluidsynth",
        "-is",
        "-a",
        "jack",
        "-m",
        "jack",
        "-r",
        str(RATE),
        "-o",
        "audio.jack.autoconnect=0",
        "-o",
        shell,
    ]
    font = next(path for path in sorted(Path("/usr/share/sounds/sf2").glob("*.sf2")))
    synth = subprocess.Popen([*command, str(font)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: rig.ports("fluidsynth.*", is_midi=True, is_input=True), 15, "fluidsynth's MIDI port")
        duet = start_duet("--partner", "markov", "--audio", "none", "--out", "fluidsynth")
        duet.wait_until("answers: fluidsynth")
        duet.wait_until("ready, play something")
        rig.connect_keyboard("Duet-in:in")
        rig.listen_to("Duet:out")
        rig.hear("fluidsynth.*")
        released = rig.play_phrase(PHRASE)
        wait_for(lambda: rig.note_ons(released), 5, "an answer")
        time.sleep(0.6)
        first, pitch, _ = rig.note_ons(released)[0]
        sound = rig.sound[int((first + 0.05) * RATE) : int((first + 0.2) * RATE)].sum(axis=1)
        assert fundamental_is_there(sound, pitch)
        assert duet.end() == 0
    finally:
        stop(synth)


def test_a_keyboard_that_is_unplugged_and_plugged_in_again_plays_on(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    import jack

    keyboard = jack.Client("Nord", no_start_server=True)
    keyboard.midi_outports.register("out")
    keyboard.activate()
    duet = start_duet("--partner", "markov", "--audio", "none", "--port", "Nord")
    duet.wait_until("ready, play something")
    keyboard.deactivate()
    keyboard.close()
    duet.wait_until("Nord:out is gone: plug it in", 10)
    keyboard = jack.Client("Nord", no_start_server=True)
    keyboard.midi_outports.register("out")
    keyboard.activate()
    duet.wait_until("Nord:out is back", 10)
    keyboard.deactivate()
    keyboard.close()
    assert duet.end() == 0


def test_a_synth_that_goes_and_comes_back_is_played_again(rig: Rig, start_duet: Callable[..., Duet]) -> None:
    import jack

    def synth() -> jack.Client:
        client = jack.Client("Moog", no_start_server=True)
        client.midi_inports.register("in")
        client.activate()
        return client

    first = synth()
    duet = start_duet("--partner", "markov", "--audio", "none", "--out", "Moog")
    duet.wait_until("ready, play something")
    first.deactivate()
    first.close()
    duet.wait_until("Moog:in is gone", 10)
    second = synth()
    duet.wait_until("Moog:in is back", 10)
    assert rig.client.get_all_connections("Moog:in"), "and is connected"
    second.deactivate()
    second.close()


def kill_part(duet: Duet, name: str) -> None:
    """Kill the process of that name which Duet has started."""
    found = subprocess.run(
        ["pgrep", "-x", name, "-P", str(duet.process.pid)], capture_output=True, text=True, check=True
    )
    os.kill(int(found.stdout), signal.SIGKILL)


def test_the_ports_are_watched_on_after_the_process_that_lists_them_was_killed(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL, "--port", "Nord:keys")
    duet.wait_until("ready, play something")
    kill_part(duet, "duet-ports")
    with closing(Rig("Nord")) as keyboard:
        duet.wait_until("Nord:keys is there", 10)
        rig.listen_to("Duet:Duet")
        keyboard.play_phrase(PHRASE)
        assert wait_for(rig.note_ons, 5, "an answer")
    assert duet.end() == 0


def test_a_models_process_that_is_killed_costs_an_answer_and_not_the_evening(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet(*SMALL)
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    kill_part(duet, "duet-models")
    duet.wait_until("the models' process died; starting it again", 10)
    time.sleep(3)
    released = rig.play_phrase(PHRASE)
    wait_for(lambda: rig.note_ons(released), 20, "an answer of the new process")
    assert duet.end() == 0


def test_a_sound_server_that_dies_is_said_and_the_sound_comes_back_with_it(tmp_path: Path) -> None:
    before = os.environ.copy()
    with ExitStack() as closing:
        closing.callback(os.environ.update, before)  # the other tests' server
        with jack_server(tmp_path / "jackd.log") as name:
            duet = Duet(tmp_path, *SMALL)
            closing.callback(stop, duet.process)
            duet.wait_until("ready, play something")
            found = subprocess.run(
                ["pgrep", "-f", f"jackd -n {name}"], capture_output=True, text=True, check=True
            )
            os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
            os.waitpid(int(found.stdout.split()[0]), 0)  # or the next of that name thinks it still runs
            duet.wait_until("has stopped: Duet opens it again when it is back; for MIDI restart Duet", 10)
            command = ["jackd", "-n", name, "-r", "--no-mlock", "-d", "dummy", "-r", str(RATE), "-p", "1024"]
            again = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            closing.callback(stop, again)
            duet.wait_until("is back, and the sound with it", 15)
            assert duet.end() == 0
            assert "Traceback" not in duet.text


def test_a_keyboard_that_is_not_there_yet_is_waited_for_and_played_on(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet("--port", "Nord", "--audio", "none", *SMALL)
    duet.wait_until(
        "no MIDI input is called 'Nord'; choose from: .*rig:keys.*Duet takes it when it is plugged in"
    )
    with closing(Rig("Nord")) as nord:
        duet.wait_until("Nord:keys is there", 10)
        rig.listen_to("Duet:Duet")
        nord.play_phrase(PHRASE)
        wait_for(rig.note_ons, 5, "an answer")
    assert duet.end() == 0


def test_a_port_number_that_is_not_there_gets_one_line_with_the_ports_there_are(
    rig: Rig, start_duet: Callable[..., Duet]
) -> None:
    duet = start_duet("--port", "99", "--audio", "none", *SMALL)
    assert duet.process.wait(20) == 1
    assert len(duet.text.strip().splitlines()) == 1
    assert "99" in duet.text
    assert "rig:keys" in duet.text


def test_an_audio_device_that_is_not_there_gets_one_line(start_duet: Callable[..., Duet]) -> None:
    duet = start_duet("--audio", "Hi-fi", *SMALL)
    assert duet.process.wait(20) == 1
    assert len(duet.text.strip().splitlines()) == 1
    assert "Hi-fi" in duet.text
