"""Background work: jobs with progress and cancel, pools of threads with fair queues, one memory budget."""

from __future__ import annotations

from xai_core.engine.jobs.job import QUICK_COST, Job, PartJob
from xai_core.engine.jobs.memory_budget import MemoryBudget
from xai_core.engine.jobs.part import JobPart
from xai_core.engine.jobs.pool import BUDGET, CLOSED_TAB_S, JobCounts, JobPool, count_jobs
from xai_core.engine.jobs.registry import find, leave, stop, watch

__all__ = [
    "BUDGET",
    "CLOSED_TAB_S",
    "QUICK_COST",
    "Job",
    "JobCounts",
    "JobPart",
    "JobPool",
    "MemoryBudget",
    "PartJob",
    "count_jobs",
    "find",
    "leave",
    "stop",
    "watch",
]
