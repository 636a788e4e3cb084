"""Part of a job: work that would count and announce its own evaluations counts for a larger job instead."""

from __future__ import annotations

from typing import Any

from xai_core.engine.jobs.job import Job


class JobPart(Job[Any]):
    """Job whose evaluations and cancel are those of `whole`, which alone knows how many are to come.

    >>> whole = Job()
    >>> whole.expect(8)
    >>> part = JobPart(whole)
    >>> part.expect(4)
    >>> part.tick(4)
    >>> whole.done, whole.total
    (4, 8)
    """

    def __init__(self, whole: Job[Any]) -> None:
        self._whole = whole
        super().__init__(whole.key)
        self._stop = whole._stop

    @property
    def virtual_time(self) -> float | None:
        """Turn of the whole job: parts get no share of the cores of their own."""
        return self._whole.virtual_time

    @virtual_time.setter
    def virtual_time(self, value: float | None) -> None:
        # Set to None by the base class when the part begins; the whole goes on.
        if value is not None:
            self._whole.virtual_time = value

    def tick(self, evaluations: int = 0) -> None:
        """Count evaluations of the whole. Raises Cancelled."""
        self.done += evaluations
        self._whole.tick(evaluations)
