"""Processes that train one model together: every one takes its own batch, the gradients are averaged."""

import os
import time

import torch
import torch.multiprocessing as mp
from torch import Tensor


class Team:
    """What the processes share: a row of gradients each, and the seconds trained so far."""

    def __init__(self, processes: int, weights: int):
        self.processes = processes
        self.gradients = torch.zeros(processes, weights).share_memory_()
        self.seconds = torch.zeros(1, dtype=torch.float64).share_memory_()
        self.barrier = mp.get_context("fork").Barrier(processes)

    def average(self, rank: int, weights: list[Tensor]) -> None:
        """Replaces every process's gradients by their mean."""
        self.gradients[rank] = torch.cat([w.grad.flatten() for w in weights])
        self.barrier.wait()
        mean = self.gradients.mean(0)
        self.barrier.wait()
        offset = 0
        for weight in weights:
            weight.grad.copy_(mean[offset : offset + weight.numel()].view_as(weight))
            offset += weight.numel()

    def tick(self, rank: int, started: float) -> float:
        """Seconds since `started`, the same in every process."""
        if rank == 0:
            self.seconds[0] = time.time() - started
        self.barrier.wait()
        seconds = float(self.seconds[0])
        self.barrier.wait()
        return seconds

    def run(self, work, *arguments) -> None:
        mp.start_processes(work, (self, *arguments), self.processes, start_method="fork")


def settle_threads() -> None:
    torch.set_num_threads(1)
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        print("OPENBLAS_NUM_THREADS=1 makes this faster", flush=True)
