import copy

import pytest
import torch
from torch import nn

from models.muon import Muon, orthogonal

torch.set_num_threads(1)


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (8, 8)])
def test_a_matrix_becomes_about_orthogonal(shape):
    torch.manual_seed(0)
    strengths = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
    assert strengths.min() > 0.5
    assert strengths.max() < 1.3


def test_it_goes_where_torchs_own_goes():
    torch.manual_seed(1)
    mine = nn.Sequential(nn.Linear(12, 24, bias=False), nn.Tanh(), nn.Linear(24, 5, bias=False))
    its = copy.deepcopy(mine)
    ours = Muon(mine.parameters(), lr=0.02, weight_decay=0.05)
    torchs = torch.optim.Muon(its.parameters(), lr=0.02, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    for _ in range(6):
        x = torch.randn(30, 12)
        for net, optimizer in ((mine, ours), (its, torchs)):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            optimizer.step()
    for one, other in zip(mine.parameters(), its.parameters(), strict=True):
        assert (one - other).abs().max() < 0.01 * other.abs().max()
    assert {*ours.state_dict()["state"][0]} == {*torchs.state_dict()["state"][0]}
