"""One loaded network: its module, its preprocessing, its labels and its explainable layers."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import get_args

import numpy as np
import torch
from PIL import Image
from torch import nn

from xai_core.arrays import Float32, UInt8
from xai_core.errors import InvalidParam, UnknownName
from xai_core.images.resize import Interpolation, resize
from xai_core.models.layers import Layer, Stage, list_layers


@dataclass(frozen=True)
class Preprocessing:
    """Shorter side to `resize`, centre crop, then (pixel - mean) / std for pixels in 0..1."""

    resize: int
    crop: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        if self.resize < self.crop:
            raise ValueError(f"a crop of {self.crop} pixels does not fit a picture resized to {self.resize}")

    @property
    def channels(self) -> int:
        """3 for colour (RGB), 1 for grey (L)."""
        return len(self.mean)

    def input_bytes(self, image: Image.Image) -> UInt8:
        """Return the picture as the model sees it, in 0..255, uint8 (H, W, C).

        Sizes and places are rounded as torchvision does.
        """
        return self._crop_bytes(image, self.crop)

    def square_bytes(self, image: Image.Image) -> UInt8:
        """Return the middle square of the resized picture before the crop, in 0..255, uint8 (resize, resize, C)."""
        return self._crop_bytes(image, self.resize)

    def _crop_bytes(self, image: Image.Image, side: int) -> UInt8:
        mode = "L" if self.channels == 1 else "RGB"
        image = image if image.mode == mode else image.convert(mode)
        shorter = min(image.size)
        width, height = (int(self.resize * length / shorter) for length in image.size)
        left, top = (round((length - side) / 2) for length in (width, height))
        return resize(image, (width, height), self.interpolation)[top : top + side, left : left + side]

    def model_input(self, image: Image.Image) -> Image.Image:
        """Return the picture as the model sees it, crop x crop pixels, RGB or L."""
        return self.to_picture(self.input_bytes(image))

    def to_picture(self, values: UInt8) -> Image.Image:
        """Return bytes (H, W, C) as a picture, RGB or L."""
        return Image.fromarray(values[:, :, 0] if self.channels == 1 else values)

    def to_bytes(self, picture: Image.Image) -> UInt8:
        """Return the numbers of a picture that the model sees, 0..255, uint8 (H, W, C)."""
        return np.asarray(picture).reshape(picture.height, picture.width, self.channels)

    def to_pixels(self, picture: Image.Image | UInt8) -> Float32:
        """Return such a picture, or its bytes, as numbers in 0..1, float32 (H, W, C)."""
        values = self.to_bytes(picture) if isinstance(picture, Image.Image) else picture
        array: Float32 = values.astype(np.float32) / np.float32(255)
        return array

    def mean_and_std(self, like: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and standard deviation of each channel, (C, 1, 1), on the device of a tensor."""
        device = like.device if like is not None else None
        mean, std = (
            torch.tensor(values, dtype=torch.float32, device=device).view(-1, 1, 1) for values in (self.mean, self.std)
        )
        return mean, std

    def to_tensor(self, pixels: Float32) -> torch.Tensor:
        """Return the network's input for pixels in 0..1: float32, (1, C, H, W), normalised."""
        mean, std = self.mean_and_std()
        return (torch.tensor(np.moveaxis(pixels, -1, 0).copy(), dtype=torch.float32)[None] - mean) / std

    def from_tensor(self, tensor: torch.Tensor) -> Float32:
        """Return the inverse of `to_tensor`: (1, C, H, W) back to pixels (H, W, C) in 0..1."""
        mean, std = self.mean_and_std(tensor)
        pixels = (tensor.detach() * std + mean)[0].permute(1, 2, 0)
        array: Float32 = np.ascontiguousarray(pixels.cpu().numpy())
        return array


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network ready to be explained.

    `module` is in eval mode and shared by every session: nobody hooks, trains or changes it.

    `note` is a sentence for the visitor where something about the weights deserves one, else empty.
    """

    name: str
    title: str
    family: str
    module: nn.Module
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    weights_sha256: str
    device: torch.device
    prefer: str | None = None
    note: str = ""
    _lock: Lock = field(default_factory=Lock, repr=False)
    _layers: list[tuple[Layer, ...]] = field(default_factory=list, repr=False)

    @property
    def side(self) -> int:
        """Side of the square input in pixels."""
        return self.preprocessing.crop

    @property
    def zero_input(self) -> torch.Tensor:
        """A prepared input of zeros, (1, C, H, W) on the model's device: for passes that need only a shape."""
        return torch.zeros(1, self.preprocessing.channels, self.side, self.side, device=self.device)

    def at_side(self, side: int) -> Classifier:
        """Return the same network for pictures of another side; whether it takes them is not checked."""
        steps = replace(self.preprocessing, resize=self.preprocessing.resize - self.side + side, crop=side)
        return replace(self, preprocessing=steps, _lock=Lock(), _layers=[])

    def prepare(self, image: Image.Image) -> torch.Tensor:
        """Return a picture as the network's input on the model's device, (1, C, H, W). A new tensor for every call."""
        steps = self.preprocessing
        return steps.to_tensor(steps.to_pixels(steps.model_input(image))).to(self.device)

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers that can be explained, in execution order; found once, by one forward pass."""
        with self._lock:
            if not self._layers:
                self._layers.append(list_layers(self.module, self.zero_input, self.prefer))
            return self._layers[0]

    @property
    def offered_layers(self) -> tuple[Layer, ...]:
        """The layers worth a choice: without second names and without padding."""
        return tuple(layer for layer in self.layers() if layer.alias_of is None and not layer.is_padding)

    def stage(self, layer: Layer) -> Stage:
        """Return the third of the network, by the order of its layers, that a layer is in."""
        deepest = max(entry.depth for entry in self.layers())
        return get_args(Stage)[min(3 * (layer.depth - 1) // deepest, 2)]  # type: ignore[no-any-return]

    def layer(self, name: str) -> Layer:
        """Return the explainable layer of this name, aliases included.

        Raises InvalidParam or UnknownName with what is allowed.
        """
        known = {layer.name: layer for layer in self.layers()}
        if isinstance(name, str) and name in known:
            return known[name]
        if name in dict(self.module.named_modules()):
            best = self.recommended_layer
            hint = f" Recommended: {best.name}." if best else ""
            raise InvalidParam(
                f"The layer {name!r} of {self.title} has no picture-like output, so it cannot be explained.{hint}"
            )
        raise UnknownName.of("layer", name, known)

    @property
    def recommended_layer(self) -> Layer | None:
        """The layer to explain when the visitor chooses none."""
        return next((layer for layer in self.layers() if layer.recommended), None)

    def class_index(self, target: int | str) -> int:
        """Return the index of a class given by index, by its digits or by its label.

        A label is looked for as written first and then in any case ("Cardigan" is a dog, "cardigan" a jacket). Where
        that leaves several classes, the caller is asked for the number instead of being given the first. Raises
        UnknownName or InvalidParam.
        """
        if isinstance(target, str):
            return self._find_label(target)
        last = len(self.labels) - 1
        try:
            index = -1 if isinstance(target, bool) else operator.index(target)
        except TypeError:
            index = -1
        if not 0 <= index <= last:
            raise InvalidParam(
                f"A class of {self.title} is a whole number from 0 to {last} or a label. Got {str(target)[:60]!r}."
            )
        return index

    def _find_label(self, text: str) -> int:
        text = text.strip()
        exact = [index for index, label in enumerate(self.labels) if label == text]
        indices = exact or [i for i, label in enumerate(self.labels) if label.casefold() == text.casefold()]
        if len(indices) > 1:
            choices = ", ".join(f"{index} ({self.labels[index]})" for index in indices)
            raise InvalidParam(
                f"Several classes of {self.title} are called {text[:60]!r}: {choices}. Give the number instead."
            )
        if indices:
            return indices[0]
        if text.isascii() and text.isdigit() and len(text) < 10:
            return self.class_index(int(text))
        raise UnknownName.of("class", text, {label.lower(): label for label in self.labels})
