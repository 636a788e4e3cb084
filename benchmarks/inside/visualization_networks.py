"""`python -m benchmarks.inside.visualization_networks`: a few steps of feature visualization on every network.

Bundled models with their weights, well-known networks with random ones: of each a class and a channel of its
recommended layer, by each way to draw. A network makes a picture or says in words why not; exit code 1 where a picture
is not finite or did not change.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.methods.zoo_gradients import make_model
from xai_core import XaiError, inside, load_model
from xai_core.models.classifier import Classifier

BUNDLED = ("small_cnn", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
KNOWN = (
    "alexnet",
    "vgg16",
    "resnet18",
    "resnet50",
    "densenet121",
    "googlenet",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "convnext_tiny",
    "swin_t",
    "vit_b_16",
)
HEADER = (
    "| network | unit | drawn as | pixels a side | s for two steps | value, first and last step |\n"
    "|---|---|---|---:|---:|---|"
)


def visualize_briefly(model: Classifier, unit: str, method: str) -> tuple[str, bool]:
    """Return the row of a picture made in two steps, and False where it is none."""
    began = time.perf_counter()
    try:
        result = inside.visualize(model, unit, method, steps=2)
    except XaiError as refusal:
        return f"| {model.name} | {unit} | {method} | | | refused: {refusal} |", True
    seconds, levels = time.perf_counter() - began, np.asarray(result.picture, int)
    is_sound = bool(np.isfinite([*result.curve, *result.scores]).all()) and levels.std() > 0
    curve = f"{result.curve[0]:.4g}, {result.curve[-1]:.4g}"
    return f"| {model.name} | {unit} | {method} | {result.size[0]} | {seconds:.1f} | {curve} |", is_sound


def main(argv: Sequence[str] | None = None) -> int:
    """Print line by line; return 1 where a picture is not finite or flat."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside.visualization_networks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BUNDLED + KNOWN, default=BUNDLED + KNOWN)
    print(HEADER, flush=True)
    all_sound = True
    for name in parser.parse_args(argv).only:
        model = load_model(name) if name in BUNDLED else make_model(name)
        layer = model.recommended_layer
        units = ["class:3"] + ([f"channel:{layer.name}:0"] if layer is not None else [])
        for unit in units:
            for method in inside.PARAMETRIZATIONS:
                row, is_sound = visualize_briefly(model, unit, method)
                all_sound &= is_sound
                print(row, flush=True)
    return 0 if all_sound else 1


if __name__ == "__main__":
    sys.exit(main())
