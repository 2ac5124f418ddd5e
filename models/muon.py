"""Muon (Jordan et al. 2024) in the precision that the machine is quick in.

torch's own makes its products in bfloat16 wherever it runs. On a CPU without instructions for that they take longer
than all the rest of a step (docs/results-trainings.md).
"""

import torch
from torch import Tensor

from models.precision import quick_kind

COEFFICIENTS, TIMES = (3.4445, -4.7750, 2.0315), 5
"""The quintic of "Newton-Schulz iteration" and how often it is applied, as published."""


class Muon(torch.optim.Muon):
    """As torch's with `adjust_lr_fn="match_rms_adamw"` (Liu et al. 2025), and with its state."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(matrix.grad)
                momentum = state["momentum_buffer"].lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(matrix.grad.lerp(momentum, group["momentum"]))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * 0.2 * max(matrix.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix with orthogonal rows or columns, by Newton-Schulz. (N, M) -> (N, M)."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(quick_kind(matrix.device.type))
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(TIMES):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
