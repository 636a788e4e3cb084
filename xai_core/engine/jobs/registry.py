"""Registry of job pools: watch, leave and stop the jobs of every pool of this process.

A job is started by its pool (`JobPool.start`); keys tell jobs apart across pools.
"""

from __future__ import annotations

from collections.abc import Container, Hashable
from typing import Any

from xai_core.engine.jobs.job import Job
from xai_core.engine.jobs.pool import BUDGET


def find(key: Hashable) -> Job[Any] | None:
    """Return the job of a key in whatever state, or None if no pool remembers it."""
    return next((job for pool in BUDGET.pools if (job := pool.find(key)) is not None), None)


def watch(key: Hashable, session_id: str = "") -> Job[Any] | None:
    """Return the job of a key like `find`, and note that the session still waits for it."""
    job = find(key)
    if job is not None:
        job.touch(session_id)
    return job


def leave(session_id: str, keep: Container[Hashable] = (), pool: str | None = None) -> None:
    """Let a session wait for the keys to keep only, in the pool of a name or in all pools.

    Jobs that no session waits for any more are cancelled.
    """
    for known in BUDGET.pools:
        if pool in (None, known.name):
            known.leave(session_id, keep)


def stop() -> None:
    """Cancel every unfinished job, within one batch each: the process is about to end."""
    for pool in BUDGET.pools:
        pool.stop()
