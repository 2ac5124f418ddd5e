"""How fast the autoregressive kernel draws samples, against torch and against what the core could do.

All figures are the computing thread's own time, with the same weights in one run. The limits: multiply-adds at the
rate of a large SGEMM, and weights read at the rate at which the core reads an array of their size.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from duet.note import Event, NoteOn
from duet.roll import Grid, frames_of
from models.partials import KEYS, generic_partials
from models.piano_ar import PianoArNet, choose
from models.piano_ar_config import PianoArConfig
from models.piano_ar_engine import PianoArEngine
from models.piano_checkpoint import PianoCheckpoint
from models.piano_player import PianoVoice
from models.source import SourceState, sound_source
from models.voice_cost import multiplications, peak_macs
from models.voice_features import fold_all
from models.voice_listening import Script


def bench_ar(checkpoint: PianoCheckpoint, music: list[Event], seconds: float) -> dict[str, float]:
    """Samples a second and real-time factors; every key begins with ar_."""
    torch.set_num_threads(1)
    config = checkpoint.config
    assert isinstance(config, PianoArConfig)
    voice = PianoVoice(checkpoint)
    rate = config.sample_rate
    blocks = int(seconds * rate / voice.block_length)

    def play() -> None:
        sounding = voice.render(Script(music))
        for _ in range(blocks):
            next(sounding)

    def first_block() -> None:
        next(voice.render(Script([NoteOn(0.0, pitch, 90) for pitch in (48, 60, 64, 67)])))

    grid = Grid(rate, config.hop_length)
    rolls = fold_all(frames_of(music, grid, round(seconds * grid.frame_rate)))
    tables = voice.engine.tables
    out = np.empty((tables.rows, len(rolls[0]) * tables.steps), np.float32)

    def sound() -> None:
        sound_source(tables, SourceState.silent(tables), *rolls, out)

    factor = seconds / best(play)
    source = seconds / best(sound)
    kernel = kernel_rate(checkpoint)
    net = PianoArNet(config)
    net.load_state_dict({name: torch.from_numpy(value) for name, value in checkpoint.weights.items()})
    eager, queued = eager_rate(net), queued_rate(net)
    macs, peak = multiplications(config), peak_macs()
    read = 4 * macs / rate
    return {
        "ar_real_time_factor": factor,
        "ar_samples_per_second": factor * rate,
        "ar_kernel_samples_per_second": kernel,
        "ar_source_real_time_factor": source,
        "ar_eager_samples_per_second": eager,
        "ar_queued_samples_per_second": queued,
        "ar_eager_ratio": kernel / eager,
        "ar_queued_ratio": kernel / queued,
        "ar_mac_per_sample": macs / rate,
        "ar_limit_share": macs / rate * kernel / peak,
        "ar_bandwidth_share": read * kernel / read_rate(int(read)),
        "ar_weights_kb": sum(array.nbytes for array in voice.engine.weights) / 1024,
        "ar_state_kb": sum(array.nbytes for array in voice.engine.silent_state()) / 1024,
        "ar_first_block_ms": 1e3 * min(best(first_block, 1) for _ in range(10)),
        "ar_block_ms": 1e3 * voice.block_length / rate,
    }


def sweep(config: PianoArConfig) -> dict[str, dict[str, float]]:
    """How the kernel's samples a second fall with channels, with layers, and with voices side by side on one core."""
    octaves = config.dilations[:10]
    return {
        "channels": {
            str(channels): kernel_rate(untrained(replace(config, residual=channels, skip=channels)))
            for channels in (16, 32, 48, 64)
        },
        "layers": {
            str(10 * times): kernel_rate(untrained(replace(config, dilations=octaves * times)))
            for times in (1, 2, 3)
        },
        "voices": {
            str(voices): kernel_rate(untrained(config), voices) / voices for voices in (1, 2, 4)
        },
    }  # fmt: skip


def untrained(config: PianoArConfig) -> PianoCheckpoint:
    """A network that knows nothing: speed does not depend on the weights."""
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.05, shape).astype(np.float32) for name, shape in config.shapes().items()}
    return PianoCheckpoint(config, weights, generic_partials())


