"""`python -m benchmarks.previews`: time of the first preview of each growing method, and what all previews cost.

The cost is CPU time of drawing and of encoding for the browser, as a share of the CPU time of the whole call: other
programs disturb it little.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import xai_core
from xai_core import Job
from xai_core.methods.base.previews import Draw, Previews
from xai_core.methods.run.explain import carry_out
from xai_core.render import wire_preview
from xai_core.results import Preview

MODEL, SAMPLE = "efficientnet_lite0", "coffee"
MAX_SHARE = 0.03


@dataclass
class Costs:
    """Seconds from the start to each preview, CPU seconds of all, and bytes of the largest for the browser."""

    at: list[float] = field(default_factory=list)
    drawing: float = 0.0
    encoding: float = 0.0
    most_bytes: int = 0


class MeasuredPreviews(Previews):
    """Previews that note what they cost; each is encoded as for a page."""

    def __init__(self, costs: Costs) -> None:
        self.costs, self.began = costs, time.perf_counter()
        super().__init__(self._encode)

    def _encode(self, preview: Preview) -> None:
        start = time.thread_time()
        size = len(wire_preview(preview)["values"])
        self.costs.encoding += time.thread_time() - start
        self.costs.most_bytes = max(self.costs.most_bytes, size)
        self.costs.at.append(time.perf_counter() - self.began)

    def offer(self, job: Job[object], draw: Draw) -> None:
        start, encoding = time.thread_time(), self.costs.encoding
        super().offer(job, draw)
        self.costs.drawing += time.thread_time() - start - (self.costs.encoding - encoding)


def measure_method(model: xai_core.Classifier, name: str, once: bool) -> tuple[str, bool]:
    """Return a row of the table, and whether the cost is within its limit. `once`: measure the first call."""
    planned = xai_core.plan(model, xai_core.SAMPLES.get(SAMPLE).load(), name)
    if not once:
        # The first call builds what later ones use.
        carry_out(planned, Job())
    costs, cpu, start = Costs(), time.process_time(), time.perf_counter()
    carry_out(planned, Job(), MeasuredPreviews(costs))
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - start
    share = (costs.drawing + costs.encoding) / cpu
    first = f"{costs.at[0]:.2f}" if costs.at else "ready before"
    row = f"| {name} | {seconds:.2f} | {first} | {len(costs.at)} | {1000 * costs.drawing:.0f} | "
    return row + f"{1000 * costs.encoding:.0f} | {100 * share:.2f} | {costs.most_bytes / 1000:.1f} |", share < MAX_SHARE


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 where previews cost too much."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.previews", description=__doc__)
    parser.add_argument("--model", default=MODEL)
    growing = [spec.name for spec in xai_core.METHODS.specs() if spec.grows]
    parser.add_argument("--only", nargs="+", choices=growing, default=growing)
    parser.add_argument("--once", action="store_true", help="no call before the measured one")
    args = parser.parse_args(argv)
    model = xai_core.warm(args.model)
    print("| method | seconds | first preview, s | previews | drawing, CPU ms | encoding, CPU ms | share, % | kB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    fits = True
    for name in args.only:
        if xai_core.METHODS.get(name).refusal(model) is None:
            row, is_within = measure_method(model, name, args.once)
            fits = fits and is_within
            print(row, flush=True)
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main())
