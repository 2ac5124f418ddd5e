"""The processes that share a training.

Under `torchrun` each process works on its part of every batch and gradients are averaged; the first one
reads, judges and writes. Alone, all of this does nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Self

import torch
from torch import distributed, nn


class Company:
    """The processes that train together; left at the end of its `with`."""

    def __init__(self, device: str) -> None:
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.device = device
        if self.size > 1 and device == "cuda":
            self.device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
            torch.cuda.set_device(self.device)
        self._joined = self.size > 1 and not distributed.is_initialized()
        if self._joined:
            import_module("torch.distributed.nn.functional")  # see `part`
            distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.part()

    @property
    def leads(self) -> bool:
        """This process reads and writes for all."""
        return self.rank == 0

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()

    def agree(self, value: float) -> float:
        """The leader's value."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, 0)
        return float(shared)

    def mean(self, value: float) -> float:
        """The mean over all."""
        if self.size == 1:
            return value
        shared = torch.tensor(value, dtype=torch.float64, device=self.device)
        distributed.all_reduce(shared)
        return float(shared) / self.size

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The others begin when the leader has ended: what it keeps on disk they then find there."""
        if not self.leads:
            self.wait()
        yield
        if self.leads:
            self.wait()

    def average_gradients(self, net: nn.Module) -> None:
        """Make every process's gradients the mean of all."""
        if self.size == 1:
            return
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def part(self) -> None:
        """It is over: the group's threads end here.

        They hold the last collective's tensor for a moment longer than the caller. If they let go of it while Python
        is ending, torch 2.13 aborts ("terminate called without an active exception"). They end with the group, and
        the group with the last reference to it; but functions of `torch.distributed.nn.functional` have the group
        as a default argument if that module, which `torch.optim` brings in, is first imported while there is one.
        """
        if self._joined:
            distributed.destroy_process_group()
            self._joined = False
