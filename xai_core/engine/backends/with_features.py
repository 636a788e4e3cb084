"""A network that returns, beside its logits, pooled features of one layer: mean, maximum and its place for every
channel.

All of it comes in one row per picture, so that it travels through the shared queue of batches as logits do. It takes
pictures as bytes and normalizes them itself: for whole sets, handing over four times as many bytes costs more than the
arithmetic.
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
    """One batch: logits (N, classes), and mean, maximum and flat place of the first maximum of each channel, (N, C)
    each.

    Places are whole numbers in float32: exact on any grid of less than 2**24 of them.
    """

    logits: torch.Tensor
    mean: torch.Tensor
    max: torch.Tensor
    argmax: torch.Tensor

    @classmethod
    def from_rows(cls, rows: torch.Tensor, channels: int) -> WithFeatures:
        """Take the rows (N, classes + 3 C) of a network with features apart, as views."""
        return cls(*rows.split([rows.shape[1] - 3 * channels, *[channels] * 3], dim=1))


def _to_places(layer: Layer, activation: torch.Tensor) -> torch.Tensor:
    """Return the activation as (N, places, C) without class tokens.

    No size is read, so that a traced network takes any batch.

    Channels come last because there are more of them than places: reductions along places then handle many at a time.
    """
    if layer.layout == "tokens":
        return activation[:, layer.prefix_tokens :]
    maps = activation.permute(0, 2, 3, 1) if layer.layout == "channels_first" else activation
    return maps.flatten(1, 2)


def _pool(places: torch.Tensor) -> list[torch.Tensor]:
    """Return mean, maximum and its first place, (N, C) each.

    Not by argmax: OpenVINO sorts for it and leaves ties open.
    """
    maximum = places.amax(1, keepdim=True)
    numbers = torch.arange(places.shape[1], dtype=places.dtype, device=places.device)[:, None]
    first = torch.where(places == maximum, numbers, numbers[-1]).amin(1)
    return [places.mean(1), maximum[:, 0], first]


class NetworkWithFeatures(nn.Module):
    """From pictures in 0..255, uint8 (N, H, W, C), to rows (N, classes + 3 C): logits and pooled features of a layer.

    Of a reused layer the last call counts.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, model: Classifier, layer: Layer) -> None:
        super().__init__()
        self.network = isolate(model.module)
        self.side, self.channels = model.side, model.preprocessing.channels
        for name in ("mean", "std"):
            values = torch.tensor(getattr(model.preprocessing, name), dtype=torch.float32, device=model.device)
            self.register_buffer(name, values.repeat(self.side))
        # Workers run the same network side by side.
        self._features = features = threading.local()

        def pool(_part: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            # At once: the network may overwrite the layer's output.
            features.pooled = _pool(_to_places(layer, output).float())

        self.network.get_submodule(layer.name).register_forward_hook(pool)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits = self.network(self._normalize(pictures)).float()
        return torch.cat([logits, *self._features.pooled], dim=1)

    def _normalize(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the network's input, as `Preprocessing.to_tensor` does.

        Whole rows of pixels at a time: compiled, arithmetic along one or three channels takes ten times as long.
        """
        rows = (pictures.flatten(2).float() / 255 - self.mean) / self.std
        return rows.view(-1, self.side, self.side, self.channels).permute(0, 3, 1, 2)


def logits_and_maps(module: nn.Module, layer: Layer, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits (N, classes) and the layer's maps (N, C, rows, columns) in plain torch, by a private copy."""
    private, outputs = isolate(module), []

    def record(_part: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        outputs.append(layer.to_maps(output.detach()).float())
        # The network may go on to write into the layer's output.
        return output.clone()

    private.get_submodule(layer.name).register_forward_hook(record)
    with torch.no_grad(), out_of_place():
        logits = private(x)
    return logits.float(), outputs[-1]


def max_error(rows: torch.Tensor, logits: torch.Tensor, maps: torch.Tensor) -> float:
    """Return the largest error of rows against logits (N, classes) and maps (N, C, rows, columns); inf for no numbers.

    Errors of pooled features are shares of the largest activation; a place is as wrong as its value is below the
    maximum.
    """
    pooled, flat = WithFeatures.from_rows(rows, maps.shape[1]), maps.flatten(2)
    places = pooled.argmax.long()
    in_range = ((places >= 0) & (places < flat.shape[2])).all()
    if pooled.logits.shape != logits.shape or not rows.isfinite().all() or not in_range:
        return float("inf")
    maximum = flat.amax(2)
    at_places = flat.gather(2, places[:, :, None])[:, :, 0]
    scale = max(float(maps.abs().max()), 1.0)
    errors = (pooled.mean - flat.mean(2), pooled.max - maximum, at_places - maximum)
    return max(float((pooled.logits - logits).abs().max()), *(float(error.abs().max()) / scale for error in errors))
