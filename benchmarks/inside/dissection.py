"""`python -m benchmarks.inside.dissection`: what it takes to match every unit of a layer with the generated concepts.

600 pictures and 200 held out, as on the page. CPU seconds are those of all threads. Exit code 1 where a layer takes
longer than MAX_SECONDS, or where shuffled masks give detectors.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from xai_core import inside, load_model

MODEL, LAYERS, MAX_SECONDS = "efficientnet_lite0", ("_swish", "_bn1", "_blocks.10", "_blocks.3"), 60.0
HEADER = (
    "| layer | units | places | s | CPU s | load before | detectors | their concepts | saturated units | detectors "
    "with shuffled masks |\n| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> int:
    """Print the table; return 1 where a layer takes too long or luck passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", nargs="*", default=LAYERS)
    model, failed = load_model(MODEL), False
    print(HEADER)
    for layer in parser.parse_args().layers:
        load, began, cpu = os.getloadavg()[0], time.perf_counter(), time.process_time()
        result = inside.dissect(model, layer)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        rows, columns = model.layer(layer).grid
        saturated = sum(label.saturated > 0 for label in result.labels)
        print(
            f"| {layer} | {len(result.labels):,} | {rows} × {columns} | {seconds:.0f} | {cpu_seconds:.0f} | {load:.1f} "
            f"| {len(result.detectors)} | {len({label.concept for label in result.detectors})} | {saturated} "
            f"| {result.shuffled_detectors} |",
            flush=True,
        )
        failed |= seconds > MAX_SECONDS or result.shuffled_detectors > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
