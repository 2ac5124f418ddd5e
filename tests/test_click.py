"""The metronome's click in the stream."""

import numpy as np

from duet.click import Clicks

RATE = 48_000


def stream(clicks: Clicks, seconds: float, block: int = 512, wobble: float = 0.0) -> np.ndarray:
    """What the device plays if its callback comes regularly, give or take."""
    chance = np.random.default_rng(1)
    blocks = []
    for number in range(round(seconds * RATE / block)):
        out = np.zeros((block, 2), np.float32)
        clicks.mix_into(out, 100 + number * block / RATE + wobble * chance.uniform())
        blocks.append(out)
    return np.concatenate(blocks)


def test_a_click_begins_at_its_time_to_the_sample_across_blocks() -> None:
    clicks = Clicks(RATE)
    times = [100.1, 100.35, 100.6]
    for index, time in enumerate(times):
        clicks.add(time, index == 0)
    sound = stream(clicks, 1.0)
    for time in times:
        place = round((time - 100) * RATE)
        assert not sound[place - 480 : place].any()
        assert np.abs(sound[place : place + 48]).max() > 0.05
    assert np.abs(sound).max() <= 0.25
    assert not sound[round(0.7 * RATE) :].any()


def test_a_callback_that_comes_late_by_chance_moves_no_click_much() -> None:
    clicks = Clicks(RATE)
    for beat in range(1, 20):
        clicks.add(100 + beat * 0.5, False)
    sound = stream(clicks, 10.0, wobble=0.002)[:, 0]
    onsets = [int(np.flatnonzero(np.abs(sound[beat * 24_000 - 400 :]) > 0.001)[0]) for beat in range(4, 18)]
    assert max(onsets) - min(onsets) < 0.0007 * RATE


def test_a_bar_begins_with_another_click() -> None:
    clicks = Clicks(RATE)
    clicks.add(100.1, True)
    clicks.add(100.5, False)
    sound = stream(clicks, 1.0)[:, 0]
    first, second = sound[4800:6240], sound[24_000:25_440]
    assert np.argmax(np.abs(np.fft.rfft(first))) > np.argmax(np.abs(np.fft.rfft(second)))


def test_dropped_clicks_are_not_heard() -> None:
    clicks = Clicks(RATE)
    clicks.add(100.1, True)
    clicks.drop()
    assert not stream(clicks, 0.5).any()
