"""A mixture of voices that changes while it sounds, as a player with a knob hears it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from duet.jack_rig import RATE, Duet, Rig, wait_for

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

KNOB = 20


def test_a_knob_turns_a_piano_into_strings_while_it_sounds_without_a_click(
    rig: Rig, start_duet: Callable[..., Duet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # where the knob is remembered
    duet = start_duet(
        "--partner", "markov", "--voice", "piano:0.6,strings:0.4", "--seed", "1", "--learn", "blend"
    )
    duet.wait_until("ready, play something")
    rig.connect_keyboard("Duet-in:in")
    rig.listen_to("Duet:Duet")
    rig.hear("PortAudio.*")
    rig.play([0xB0, KNOB, 64])
    duet.wait_until("blend is on")
    rig.play([0xB0, KNOB, 0])
    duet.wait_until("voice: piano:1,strings:0")
    released = rig.play_phrase([60, 64, 67, 64], interval=0.6, velocity=90)
    wait_for(lambda: rig.note_ons(released), 5, "an answer")
    first, pitch, _ = rig.note_ons(released)[0]
    wait_for(lambda: rig.now > first + 0.2, 5, "the first note sounds")
    rig.play([0xB0, KNOB, 127])
    wait_for(lambda: rig.now > first + 0.7, 5, "the first note ends")
    turned = rig.sent[-1][0]
    assert turned < first + 0.3

    def heard(begin: float, end: float) -> np.ndarray:
        return rig.sound[int(begin * RATE) : int(end * RATE), 0]

    def octave_over_fundamental(sound: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 16)) ** 2
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        bins = [slice(*(int(h * f / RATE * (1 << 16)) for f in (0.97, 1.03))) for h in (hertz, 2 * hertz)]
        return float(10 * np.log10(power[bins[1]].sum() / power[bins[0]].sum()))

    def sharpest(begin: float, end: float) -> float:
        """The sharpest bend, but for those at the holes that JACK left where it was late."""
        bends = np.abs(np.diff(heard(begin, end), 2))
        at = begin + np.arange(len(bends)) / RATE
        whole = np.ones(len(bends), bool)
        for lost, found in rig.holes:
            whole &= (at < lost - 0.001) | (at > found + 0.001)
        assert whole.mean() > 0.5, "JACK was late too often to judge"
        return float(bends[whole].max())

    assert sharpest(turned, first + 0.5) <= sharpest(first, turned), "no sharper than the piano's own stroke"
    before, after = (
        octave_over_fundamental(heard(first + 0.05, turned)),
        octave_over_fundamental(heard(turned + 0.15, first + 0.5)),
    )
    assert abs(after - before) > 6, "it is another instrument"
    assert np.sqrt(np.mean(heard(first + 0.4, first + 0.5) ** 2)) > 0.003, "that sounds on"
    assert duet.end() == 0
