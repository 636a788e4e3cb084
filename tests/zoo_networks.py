"""Networks for tests: every architecture of the zoo with random weights, and tiny ones whose right answer is known."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache, partial
from weakref import ref

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.models import DenseNet, get_model

from xai_core.engine.backends import forward
from xai_core.models import MODELS, load_model
from xai_core.models.classifier import Classifier, Preprocessing
from xai_core.models.families.torchvision_zoo import ROWS

BUNDLED = tuple(spec.name for spec in MODELS.specs() if spec.bundled)
ZOO = {row.name: row for row in ROWS}
ZOO_SIDE = 112
"""Half of what the zoo's weights were trained for: all structure is the same, a quarter of the work."""


def make_classifier(
    module: nn.Module, side: int, channels: int = 3, classes: int = 10, name: str = "toy", prefer: str | None = None
) -> Classifier:
    """A record around any network; pixels 0..1 go in as they are."""
    module = module.eval().requires_grad_(False)
    steps = Preprocessing(side, side, (0.0,) * channels, (1.0,) * channels)
    labels = tuple(f"class {number}" for number in range(classes))
    return Classifier(name, name, "test", module, steps, labels, f"weights of {name}", torch.device("cpu"), prefer)


def use_plain_torch(model: Classifier, micro_batch: int = 4, gradient_batch: int = 2) -> Classifier:
    """Give the model a forward in plain torch with fixed batches: compiling a network takes seconds, and most tests are
    not about it.
    """
    make = partial(forward._build_again, ref(model), forward.build_eager_run)
    forward.forward_for.put(model, forward.Forward(make(), "torch", make, "", micro_batch, gradient_batch))
    return model


def _warm(module: nn.Module, side: int) -> None:
    """Give batch norms the statistics of their own inputs: with those of a fresh network, activations vanish or
    explode.
    """
    noise = torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
    module.train()
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.eval()
    with torch.no_grad():
        module(noise)
    module.eval()


def _slim(module: nn.Module, name: str) -> None:
    """Leave out what only repeats: blocks like those beside them, and width between two linear layers.

    Every kind of step stays.
    """
    for path, places in _KEPT.get(name, {}).items():
        parent, _, last = path.rpartition(".")
        blocks = list(module.get_submodule(path).named_children())
        setattr(module.get_submodule(parent), last, nn.Sequential(OrderedDict(blocks[place] for place in places)))
    for path in _LEFT_OUT.get(name, ()):
        setattr(module, path, nn.Identity())
    if name == "vgg16":
        _narrow(module.get_submodule("features"))
        module.get_submodule("classifier.0").in_features //= _NARROWER
    if name in ("alexnet", "vgg16"):
        steps = [part for part in module.get_submodule("classifier").modules() if isinstance(part, nn.Linear)]
        for step, (inside, outside) in zip(steps, ((None, 256), (256, 256), (256, None)), strict=True):
            # A fresh layer in its place.
            step.__init__(inside or step.in_features, outside or step.out_features)  # type: ignore[misc]


def _narrow(steps: nn.Module) -> None:
    """Make every convolution of a plain sequence narrower, freshly initialized."""
    channels = 3
    for step in steps.children():
        if isinstance(step, nn.Conv2d):
            step.__init__(channels, channels := step.out_channels // _NARROWER, 3, padding=1)  # type: ignore[misc]


_NARROWER = 4
_FEWER = {"densenet121": partial(DenseNet, 32, (4, 4, 6, 4), 64)}
"""A network whose blocks cannot lose a layer afterwards, because every later one reads it, is built with fewer."""
_LEFT_OUT = {"googlenet": ("inception4b", "inception4c", "inception5a")}
"""Steps that give what they take in their own shape, beside others of their kind."""
_KEPT = {
    "resnet18": {"layer1": (0,), "layer2": (0,), "layer3": (0,)},
    "resnet50": {"layer1": (0, 1), "layer2": (0,), "layer3": (0,), "layer4": (0, 1)},
    "vit_b_16": {"encoder.layers": (0, 1, 2, -1)},
    "swin_t": {"features.5": (0, 1)},
    "convnext_tiny": {"features.5": (0, 1, 2)},
}
"""Of networks that repeat a block most often: the places of the blocks that stay."""


@lru_cache(maxsize=2)
def half_size_model(name: str) -> Classifier:
    """A model at half its side, where it is bundled with its weights too: for what holds at every size, at a quarter of
    the work.
    """
    model = zoo_model(name)
    if model.side <= ZOO_SIDE:
        return model
    return use_plain_torch(
        make_classifier(model.module, ZOO_SIDE, classes=len(model.labels), name=f"{name} at {ZOO_SIDE}")
    )


@lru_cache(maxsize=3)
def zoo_model(name: str) -> Classifier:
    """A model by name: the bundled ones as they are, the zoo's with seeded random weights."""
    if name in BUNDLED:
        return load_model(name)
    row = ZOO[name]
    with torch.random.fork_rng():
        torch.manual_seed(7)
        fixed = {"image_size": ZOO_SIDE} if row.name.startswith("vit") else {}  # it alone is built for one size
        module = _FEWER[row.name]() if row.name in _FEWER else get_model(row.name, weights=None, **row.options, **fixed)
        _slim(module, row.name)
        for key, value in row.afterwards.items():
            setattr(module, key, value)
        for part in module.modules():
            if isinstance(part, nn.Linear) and not part.weight.any():
                nn.init.normal_(part.weight, std=0.1)  # torchvision starts ViT's head at zero, where every map is flat
        _warm(module, ZOO_SIDE)
    return use_plain_torch(make_classifier(module, ZOO_SIDE, classes=1000, name=name, prefer=row.prefer))


def make_picture(side: int = 224, seed: int = 0) -> Image.Image:
    """A colourful picture with structure: smooth gradients and two blobs."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side
    planes = [np.sin(rng.uniform(3, 9) * rows + rng.uniform(3, 9) * columns + rng.uniform(0, 6)) for _ in range(3)]
    array = np.stack(planes, axis=2) * 60 + 128
    array[side // 5 : side // 2, side // 4 : side // 2] += 60
    array += rng.normal(0, 6, array.shape)
    return Image.fromarray(np.clip(array, 0, 255).astype(np.uint8))
