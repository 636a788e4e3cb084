"""Well-known networks with torchvision's own ImageNet weights, fetched on first use into torch's cache.

Adding one is adding a row: everything measurable (sizes, preprocessing, labels, address of the weights) comes from
torchvision's weights record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from torch import nn
from torchvision.models import get_model, get_model_weights
from torchvision.models._api import Weights
from torchvision.transforms import InterpolationMode

from xai_core.images.resize import Interpolation
from xai_core.models.classifier import Preprocessing
from xai_core.models.spec import MODELS, Built, ModelSpec
from xai_core.models.weights import Progress, State, WeightsFile, assemble, read_state

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Row:
    """One network: the facts that torchvision's records lack."""

    name: str
    title: str
    sentence: str
    paper: str
    weights: str = "IMAGENET1K_V1"
    prefer: str | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Arguments of torchvision's builder that its own weights ask for."""
    afterwards: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Attributes set once the weights are in."""
    rename: tuple[str, str] | None = None
    """Pattern and replacement that bring old weight names up to date."""


ROWS = (
    Row(
        "alexnet",
        "AlexNet",
        "The network that started the deep-learning boom: eight layers, quick, and often wrong by today's standard.",
        "Krizhevsky et al. 2012; Krizhevsky 2014, arXiv:1404.5997",
    ),
    Row(
        "vgg16",
        "VGG-16",
        "A plain stack of sixteen layers that most papers on explanations show; large and slow.",
        "Simonyan & Zisserman 2014, arXiv:1409.1556",
    ),
    Row(
        "resnet18",
        "ResNet-18",
        "A small network with short cuts between its layers; a good standard for comparisons.",
        "He et al. 2015, arXiv:1512.03385",
    ),
    Row(
        "resnet50",
        "ResNet-50",
        "The network most others are measured against: fifty layers with short cuts.",
        "He et al. 2015, arXiv:1512.03385",
        weights="IMAGENET1K_V2",
    ),
    Row(
        "densenet121",
        "DenseNet-121",
        "Every layer sees the results of all layers before it in its block; small for its depth.",
        "Huang et al. 2016, arXiv:1608.06993",
        rename=(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$", r"\1\2"),
    ),
    Row(
        "googlenet",
        "GoogLeNet",
        "Looks at several scales at once in every step; famous for the pictures made from its inside.",
        "Szegedy et al. 2014, arXiv:1409.4842",
        options={"transform_input": True, "aux_logits": True, "init_weights": False},
        afterwards={"aux_logits": False, "aux1": None, "aux2": None},
    ),
    Row(
        "mobilenet_v3_large",
        "MobileNet-V3 Large",
        "Built for phones: quick, small and still quite often right.",
        "Howard et al. 2019, arXiv:1905.02244",
        weights="IMAGENET1K_V2",
    ),
    Row(
        "efficientnet_b0",
        "EfficientNet-B0",
        "A small network whose depth, width and picture size were balanced by search.",
        "Tan & Le 2019, arXiv:1905.11946",
    ),
    Row(
        "convnext_tiny",
        "ConvNeXt-Tiny",
        "A convolutional network rebuilt with what was learnt from transformers.",
        "Liu et al. 2022, arXiv:2201.03545",
    ),
    Row(
        "vit_b_16",
        "Vision Transformer B/16",
        "Cuts the picture into 196 patches and lets each look at all the others; no convolutions after the first step.",
        "Dosovitskiy et al. 2020, arXiv:2010.11929",
        # Not the block's output: the head reads only the class token, so its patch tokens have a zero gradient
        prefer=r"encoder_layer_\d+\.ln_1$",
    ),
    Row(
        "swin_t",
        "Swin Transformer Tiny",
        "A transformer that looks within small windows and shifts them from layer to layer.",
        "Liu et al. 2021, arXiv:2103.14030",
        # norm2 localises, norm1 does not (torch-cam issue 412).
        prefer=r"\.norm2$",
    ),
)


def preprocessing_of(weights: Weights) -> Preprocessing:
    """Return torchvision's preprocessing for these weights in this project's terms."""
    steps = weights.transforms()
    names: dict[InterpolationMode, Interpolation] = {
        InterpolationMode.BILINEAR: "bilinear",
        InterpolationMode.BICUBIC: "bicubic",
    }
    return Preprocessing(
        steps.resize_size[0], steps.crop_size[0], tuple(steps.mean), tuple(steps.std), names[steps.interpolation]
    )


def _rename_weights(state: State, rename: tuple[str, str] | None) -> State:
    return {re.sub(*rename, name): tensor for name, tensor in state.items()} if rename else state


def make_build(row: Row, weights: Weights, file: WeightsFile) -> Callable[[Progress | None], Built]:
    """Return a row's builder: fetch, read, assemble."""

    def make() -> nn.Module:
        module: nn.Module = get_model(row.name, weights=None, **row.options)
        return module

    def build(progress: Progress | None) -> Built:
        path = file.fetch(progress)
        remedy = f"Delete it, and it is fetched again on the next use. Without a connection: {file.by_hand}"
        module = assemble(make, _rename_weights(read_state(path, remedy), row.rename), path, remedy)
        for name, value in row.afterwards.items():
            setattr(module, name, value)
        return module, preprocessing_of(weights), tuple(weights.meta["categories"])

    return build


def _spec(row: Row) -> ModelSpec:
    weights: Weights = get_model_weights(row.name)[row.weights].value
    file = WeightsFile(weights.url.rsplit("/", 1)[-1], weights.url, weights.meta["_file_size"])
    return ModelSpec(
        name=row.name,
        title=row.title,
        sentence=row.sentence,
        family="torchvision_zoo",
        input_side=preprocessing_of(weights).crop,
        channels=3,
        licence="BSD-3-Clause (torchvision); the training pictures of ImageNet are for research use",
        paper=row.paper,
        source=f"torchvision {row.weights}",
        bundled=False,
        size_mb=file.size_mb,
        weights_file=file,
        prefer=row.prefer,
        build=make_build(row, weights, file),
    )


for _row in ROWS:
    MODELS.add(_spec(_row))
