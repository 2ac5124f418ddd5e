"""The GPU kernel, in Triton's interpreter on the CPU: it sings the very samples that torch sings.

In a process of its own, because Triton reads TRITON_INTERPRET when a kernel is defined.
"""

import importlib.util
import os
import subprocess
import sys

import pytest

SCRIPT = """
import dataclasses
import torch
from models import piano_ar, piano_ar_triton
from tests.voice_fakes import TINY, tiny_ar_net

short = dataclasses.replace(TINY, hop_length=8, dilations=(1, 2, 4))
plain = dataclasses.replace(short, hears_source=False, codes_rest=False)
for config, frames in ((short, 2), (plain, 1), (dataclasses.replace(short, spread=0.2, memory=0.7), 2)):
    net = tiny_ar_net(config)
    torch.manual_seed(1)
    samples = frames * config.hop_length
    source = 0.1 * torch.randn(2, 3, samples)
    heard = (source, torch.rand(2, 441, frames), torch.rand(2, samples))
    expected = piano_ar.generate(net, *heard, temperature=0.8)
    sung = piano_ar_triton.generate(net, *heard, temperature=0.8)
    assert len(expected.unique()) > 5
    assert torch.allclose(expected, sung, rtol=0, atol=1e-6), (expected - sung).abs().max()
"""


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("triton"), reason="triton is installed on Linux only")
def test_the_gpu_kernel_sings_the_very_samples_that_torch_sings():
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
