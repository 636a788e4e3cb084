"""`python -m benchmarks.inside.ideas`: what one more idea takes after a run, and where the time goes.

The second of two runs counts. Processor time stands beside the clock's: on a busy machine it is what can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from PIL import Image

from xai_core import SAMPLES, inside, load_model

T = TypeVar("T")
MODEL, IDEAS, PICTURES, RANDOM, EXAMPLES = "efficientnet_lite0", 14, 20, 100, 40
OWN = 12


def measure(words: str, work: Callable[[], T]) -> T:
    """Print seconds of the second call, and return its result."""
    work()
    began, used_before = time.perf_counter(), time.process_time()
    result = work()
    print(f"| {words} | {time.perf_counter() - began:.2f} | {time.process_time() - used_before:.2f} |", flush=True)
    return result


def list_crops(count: int) -> list[Image.Image]:
    """Return crops of the sample photographs."""
    photos = [SAMPLES.get(name).load() for name in ("coffee", "chelsea", "rocket", "flower")]
    return [photo.crop((n, n, n + 220, n + 220)) for n in range(0, 4 * count, 4) for photo in photos][:count]


def main() -> None:
    """Print a row a step."""
    model, rng = load_model(MODEL), np.random.default_rng(0)
    layer = inside.choose_layer(model)
    crops = list_crops(OWN)
    print("| step | s | CPU s |")
    print("| --- | ---: | ---: |")
    own = measure(f"{OWN} own pictures", lambda: inside.read_activations(model, [layer], crops)[layer.name])
    # Numbers of the ideas do not matter for the time.
    ideas = {str(n): own[rng.integers(OWN, size=PICTURES)] + rng.random(own.shape[1]) for n in range(IDEAS)}
    random = own[rng.integers(OWN, size=RANDOM)] + rng.random((RANDOM, own.shape[1]))
    slopes = rng.normal(size=(EXAMPLES, own.shape[1]))
    measure(f"scores of {IDEAS + 1} ideas", lambda: inside.score_directions({**ideas, "own": own}, random, slopes))


if __name__ == "__main__":
    main()
