"""A long evening, here a short one: `duet bench soak` sees notes, memory and time."""

import sys

import pytest

from duet.bench_soak import Ear, bench_soak
from duet.note import NoteOn, Pedal
from duet.wiring import load_partner, load_voice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def test_an_evening_ends_as_it_began() -> None:
    report = bench_soak(load_partner("markov"), load_voice("sine"), minutes=3)
    assert report["answers"] > 5
    assert report["barge_ins"] > 0
    assert report["notes_sent"] > 50
    assert report["hanging_notes"] == 0
    assert report["errors"] == 0
    assert report["onsets_measured"] > 5
    assert report["onset_off_ms_max"] < 1
    assert report["drift_ms"] < 1
    assert report["notes_in_the_take"] > report["notes_sent"], "the player's are in it too"


def test_a_sound_that_comes_late_is_found_late() -> None:
    voice = load_voice("sine")
    ear, late = Ear(voice.sample_rate), 0.02

    class Delayed:
        def take(self, until: float) -> list[NoteOn | Pedal]:
            return [NoteOn(1.0 + late, 60, 90)] if until - 0.011 < 1.0 + late <= until else []

    ear.send(NoteOn(1.0, 60, 90))
    blocks = voice.render(Delayed())
    for _ in range(120):
        ear.play(next(blocks))
    [(due, off)] = ear.offsets
    assert due == 1.0
    assert off == pytest.approx(late, abs=0.001)
