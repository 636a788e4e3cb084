"""Previews: the map as far as it is known while its method runs, made only when somebody waits for one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import numpy as np
import torch

from xai_core.arrays import Float
from xai_core.engine.jobs import Job
from xai_core.results import Preview

log = logging.getLogger(__name__)

# Seconds from the start of a call to its first preview: a map that is finished by then needs none.
FIRST_AFTER_S = 0.15
# Seconds between two previews.
INTERVAL_S = 0.5
# Share of a call's time that previews may take.
MAX_TIME_SHARE = 0.02
Draw = Callable[[], "torch.Tensor | Float"]
OfferPreview = Callable[[Draw], None]


def make_no_preview(_draw: Draw) -> None:
    """Refuse an offer: nobody waits for it."""


class Previews:
    """Decides which offers of a method become previews: at most two a second, and only while somebody waits.

    They never cost more than MAX_TIME_SHARE of the time, and one that fails ends the previews but not the map.
    """

    def __init__(
        self,
        on_preview: Callable[[Preview], object],
        is_wanted: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`on_preview` is called in the method's thread, which waits for it."""
        self._on_preview, self._is_wanted, self._clock = on_preview, is_wanted, clock
        self._due = clock() + FIRST_AFTER_S
        self._count = 0

    def offer(self, job: Job[object], draw: Draw) -> None:
        """Make a preview of what `draw` returns, (H, W) or (C, H, W), if one is due."""
        began = self._clock()
        if began < self._due or not self._is_wanted():
            return
        try:
            values = draw()
        except (ArithmeticError, RuntimeError, ValueError):
            log.exception("A preview failed, so there are no more of this map.")
            self._due = float("inf")
            return
        self._count += 1
        values = np.asarray(values.cpu() if isinstance(values, torch.Tensor) else values, dtype=np.float32)
        self._on_preview(Preview(values, job.fraction, self._count))
        end = self._clock()
        self._due = max(began + INTERVAL_S, end + (end - began) / MAX_TIME_SHARE)
