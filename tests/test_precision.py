import pytest
import torch

from models.precision import learning, quick_kind


@pytest.mark.parametrize(
    ("able", "kind"),
    [
        ({"avx2": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True, "avx512_bf16": False}, torch.bfloat16),
        ({}, torch.float32),
    ],
)
def test_a_network_learns_in_what_the_cpu_multiplies_quickly(monkeypatch, able, kind):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: able)
    assert quick_kind("cpu") == kind
    with learning("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == kind
    with learning("cpu", half=False):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_gpu_learns_in_bfloat16():
    assert quick_kind("cuda:1") == torch.bfloat16
