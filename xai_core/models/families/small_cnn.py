"""The small convolutional network of the teaching material: 10,890 parameters, hand-written digits, trained by this
project.

Every activation is a module of its own that is used once, so that each step of every method can be followed by hand.
The digits are scikit-learn's copy of Alpaydin & Kaynak 1998 (UCI, CC BY 4.0); `train_small_cnn` makes the weights.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from xai_core.errors import ModelUnavailable
from xai_core.models.classifier import Preprocessing
from xai_core.models.spec import MODELS, Built, ModelSpec
from xai_core.models.weights import Progress, assemble

WEIGHTS = Path(__file__).parents[3] / "assets" / "small_cnn.safetensors"
LABELS = tuple("0123456789")
# Mean and spread of the training pictures, rounded: white strokes on black.
STEPS = Preprocessing(resize=28, crop=28, mean=(0.3,), std=(0.35,), interpolation="bicubic")
_REMEDY = "Restore it from the repository or run: python -m xai_core.models.train_small_cnn"


def build_network() -> nn.Sequential:
    """Return the untrained network: logits (N, 10) for grey pictures (N, 1, 28, 28)."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(1, 4, 3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(4, 8, 3),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            conv3=nn.Conv2d(8, 8, 3),
            relu3=nn.ReLU(),
            flatten=nn.Flatten(),
            linear1=nn.Linear(72, 120),
            relu4=nn.ReLU(),
            linear2=nn.Linear(120, 10),
        )
    )


def _build(progress: Progress | None) -> Built:
    try:
        state = load_file(WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelUnavailable(f"The weights file {WEIGHTS} is missing or damaged. {_REMEDY}") from error
    return assemble(build_network, state, WEIGHTS, _REMEDY), STEPS, LABELS


MODELS.add(
    ModelSpec(
        name="small_cnn",
        title="Small digit network",
        sentence=(
            "A tiny network that reads one hand-written digit, light strokes on a dark ground; "
            "small enough to follow by hand."
        ),
        family="small_cnn",
        input_side=28,
        channels=1,
        licence="MIT (weights trained by this project)",
        paper="LeCun et al. 1998, doi:10.1109/5.726791",
        source="assets/small_cnn.safetensors",
        bundled=True,
        size_mb=0.05,
        wants_light_strokes=True,
        build=_build,
    )
)
