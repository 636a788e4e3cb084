"""Plain torch, which runs every network on every device; channels-last, as convolutions prefer it."""

from __future__ import annotations

import torch

from xai_core.engine.backends.network import Run, network_to_run
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer


def build_eager_run(model: Classifier, layer: Layer | None = None) -> Run:
    """Build the function that runs batches in plain torch on the model's device."""
    module, device = network_to_run(model, layer).to(memory_format=torch.channels_last), model.device
    # Pictures in bytes have their channels last by themselves.
    memory_format = torch.channels_last if layer is None else torch.contiguous_format

    def run(batch: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            rows: torch.Tensor = module(move_batch(batch, device, memory_format))
        return rows.float().cpu()

    return run


def move_batch(batch: torch.Tensor, device: torch.device, memory_format: torch.memory_format) -> torch.Tensor:
    """Return the batch on the device; to a graphics card it goes from pinned memory, beside what the card computes."""
    pinned = device.type == "cuda" and batch.device.type == "cpu"
    source = batch.pin_memory() if pinned else batch
    return source.to(device, memory_format=memory_format, non_blocking=pinned)
