import json
import re

import mido
import numpy as np
import pytest
import soundfile

from duet.errors import FileError
from duet.midi import write_midi
from models.eval_answers import SECONDS
from models.events import tokens_of
from models.listening_page import LEVEL, OTHER, TRUE, build_page, loudness, tally
from models.markov import MarkovPartner
from models.partner_data import Tune, tune_of
from models.sine_voice import SineVoice
from models.voice_metrics import RATE
from tests.playing import melody
from tests.test_train_partner import scale_piece


def walk(seed):
    """Half a minute that goes up and down without a rest."""
    pitches = 60 + np.random.default_rng(seed).integers(-3, 4, 120).cumsum().clip(-20, 20)
    return Tune(str(seed), "test", "", "", True, True, tokens_of(melody(pitches, 0.25)))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "listening"
    tunes = [walk(seed) for seed in range(4)]
    key = build_page({"markov": MarkovPartner()}, SineVoice(), tunes, out, write_midi, calls=2)
    return out, key


def test_all_the_page_plays_is_there_and_can_be_played(page):
    out, _ = page
    html = (out / "index.html").read_text()
    sources = re.findall(r'src="([^"]+)"', html)
    assert len(sources) == 2 * (1 + 3)
    assert sorted(sources) == sorted(str(path.relative_to(out)) for path in out.rglob("*.flac"))
    for link in re.findall(r'href="([^"]+\.mid)"', html):
        assert mido.MidiFile(out / link).length > 3


def test_the_page_does_not_tell_who_is_who(page):
    out, key = page
    html = (out / "index.html").read_text()
    assert not any(name in html for name in ("markov", TRUE, OTHER))
    assert key.parent == out.parent
    for call in json.loads(key.read_text())["calls"]:
        assert sorted(call["answers"].values()) == sorted(["markov", TRUE, OTHER])


def test_no_sound_is_louder_or_longer_than_another(page):
    out, _ = page
    calls = [soundfile.read(path)[0] for path in sorted(out.rglob("call.flac"))]
    answers = [soundfile.read(path)[0] for path in sorted(out.rglob("?.flac"))]
    assert len(answers) == 6
    assert {len(sound) for sound in answers} == {round(SECONDS * RATE)}
    assert all(loudness(sound) == pytest.approx(LEVEL, rel=0.02) for sound in calls + answers)
    assert all(abs(sound[-RATE // 10 :]).max() < 0.1 * abs(sound).max() for sound in answers)


def test_neither_its_beginning_nor_its_end_tells_an_answer_from_another(page):
    tracks = [mido.MidiFile(path) for path in sorted(page[0].rglob("?.mid"))]
    assert len(tracks) == 6
    for track in tracks:
        times, time = [], 0.0
        for message in track:
            time += message.time
            if message.type.startswith("note"):
                times.append(time)
        assert times[0] == pytest.approx(0, abs=0.01)
        assert times[-1] == pytest.approx(SECONDS, abs=0.4)


def test_nothing_is_heard_twice_in_the_test(page):
    sounds = [path.read_bytes() for path in page[0].rglob("*.flac")]
    assert len(set(sounds)) == len(sounds)


def test_every_choice_has_a_field_and_every_button_a_sound(page):
    html = (page[0] / "index.html").read_text()
    for number in (1, 2):
        for letter in "ABC":
            for field in (f'name="fit-{number}-{letter}"', f'name="best-{number}" value="{letter}"'):
                assert html.count(field) == 1
            assert html.count(f'id="sound-{number}-{letter}"') == 1
            assert html.count(f'data-answer="sound-{number}-{letter}"') == 1


def test_choices_are_joined_with_the_key(page, tmp_path):
    _, key = page
    known = json.loads(key.read_text())
    choices = {}
    for number, call in enumerate(known["calls"], 1):
        for letter, name in call["answers"].items():
            choices[f"fit-{number}-{letter}"] = "5" if name == TRUE else "2"
            if name == TRUE:
                choices[f"best-{number}"] = letter
    path = tmp_path / "choices.json"
    path.write_text(json.dumps({"test": known["test"], "choices": choices}))
    found = tally([path], key)
    assert found[TRUE] == {"best": 1.0, "best_interval": [1.0, 1.0], "mark": 5.0}
    assert found["markov"]["best"] == 0
    path.write_text(json.dumps({"test": "another", "choices": {}}))
    with pytest.raises(FileError, match="another test"):
        tally([path], key)


def test_one_piece_is_not_enough(tmp_path):
    with pytest.raises(FileError, match="two pieces"):
        build_page({}, SineVoice(), [tune_of(scale_piece())], tmp_path, write_midi)
