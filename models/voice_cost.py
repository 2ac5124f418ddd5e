"""What a voice costs to compute: its multiplications, and how many a core can do."""

import time

import numpy as np
import torch

from models.piano_ar_config import PianoArConfig
from models.piano_voice_config import PianoVoiceConfig
from models.source import CHANNELS


def multiplications(config: PianoVoiceConfig | PianoArConfig) -> float:
    """Multiply-adds of the network (and its filter bank) for a second of sound; the source's come on top."""
    frames = config.sample_rate / config.hop_length
    steps, total = float(config.sample_rate), 0.0
    if isinstance(config, PianoVoiceConfig):
        steps = config.sample_rate / config.bands
        total = config.sample_rate * CHANNELS * config.filter_length
    for name, shape in config.shapes().items():
        if len(shape) == 3:
            slow = name.startswith(("read", "context", "condition"))
            total += int(np.prod(shape)) * (frames if slow else steps)
    return total


def peak_macs(device: str = "cpu", size: int = 1024, times: int = 10) -> float:
    """Multiply-adds a second in a large product, float32 on one thread, or bf16 on a GPU."""
    on_gpu = device.startswith("cuda")
    kind = torch.bfloat16 if on_gpu else torch.float32
    a, b = torch.randn(2, size * (8 if on_gpu else 1), size * (8 if on_gpu else 1), device=device, dtype=kind)
    best = float("inf")
    for _ in range(times):
        begin = time.perf_counter() if on_gpu else time.thread_time()
        a @ b
        if on_gpu:
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() if on_gpu else time.thread_time()) - begin)
    return len(a) ** 3 / best
