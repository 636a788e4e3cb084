"""A job that is cancelled as soon as its first work is done."""

from __future__ import annotations

from xai_core import Job


class ImpatientJob(Job[object]):
    def tick(self, evaluations: int = 0) -> None:
        if self.done >= 1:
            self.cancel()
        super().tick(evaluations)
