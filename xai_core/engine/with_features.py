"""A network that tells, beside its logits, what one layer found: mean, maximum and its place for every channel.

All of it comes in one row a picture, so that it travels through the shared line of batches like logits do. It takes pictures as bytes
and normalises them itself: it is there for whole sets, where handing over four times as much costs more than the arithmetic.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import torch
from torch import nn

from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate, out_of_place
from xai_core.models.layers import Layer


class WithFeatures(NamedTuple):
    """What one batch gave: logits (N, classes), and mean, maximum and flat place of the first maximum for each channel, (N, C) each.

    Places are numbers of a float32: exact on any grid of less than 2**24 of them.
    """

    logits: torch.Tensor
    mean: torch.Tensor
    max: torch.Tensor
    argmax: torch.Tensor

    @classmethod
    def from_rows(cls, rows: torch.Tensor, channels: int) -> WithFeatures:
        """Take the rows (N, classes + 3 C) of a tapped network apart."""
        logits, mean, peak, where = rows.split([rows.shape[1] - 3 * channels, *[channels] * 3], dim=1)
        return cls(logits, mean, peak, where)


def _places(layer: Layer, activation: torch.Tensor) -> torch.Tensor:
    """The activation as (N, places, C), class tokens left out. No size is read, so that a traced network takes any batch.

    Channels come last because there are more of them than places: what is done along them is done many at a time.
    """
    if layer.layout == "tokens":
        return activation[:, layer.prefix_tokens :]
    maps = activation.permute(0, 2, 3, 1) if layer.layout == "channels_first" else activation
    return maps.flatten(1, 2)


def _pooled(places: torch.Tensor) -> list[torch.Tensor]:
    """Mean, maximum and its first place, (N, C) each. By a comparison, not by argmax: OpenVINO sorts for that, and leaves ties open."""
    peak = places.amax(1, keepdim=True)
    numbers = torch.arange(places.shape[1], dtype=places.dtype, device=places.device)[:, None]
    where = torch.where(places == peak, numbers, numbers[-1]).amin(1)
    return [places.mean(1), peak[:, 0], where]


class NetworkWithFeatures(nn.Module):
    """Seen pictures, 0..255 in a uint8 (N, H, W, C), to rows (N, classes + 3 C).

    The logits of a private copy and what was pooled of a layer; of a reused layer its last call.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, classifier: Classifier, layer: Layer) -> None:
        super().__init__()
        self.network = isolate(classifier.module)
        self.side, self.channels = classifier.side, classifier.preprocessing.channels
        for name in ("mean", "std"):
            row = torch.tensor(
                getattr(classifier.preprocessing, name), dtype=torch.float32, device=classifier.device
            ).repeat(self.side)
            self.register_buffer(name, row)
        self._seen = seen = threading.local()  # workers run the same network in parallel

        def pool(_part: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            # At once: the network may overwrite what the layer returned.
            seen.pooled = _pooled(_places(layer, output).float())

        self.network.get_submodule(layer.name).register_forward_hook(pool)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        logits = self.network(self._normalised(seen)).float()
        return torch.cat([logits, *self._seen.pooled], dim=1)

    def _normalised(self, seen: torch.Tensor) -> torch.Tensor:
        """The network's input, as `Preprocessing.tensor` has it.

        Whole rows of pixels at a time: compiled, arithmetic along one or three channels takes ten times as long.
        """
        rows = (seen.flatten(2).float() / 255 - self.mean) / self.std
        return rows.view(-1, self.side, self.side, self.channels).permute(0, 3, 1, 2)


def logits_and_maps(module: nn.Module, layer: Layer, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N, classes) and the layer's maps (N, C, rows, columns) in plain torch, on a private copy."""
    private, kept = isolate(module), []

    def keep(_part: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        kept.append(layer.to_maps(output.detach()).float())
        return output.clone()  # the network may go on to write into what the layer returned

    private.get_submodule(layer.name).register_forward_hook(keep)
    with torch.no_grad(), out_of_place():
        logits = private(x)
    return logits.float(), kept[-1]


def max_error(rows: torch.Tensor, logits: torch.Tensor, maps: torch.Tensor) -> float:
    """How far rows are from the logits and maps they stand for: the largest error of a logit, or of a pooled value as a share of the
    layer's largest. A place is as wrong as the value there is below the maximum.
    """
    found, flat = WithFeatures.from_rows(rows, maps.shape[1]), maps.flatten(2)
    where = found.argmax.long()
    if (
        found.logits.shape != logits.shape
        or not rows.isfinite().all()
        or not ((where >= 0) & (where < flat.shape[2])).all()
    ):
        return float("inf")
    peak = flat.amax(2)
    pooled = (found.mean - flat.mean(2), found.max - peak, flat.gather(2, where[:, :, None])[:, :, 0] - peak)
    scale = max(float(maps.abs().max()), 1.0)
    return max(float((found.logits - logits).abs().max()), *(float(each.abs().max()) / scale for each in pooled))
