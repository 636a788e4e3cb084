"""Faster ways to run a network on the device, each with the error of its logits: only those within 1e-3 may be used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import nn

from benchmarks.gpu.networks import Pair
from xai_core.engine.backends.calibration import MAX_ERROR
from xai_core.models.isolation import isolate

Run = Callable[[torch.Tensor], torch.Tensor]
BATCH, REPEATS = 64, 5


def synchronize(device: torch.device) -> None:
    """Wait until the device has done everything it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure_options(pair: Pair, batch: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each way: error of the logits on noise, pictures a second, and whether it may be used."""
    device = pair.device.device
    channels, side = pair.device.preprocessing.channels, pair.device.side
    noise = torch.rand((batch, channels, side, side), generator=torch.Generator().manual_seed(0)) * 4 - 2
    inputs = noise.to(device, memory_format=torch.channels_last)
    module = isolate(pair.device.module).to(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = module(inputs).float()
        for name, build in _list_ways(module, inputs).items():
            row: dict[str, Any] = {"network": pair.name, "way": name}
            try:
                run = build()
                error = float((run(inputs).float() - expected).abs().max())
                row |= {"error": error, "pictures/s": round(batch / _measure_seconds(run, inputs))}
                row["passed"] = error <= MAX_ERROR
            # A way that this network or device cannot go is a fact about it, no failure of the proof.
            except (RuntimeError, NotImplementedError) as problem:
                row |= {"error": None, "pictures/s": None, "passed": False, "problem": str(problem).partition("\n")[0]}
            yield row


def _list_ways(module: nn.Module, inputs: torch.Tensor) -> dict[str, Callable[[], Run]]:
    kind = inputs.device.type
    ways: dict[str, Callable[[], Run]] = {
        "float32": lambda: module,
        "autocast bfloat16": lambda: partial(_run_autocast, module, torch.bfloat16),
    }
    if kind == "cuda":
        ways |= {
            "autocast float16": lambda: partial(_run_autocast, module, torch.float16),
            "CUDA graph": lambda: _capture_graph(module, inputs),
        }
    return ways


def _run_autocast(module: nn.Module, dtype: torch.dtype, inputs: torch.Tensor) -> torch.Tensor:
    with torch.autocast(inputs.device.type, dtype=dtype):
        logits: torch.Tensor = module(inputs)
    return logits


def _capture_graph(module: nn.Module, inputs: torch.Tensor) -> Run:
    """Record the kernels of one batch, to be played again without the work of starting each."""
    place = inputs.clone()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        # Libraries choose their kernels before the recording.
        for _ in range(3):
            module(place)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits = module(place)

    def run(batch: torch.Tensor) -> torch.Tensor:
        place.copy_(batch)
        graph.replay()
        result: torch.Tensor = logits.clone()
        return result

    return run


def _measure_seconds(run: Run, inputs: torch.Tensor) -> float:
    """Return the median seconds of a batch."""
    times = []
    for _ in range(REPEATS):
        synchronize(inputs.device)
        start = time.perf_counter()
        run(inputs)
        synchronize(inputs.device)
        times.append(time.perf_counter() - start)
    return median(times)
