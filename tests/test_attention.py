"""Attention in blocks says what attention at once says."""

import pytest
import torch
from torch.nn import functional

from models.attention import FAR, attend


def at_once(q, k, v, window):
    apart = torch.arange(q.shape[2])[:, None] - torch.arange(q.shape[2])
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=(apart >= 0) & (apart < window))


@pytest.mark.parametrize(
    ("length", "window"),
    [
        (1, 512),
        (100, 512),
        (300, 512),
        (300, 50),
        (400, 200),
        (1000, 200),
        (700, 9),
        (512, 128),
        (FAR + 9, FAR + 9),
    ],
)
def test_each_step_hears_itself_and_so_many_before_it(length, window):
    torch.manual_seed(0)
    q, k, v, wanted = (torch.randn(2, 3, length, 8) for _ in range(4))
    asked = [x.clone().requires_grad_() for x in (q, k, v)]
    known = [x.clone().requires_grad_() for x in (q, k, v)]
    heard, truth = attend(*asked, window), at_once(*known, window)
    assert torch.allclose(heard, truth, atol=1e-6)
    heard.backward(wanted)
    truth.backward(wanted)
    for mine, theirs in zip(asked, known, strict=True):
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-5)


def test_in_bfloat16_it_is_as_near_as_bfloat16_is():
    torch.manual_seed(1)
    q, k, v = (torch.randn(1, 2, 200, 16) for _ in range(3))
    heard = attend(*(x.bfloat16() for x in (q, k, v)), 512).float()
    assert (heard - at_once(q, k, v, 512)).abs().max() < 0.05
