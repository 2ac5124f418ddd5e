"""In what precision a network learns: bfloat16 where the machine multiplies it quickly, else float32.

A CPU without instructions for bfloat16, as most laptops have, takes fifty times as long over its products
(docs/results-trainings.md).
"""

import torch


def quick_kind(device: str) -> torch.dtype:
    """What products are quickest in, of those precise enough to learn by."""
    if torch.device(device).type != "cpu":
        return torch.bfloat16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def learning(device: str, half: bool = True) -> torch.autocast:
    """What the forward pass of a training runs under, and what is judged beside it. half: if it may be halved."""
    kind = quick_kind(device)
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half and kind == torch.bfloat16)
