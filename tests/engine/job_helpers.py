"""Work for the tests of jobs: with many steps, or blocked until a gate opens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from xai_core.engine.jobs import Job, JobPool


def run_steps(job: Job[str], count: int = 200, pause: float = 0.01) -> str:
    job.expect(count)
    for _ in range(count):
        time.sleep(pause)
        job.tick(1)
    return "done"


def start_blocking_job(pool: JobPool, gate: threading.Event, key: str, **options: Any) -> Job[bool]:
    """Start a job that works until the gate opens."""
    return pool.start(key, lambda job: gate.wait(10), **options)


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()