def kernel_rate(checkpoint: PianoCheckpoint, voices: int = 1, seconds: float = 0.5) -> float:
    """Samples a second of the kernel while nothing rings, all voices together."""
    engine = PianoArEngine(checkpoint)
    states = [engine.silent_state() for _ in range(voices)]
    nothing = np.zeros((engine.frames, KEYS), np.float32)
    out = np.empty((engine.block_length, 1), np.float32)

    def sing() -> None:
        for _ in range(round(seconds * engine.config.sample_rate / engine.block_length)):
            for state in states:
                engine.sing(state, nothing, nothing, nothing[:, 0], out)

    engine.sing(states[0], nothing, nothing, nothing[:, 0], out)
    return voices * seconds * engine.config.sample_rate / best(sing, 3)


@torch.no_grad()
def eager_rate(net: PianoArNet, samples: int = 60) -> float:
    """Samples a second of the reference's own step in eager torch."""
    c = net.config
    state = net.silent_state()[len(c.context_dilations) :]
    told = torch.zeros(1, len(c.dilations) * 2 * c.residual, 1)
    source, drawn = torch.zeros(1, 3, 1), torch.rand(1)

    def draw() -> None:
        singing, past = state, torch.zeros(1, 1, 1)
        for _ in range(samples):
            logits, singing = net.say(net.heard(past, source), told, singing)
            past = (choose(logits[:, :, 0], drawn, 1.0) * (2 / (c.levels - 1)) - 1).float()[:, None, None]

    draw()
    return samples / best(draw)


@torch.no_grad()
def queued_rate(net: PianoArNet, samples: int = 60) -> float:
    """Samples a second as public PyTorch WaveNets do it: queues written in place, a linear layer for each product.

    The queues of Paine et al. 2016 (Fast WaveNet), as in r9y9/wavenet_vocoder's incremental forward.
    """
    c = net.config
    queues = [torch.zeros(1, d, c.residual) for d in c.dilations]
    taps = [torch.cat(list(conv.weight.unbind(2)), dim=1).contiguous() for conv in net.dilated]
    matrices = [[conv.weight[:, :, 0] for conv in convs] for convs in (net.residual, net.skip)]
    told = torch.zeros(len(c.dilations), 1, 2 * c.residual)
    rest, drawn = torch.zeros(1, c.inputs - 1), torch.rand(1)

    def draw() -> None:
        past = torch.zeros(1, 1)
        for sample in range(samples):
            x = functional.linear(torch.cat([past, rest], 1), net.entry.weight[:, :, 0], net.entry.bias)
            skips = torch.zeros(1, c.skip)
            for layer, dilation in enumerate(c.dilations):
                slot = queues[layer][:, sample % dilation]
                gates = functional.linear(torch.cat([slot, x], 1), taps[layer]) + told[layer]
                slot.copy_(x)
                filtered, gate = gates.chunk(2, 1)
                z = torch.tanh(filtered) * torch.sigmoid(gate)
                x = x + functional.linear(z, matrices[0][layer], net.residual[layer].bias)
                skips = skips + functional.linear(z, matrices[1][layer], net.skip[layer].bias)
            headed = functional.linear(functional.relu(skips), net.head.weight[:, :, 0], net.head.bias)
            logits = functional.linear(functional.relu(headed), net.output.weight[:, :, 0], net.output.bias)
            past = (choose(logits, drawn, 1.0) * (2 / (c.levels - 1)) - 1).float()[:, None]

    draw()
    return samples / best(draw)


def read_rate(size: int) -> float:
    """Bytes a second at which one core reads an array of `size` bytes again and again, by BLAS's dot product."""
    array, times = np.zeros(size // 4, np.float32), 200
    half = len(array) // 2

    def read() -> None:
        for _ in range(times):
            np.dot(array[:half], array[half : 2 * half])

    return times * size / best(read, 5)


def best(work: Callable[[], object], times: int = 2) -> float:
    """The thread's time for one go, the best of some."""
    taken = []
    for _ in range(times):
        begin = time.thread_time()
        work()
        taken.append(time.thread_time() - begin)
    return min(taken)
