"""`python -m benchmarks.hide`: what it takes to fill a hidden half of a picture, and to ask the model about the rest.

Medians of nine runs, after one that is not counted. Processor time stands beside: on a busy machine it is what can be
compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

import xai_core
from xai_core import what_if
from xai_core.arrays import Bool

MODEL, SAMPLE, REPEATS = "efficientnet_lite0", "chelsea", 9


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return the median milliseconds of a call, on the clock and of the processor."""
    work()
    seconds, used = [], []
    for _ in range(REPEATS):
        began, used_before = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - began)
        used.append(time.process_time() - used_before)
    return 1000 * median(seconds), 1000 * median(used)


def list_masks(side: int) -> dict[str, Bool]:
    """Return masks (side, side) that hide half of a picture: as one square in the middle, as a band, and as dust."""
    square = np.zeros((side, side), dtype=bool)
    first = round(side * (1 - 0.5**0.5) / 2)
    square[first : side - first, first : side - first] = True
    band = np.zeros((side, side), dtype=bool)
    band[:, : side // 2] = True
    return {"square": square, "band": band, "dust": np.random.default_rng(0).random((side, side)) < 0.5}


def main() -> None:
    """Print one row a filling and shape of the hidden half."""
    model, image = xai_core.load_model(MODEL), xai_core.SAMPLES.get(SAMPLE).load()
    pixels = model.preprocessing.to_pixels(model.preprocessing.model_input(image))
    print("| hidden half | filling | ms | CPU ms | of it to fill, CPU ms |")
    print("| --- | --- | ---: | ---: | ---: |")
    for shape, mask in list_masks(model.side).items():
        for filling in what_if.FILLINGS:
            taken, used = measure(partial(what_if.hide, model, image, mask, filling))
            filled = measure(partial(what_if.make_hider(pixels, filling), mask))[1]
            print(f"| {shape} | {what_if.FILLINGS[filling]} | {taken:.0f} | {used:.0f} | {filled:.0f} |", flush=True)


if __name__ == "__main__":
    main()
