"""Speed on the device: four methods side by side, and occlusion, LIME and Integrated Gradients against Captum."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import IntegratedGradients, Lime, Occlusion
from PIL import Image

import xai_core
from benchmarks.gpu.precision import synchronize
from xai_core.engine.backends.forward import forward_for
from xai_core.images import make_baseline
from xai_core.methods.shared.superpixels import find_superpixels

FOUR = ("grad_cam", "occlusion", "integrated_gradients", "lime")
FOUR_GOAL_S = 0.25
REPEATS = 3
CAPTUM_BATCHES = (16, 64, 256)


def _measure(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the median seconds, without the first run, which builds and chooses."""
    work()
    times = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return median(times)


def measure_four(model: xai_core.Classifier, image: Image.Image, quick: bool) -> dict[str, Any]:
    """Return a row: seconds of the four usual methods in sequence, and the most memory of the device."""
    params = {name: dict(xai_core.METHODS.get(name).quick_params(model.side)) for name in FOUR} if quick else {}
    if model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(model.device)
    seconds = _measure(
        lambda: xai_core.compare(model, image, FOUR, params=params), model.device, 1 if quick else REPEATS
    )
    memory = torch.cuda.max_memory_reserved(model.device) / 2**20 if model.device.type == "cuda" else None
    return {
        "seconds": round(seconds, 3),
        "goal": FOUR_GOAL_S,
        "peak MB": memory and round(memory),
        # A goal of graphics cards: on a CPU there is nothing to pass.
        "passed": seconds < FOUR_GOAL_S if model.device.type == "cuda" else None,
    }


def compare_with_captum(model: xai_core.Classifier, image: Image.Image, quick: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each of three methods: our pictures and batches a second, and Captum's at its best batch."""
    device, batch = model.device, forward_for(model).micro_batch
    sizes = CAPTUM_BATCHES[:1] if quick else CAPTUM_BATCHES
    for name, params, captum in _list_contests(model, image, quick):
        evaluations = xai_core.explain(model, image, name, params=params).evaluations
        ours = _measure(partial(xai_core.explain, model, image, name, params=params), device, 1)
        times = {size: _measure(partial(captum, size), device, 1) for size in sizes}
        best = min(times, key=lambda size: times[size])
        yield {
            "method": name,
            "seconds": round(ours, 3),
            "pictures/s": round(evaluations / ours),
            "batches/s": round(evaluations / ours / batch, 1),
            "batch": batch,
            "Captum seconds": round(times[best], 3),
            "Captum batch": best,
            "ratio": round(ours / times[best], 3),
        }


def _list_contests(
    model: xai_core.Classifier, image: Image.Image, quick: bool
) -> Iterator[tuple[str, dict[str, object], Callable[[int], object]]]:
    """Yield method, our parameters and Captum's call by batch size, for the same work."""
    steps, device, side = model.preprocessing, model.device, model.side
    pixels = steps.to_pixels(steps.model_input(image))
    x = model.prepare(image).to(device)
    grey = steps.to_tensor(make_baseline(pixels, "grey", np.random.default_rng(0))).to(device)
    target = xai_core.predict(model, image, 1).classes[0][0]
    window, stride = (side // 2, side // 4) if quick else (side // 7, side // 14)
    samples, points = (20, 8) if quick else (500, 64)
    patches = torch.from_numpy(find_superpixels(pixels, 50))[None, None].to(device)
    channels = x.shape[1]
    yield (
        "occlusion",
        {"window": window, "stride": stride},
        lambda size: Occlusion(model.module).attribute(
            x, (channels, window, window), (channels, stride, stride), grey, target, perturbations_per_eval=size
        ),
    )
    yield (
        "lime",
        {"samples": samples, "segments": 50},
        lambda size: Lime(model.module, interpretable_model=SkLearnRidge(alpha=1.0)).attribute(
            x, baselines=grey, target=target, feature_mask=patches, n_samples=samples, perturbations_per_eval=size
        ),
    )
    yield (
        "integrated_gradients",
        {"steps": points},
        lambda size: IntegratedGradients(model.module).attribute(
            x, grey, target, n_steps=points, internal_batch_size=size
        ),
    )
