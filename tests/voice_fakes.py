"""A small piano with random weights, and a timeline known beforehand, for the tests of the voice."""

import numpy as np
import torch

from models.ensemble import EnsembleNet
from models.ensemble_checkpoint import EnsembleCheckpoint
from models.ensemble_config import EnsembleConfig
from models.partials import KEYS, LOWEST, Partials, generic_partials
from models.piano_ar import PianoArNet
from models.piano_ar_config import PianoArConfig
from models.piano_checkpoint import PianoCheckpoint
from models.piano_voice import PianoVoiceNet
from models.piano_voice_config import PianoVoiceConfig

torch.set_num_threads(1)  # networks this small only wait for a second one, on a busy machine for minutes

SMALL = PianoVoiceConfig(residual=8, skip=12, context=8, dilations=(1, 2, 4), context_dilations=(1, 2))

TINY = PianoArConfig(residual=16, skip=16, context=8, dilations=(1, 2, 4, 8), context_dilations=(1, 2))


class Script:
    """A timeline whose events are all known beforehand."""

    def __init__(self, events):
        self.events = list(events)

    def take(self, until):
        due = [event for event in self.events if event.time < until]
        self.events = self.events[len(due) :]
        return due


def small_net(seed=0, loudness=0.3):
    """A network that says something: its output layer is not zero as in a fresh one."""
    torch.manual_seed(seed)
    net = PianoVoiceNet(SMALL)
    torch.nn.init.normal_(net.output.weight, std=loudness)
    return net


def small_piano(seed=0, loudness=0.3):
    net = small_net(seed, loudness)
    weights = {name: value.numpy() for name, value in net.state_dict().items()}
    return PianoCheckpoint(SMALL, weights, generic_partials())


TRIO = EnsembleConfig(("piano", "organ", "strings"), SMALL, embedding=4)


def steady_partials(level=0.05):
    """An organ: one undamped partial a key, an octave above it."""
    hertz = 880 * 2 ** ((np.arange(LOWEST, LOWEST + KEYS) - 69) / 12)
    kept = np.minimum(hertz, 15_000)
    return Partials(
        np.arange(KEYS + 1),
        2j * np.pi * kept,
        np.full((2, KEYS), level * 1j),
        np.arange(128) / 127,
        np.full(128, 60.0),
    )


def small_ensemble_net(seed=0, loudness=0.1):
    """A trio whose voices differ."""
    torch.manual_seed(seed)
    net = EnsembleNet(TRIO)
    torch.nn.init.normal_(net.trunk.output.weight, std=loudness)
    for projection in net.told.values():
        torch.nn.init.normal_(projection.weight, std=loudness)
    return net


def small_ensemble(seed=0, loudness=0.1):
    net = small_ensemble_net(seed, loudness)
    weights = {name: value.numpy() for name, value in net.state_dict().items()}
    return EnsembleCheckpoint(TRIO, weights, (generic_partials(), steady_partials(), steady_partials(0.02)))


def tiny_ar_net(config=TINY, seed=0, decision=0.5):
    """An autoregressive network that has opinions; decision: how firm."""
    torch.manual_seed(seed)
    net = PianoArNet(config)
    torch.nn.init.normal_(net.output.weight, std=decision)
    net.source_scale.fill_(3.0)
    return net


def tiny_ar_piano(config=TINY, seed=0):
    weights = {name: value.numpy() for name, value in tiny_ar_net(config, seed).state_dict().items()}
    return PianoCheckpoint(config, weights, generic_partials())


def sound(voice, events, seconds):
    """(samples, channels) of the events."""
    blocks = voice.render(Script(events))
    count = round(seconds * voice.sample_rate / voice.block_length)
    return np.concatenate([next(blocks) for _ in range(count)])


def loudness(audio, start, end, rate):
    return float(np.sqrt(np.mean(audio[int(start * rate) : int(end * rate)] ** 2)))


def peak_hz(audio, rate):
    size = 1 << 18
    return float(np.abs(np.fft.rfft(audio * np.hanning(len(audio)), size)).argmax() * rate / size)
