"""Checks and measurements of a backend before it is used: its error against plain torch, its best batch, its memory."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn

from xai_core.engine import cores, memory
from xai_core.engine.backends.network import Run, example_input
from xai_core.engine.backends.with_features import logits_and_maps, max_error
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.models.layers import Layer

# Logits of a backend may differ from plain torch by this much.
MAX_ERROR = 1e-3
# Bytes of activations that the gradient batches of all workers may hold, at most a quarter of all memory.
MAX_ACTIVATION_BYTES = 224 * 2**20
BATCH_SIZES = (4, 8, 16)


def measure_error(run: Run, model: Classifier, layer: Layer | None = None, count: int = 4) -> float:
    """Return the largest logit difference from plain torch on `count` pictures of noise over the whole input range, one
    batch.

    With a layer, also that of its pooled features (`max_error`).
    """
    example, generator = example_input(model, layer), torch.Generator().manual_seed(0)
    if layer is not None:
        noise = torch.randint(256, (count - 1, *example.shape[1:]), generator=generator, dtype=torch.uint8)
        pictures, steps = torch.cat([noise, example]), model.preprocessing
        inputs = torch.cat([steps.to_tensor(steps.to_pixels(picture)) for picture in pictures.numpy()])
        logits, maps = (part.cpu() for part in logits_and_maps(model.module, layer, inputs.to(model.device)))
        return max_error(run(pictures), logits, maps)
    noise = torch.rand((count - 1, *example.shape[1:]), generator=generator) * 2 - 1
    inputs = torch.cat([noise * 2, example])
    with torch.no_grad():
        expected = isolate(model.module)(inputs.to(model.device)).float().cpu()
    logits = run(inputs)
    if logits.shape != expected.shape or not logits.isfinite().all():
        return float("inf")
    return float((logits - expected).abs().max())


def measure_seconds(run: Run, example: torch.Tensor, size: int) -> float:
    """Return the seconds a picture takes in batches of this size: the best of three."""
    batch = example.repeat(size, 1, 1, 1)
    # The first run allocates.
    run(batch)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - start)
    return min(times) / size


def measure_micro_batch(run: Run, example: torch.Tensor) -> tuple[int, float]:
    """Return the smallest batch size within 10 % of the best speed and its seconds per picture: small batches cancel
    sooner.
    """
    seconds: dict[int, float] = {}
    for size in BATCH_SIZES:
        seconds[size] = measure_seconds(run, example, size)
        # A cancel must not wait for seconds in a slow network.
        if size * seconds[size] > 1.0:
            break
    best = min(seconds.values())
    size = next(size for size in seconds if seconds[size] <= 1.1 * best)
    return size, seconds[size]


def gradient_batch_for(model: Classifier) -> int:
    """Return how many pictures one worker may differentiate at once within the memory for activations, 1 to 8."""
    budget = min(MAX_ACTIVATION_BYTES, memory.budget() // 4) // cores.WORKERS
    return max(1, min(8, budget // _activation_bytes(model.module, model.zero_input)))


def _activation_bytes(module: nn.Module, example: torch.Tensor) -> int:
    """Return the bytes that all leaf modules but norms, which are folded, put out for one picture: a backward pass
    keeps them.
    """
    private, total = isolate(module), 0

    def count(_part: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal total
        total += output.numel() * output.element_size() if isinstance(output, torch.Tensor) else 0

    for part in private.modules():
        if not isinstance(part, nn.BatchNorm2d) and not any(True for _ in part.children()):
            part.register_forward_hook(count)
    with torch.no_grad(), out_of_place():
        private(example)
    return max(total, 1)
