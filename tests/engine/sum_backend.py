"""A backend whose answers are known, and helpers for tests of the scheduler."""

from __future__ import annotations

import threading
import time

import torch

from xai_core.engine.jobs import Job

POISON = -1.0


class SumBackend:
    """Answer each row with its sum and its double, and record every batch: the rows' own values are the oracle."""

    def __init__(self, pause: float = 0.002, micro_batch: int = 4) -> None:
        self.pause, self.micro_batch = pause, micro_batch
        self.batches: list[list[float]] = []
        self.rebuilt = 0
        self.reduced: list[int] = []
        self.faults: list[BaseException] = []
        self.gate, self.blocked = threading.Event(), threading.Event()
        self.gate.set()

    def run(self, batch: torch.Tensor) -> torch.Tensor:
        for _ in range(1000):
            if self.gate.wait(0.01):
                break
            self.blocked.set()
        time.sleep(self.pause)
        self.batches.append(batch[:, 0].tolist())
        if self.faults:
            raise self.faults.pop(0)
        if (batch == POISON).any():
            raise ValueError("poison")
        return torch.stack([batch.sum(1), batch[:, 0] * 2], 1)

    def rebuild(self) -> None:
        self.rebuilt += 1

    def reduce_batch(self, size: int) -> None:
        self.reduced.append(size)


def make_rows(*values: float) -> torch.Tensor:
    return torch.tensor([[value, 100.0] for value in values])


def read_sums(logits: torch.Tensor) -> list[float]:
    return logits[:, 0].tolist()


def make_job(total: int = 10_000) -> Job[None]:
    job: Job[None] = Job()
    job.expect(total)
    return job
