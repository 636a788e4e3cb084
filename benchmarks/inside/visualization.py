"""`python -m benchmarks.inside.visualization`: what the presets of feature visualization take, and what they are worth.

Each picture is compared with the 240 built-in crops of photographs, as an upload of the saved picture. CPU seconds are
those of all threads: on two idle cores a run takes about half of them. Exit code 1 where a picture loses.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

import torch

from xai_core import inside, load_model, predict
from xai_core.imageset import load_set
from xai_core.models.classifier import Classifier

MODEL, SET = "efficientnet_lite0", "photo_crops"
CLASS = 285
UNITS = ("channel:_blocks.3._bn1:12", "channel:_blocks.5._bn1:12", "channel:_blocks.10._bn1:30", f"class:{CLASS}")
HEADER = (
    "| unit | drawn as | sign | gradients | s | CPU s | value | best and worst crop | class first when uploaded |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |"
)


def measure(
    model: Classifier, unit: str, method: str, sign: int, crops: tuple[float, float], folder: str
) -> tuple[str, bool]:
    """Return a row of the table, and True if the picture lies beyond every crop."""
    planned = inside.plan_visualization(model, unit, method, sign)
    began, cpu = time.perf_counter(), time.process_time()
    result = inside.visualize(model, unit, method, sign)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    if folder:
        result.picture.save(f"{folder}/{unit.replace(':', '_')}_{method}_{sign}.png")
    beyond = result.score > crops[1] if sign > 0 else result.score < crops[0]
    first = predict(model, result.picture).classes[0][0] if unit == f"class:{CLASS}" and sign > 0 else None
    recognized = "" if first is None else "yes" if first == CLASS else f"no: {model.labels[first]}"
    row = (
        f"| {unit} | {method} | {sign} | {planned.gradients} | {seconds:.0f} | {cpu_seconds:.0f} | {result.score:.3g} "
        f"| {crops[1]:.3g} and {crops[0]:.3g} | {recognized} |"
    )
    return row, beyond and first in (None, CLASS)


def iter_requests(maco: bool) -> Iterator[tuple[str, str, int]]:
    """Yield unit, way to draw and sign of every picture."""
    for unit in UNITS:
        for sign in (1, -1):
            yield unit, "fourier", sign
    if maco:
        yield UNITS[-1], "maco", 1


def main() -> int:
    """Print the table; return 1 where a picture loses against a crop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="", help="where to save the pictures")
    parser.add_argument("--no-maco", action="store_true")
    options = parser.parse_args()
    model, crops = load_model(MODEL), load_set(SET)
    pictures = [crops.open(index) for index in range(len(crops))]
    ends = {}
    for unit in UNITS:
        values = inside.unit_values(model, unit, pictures)
        ends[unit] = (float(values.min()), float(values.max()))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {len(pictures)} crops\n", flush=True)
    print(HEADER, flush=True)
    all_beyond = True
    for unit, method, sign in iter_requests(not options.no_maco):
        row, is_beyond = measure(model, unit, method, sign, ends[unit], options.folder)
        all_beyond &= is_beyond
        print(row, flush=True)
    return 0 if all_beyond else 1


if __name__ == "__main__":
    sys.exit(main())
