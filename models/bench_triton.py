"""How fast the GPU kernel sings: one phrase, and many side by side, of the small network and the large one."""

import importlib.util
import time

import torch

from duet.errors import MissingExtra
from models.piano_ar import PianoArNet
from models.piano_ar_config import PRESETS, PianoArConfig
from models.voice_features import FEATURES

STREAMS = (1, 32, 128, 512)


def bench_gpu(seconds: float = 1.0, device: str = "cuda") -> dict[str, float]:
    """Times real time of each stream, by network and number of streams. Raises MissingExtra without a GPU or Triton."""
    if not importlib.util.find_spec("triton") or not torch.cuda.is_available():
        raise MissingExtra(
            "the GPU's timings need an NVIDIA GPU, a CUDA build of torch, and: pip install triton"
        )
    return {
        f"gpu_{name}_real_time_factor_of_{streams}": stream_factor(PRESETS[name], streams, seconds, device)
        for name in ("small", "wide", "gpu")
        for streams in STREAMS
    }


def stream_factor(config: PianoArConfig, streams: int, seconds: float, device: str) -> float:
    """Seconds of sound a second, of each of some streams sung at once; the best of two, after one to compile."""
    from models import piano_ar_triton

    torch.manual_seed(0)
    net = PianoArNet(config).to(device)
    frames = max(1, round(seconds * config.sample_rate / config.hop_length))
    samples = frames * config.hop_length
    heard = (
        0.05 * torch.randn(streams, 3, samples, device=device),
        torch.rand(streams, FEATURES, frames, device=device),
        torch.rand(streams, samples, device=device),
    )
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        piano_ar_triton.generate(net, *heard)
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return samples / config.sample_rate / best
