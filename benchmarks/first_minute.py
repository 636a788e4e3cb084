"""`python -m benchmarks.first_minute`: where the time goes from the first click on a new server to four maps.

Two new processes in one empty data folder: the first translates the network, the second finds it kept. Each does what
the server does (load, build, warm), then explains a picture by the four usual methods and encodes the maps for the
browser. CPU seconds stand beside wall seconds, since other programs disturb only the latter.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

MODEL, SAMPLE = "efficientnet_lite0", "coffee"
STARTS = ("first start", "second start")
Seconds = dict[str, tuple[float, float]]


class StageClock:
    """Wall and CPU seconds of named stages; what a stage does inside another is not counted for the outer one."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}
        self._inner: list[tuple[float, float]] = [(0.0, 0.0)]

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the seconds of a block to the stage `name`."""
        wall, cpu = time.perf_counter(), time.process_time()
        self._inner.append((0.0, 0.0))
        try:
            yield
        finally:
            total = (time.perf_counter() - wall, time.process_time() - cpu)
            inner, outer = self._inner.pop(), self._inner.pop()
            self._inner.append((outer[0] + total[0], outer[1] + total[1]))
            known = self.seconds.get(name, (0.0, 0.0))
            self.seconds[name] = (known[0] + total[0] - inner[0], known[1] + total[1] - inner[1])

    def wrap(self, module: ModuleType, function: str, name: str) -> None:
        """Count the calls of a module's function for the stage `name`."""
        original: Callable[..., Any] = getattr(module, function)

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.measure(name):
                return original(*args, **kwargs)

        setattr(module, function, call)


def run_start(model_name: str, sample: str) -> Mapping[str, Any]:
    """Start as the server does, make four maps, and return the seconds of each stage and the bytes for the browser."""
    clock = StageClock()
    with clock.measure("imports"):
        import xai_core
        from xai_core.engine.backends import forward, openvino
        from xai_core.engine.split import split_network
        from xai_core.methods.run import service
        from xai_core.render import wire_map, wire_picture
    for module in (openvino, split_network):
        clock.wrap(module, "translate_network", "translate or read the network")
        clock.wrap(module, "compile_graph", "compile")
    for function in ("measure_error", "measure_micro_batch", "measure_seconds"):
        clock.wrap(forward, function, "check and measure")
    clock.wrap(service, "split_network_for", "split")
    with clock.measure("load the weights"):
        xai_core.load_model(model_name)
    with clock.measure("other preparation"):
        model = xai_core.warm(model_name)
    image = xai_core.SAMPLES.get(sample).load()
    maps = []
    for spec in sorted((spec for spec in xai_core.METHODS.specs() if spec.usual), key=lambda spec: spec.usual)[:4]:
        with clock.measure(f"map: {spec.technical}"):
            maps.append(xai_core.explain(model, image, spec.name))
    with clock.measure("draw and encode"):
        verdicts = xai_core.judge(maps)
        wires = [wire_map(attribution) for attribution in maps]
        picture = wire_picture(model.preprocessing.model_input(image))
    transport = sum(len(json.dumps(wire)) for wire in wires) + len(picture)
    return {"seconds": clock.seconds, "bytes": transport, "maps": len(verdicts)}


def measure_starts(model_name: str, sample: str) -> dict[str, Mapping[str, Any]]:
    """Return the stages of a first and of a second start, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="whybox-first-minute-") as folder:
        environment = os.environ | {"WHYBOX_DATA": folder}
        command = [sys.executable, "-m", "benchmarks.first_minute", "--one", "--model", model_name, "--sample", sample]
        outputs = [subprocess.run(command, env=environment, capture_output=True, check=True) for _ in STARTS]
    return {name: json.loads(output.stdout) for name, output in zip(STARTS, outputs, strict=True)}


def format_table(starts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a Markdown table with a row for each stage and its share that is no evaluation."""
    stages = list(dict.fromkeys(stage for start in starts.values() for stage in start["seconds"]))
    head = "".join(f" {name}: wall s | CPU s |" for name in starts)
    lines = [f"| stage |{head}", f"|---|{'---:|---:|' * len(starts)}"]

    def write_row(title: str, pairs: Sequence[tuple[float, float]]) -> str:
        return f"| {title} |" + "".join(f" {wall:.2f} | {cpu:.2f} |" for wall, cpu in pairs)

    for stage in stages:
        lines.append(write_row(stage, [start["seconds"].get(stage, (0.0, 0.0)) for start in starts.values()]))
    sums = [
        tuple(sum(pair[part] for stage, pair in start["seconds"].items() if "map: " not in stage) for part in (0, 1))
        for start in starts.values()
    ]
    lines.append(write_row("**all but the maps**", [(wall, cpu) for wall, cpu in sums]))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure both starts and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_minute", description=__doc__)
    parser.add_argument("--one", action="store_true", help="measure this process alone and print JSON")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--sample", default=SAMPLE)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table here too")
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(run_start(args.model, args.sample)))
        return 0
    starts = measure_starts(args.model, args.sample)
    text = format_table(starts) + f"\n\nFor the browser: {starts[STARTS[0]]['bytes'] / 1000:.0f} kB.\n"
    print(text)
    if args.out is not None:
        args.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
