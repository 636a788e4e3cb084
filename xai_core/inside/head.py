"""Contributions of the last linear layer's features to a class for one picture: weight times strength, and the bias.

Nothing is estimated: the network itself computes the logit as this sum. Only where the last step is one linear layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.errors import NotApplicable
from xai_core.methods.run.explain import TargetLike, describe_target, resolve_target
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import isolate
from xai_core.models.linear_head import LinearHead, find_linear_head
from xai_core.object_cache import cache_per_object
from xai_core.results import Target

Values = TypeVar("Values", torch.Tensor, Float64)


@dataclass(frozen=True, eq=False)
class HeadContributions:
    """Contributions to a class's logit, or to the difference of a pair's: `values` (F,) and `bias` sum to `logit`."""

    values: Float64
    bias: float
    logit: float
    target: Target
    label: str
    features: Float64
    """Strength of each feature in this picture, (F,)."""
    weights: Float64
    """Weight of each feature for the target, (F,); of a pair the difference."""
    layer: str | None
    """The layer whose channels, averaged, are the features; None where no listed layer is."""

    @property
    def error(self) -> float:
        """Distance of the sum from the logit that the network computed in single precision."""
        return abs(float(self.values.sum()) + self.bias - self.logit)


def head_contributions(
    model: Classifier, image: Image.Image, target: TargetLike = None, job: Job[Any] | None = None
) -> HeadContributions:
    """Return what each feature of the last linear layer added to the logit of `target` (the top class if None).

    Of a pair (A, B) the differences: why A and not B. Raises NotApplicable for a network that does not end in one
    linear layer, InvalidParam or UnknownName for a target that does not exist.

    >>> from xai_core import SAMPLES, load_model
    >>> parts = head_contributions(load_model("small_cnn"), SAMPLES.get("digit_3").load(), "3")
    >>> parts.values.shape, parts.error < 1e-4
    ((120,), True)
    """
    checked = resolve_target(model, target)
    head = read_head(model, model.prepare(image), job)
    logits = head.logits[0].double().cpu().numpy()
    resolved = int(logits.argmax()) if checked is None else checked
    features = head.features[0].double().cpu().numpy()
    weights, bias = target_weights(head, resolved)
    return HeadContributions(
        values=features * weights,
        bias=bias,
        logit=float(select_target(logits, resolved)),
        target=resolved,
        label=describe_target(model, resolved),
        features=features,
        weights=weights,
        layer=head_layer(model),
    )


def read_head(model: Classifier, x: torch.Tensor, job: Job[Any] | None = None) -> LinearHead:
    """Return the head of prepared pictures (N, C, H, W) by a private copy. Raises NotApplicable."""
    with SCHEDULER.slot(job, len(x)):
        head = find_linear_head(isolate(model.module), x)
    if head is None:
        raise NotApplicable(
            f"{model.title} does not end in one linear layer on its features, so its answer is not a plain sum of "
            "parts. Choose a model that does, such as EfficientNet-Lite0."
        )
    return head


def select_target(values: Values, target: Target) -> Values:
    """Return the row of a class from values (classes, ...), or the difference of a pair's rows."""
    row: Values = values[target[0]] - values[target[1]] if isinstance(target, tuple) else values[target]
    return row


def target_weights(head: LinearHead, target: Target) -> tuple[Float64, float]:
    """Return the weights (F,) and the bias of a target in float64."""
    bias = 0.0 if head.bias is None else float(select_target(head.bias.detach().double().cpu().numpy(), target))
    rows = [target] if isinstance(target, int) else list(target)
    weight = head.weight.detach()[rows].double().cpu().numpy()
    return (weight[0] - weight[1] if isinstance(target, tuple) else weight[0]), bias


@cache_per_object
def head_layer(model: Classifier) -> str | None:
    """Return the name of the last listed layer whose maps are what the head averages, or None."""
    noise = np.random.default_rng(0).normal(size=model.zero_input.shape)
    x = torch.from_numpy(noise.astype(np.float32)).to(model.device)
    head = find_linear_head(isolate(model.module), x)
    if head is None or head.maps is None:
        return None
    shape, private = tuple(head.maps.shape[1:]), isolate(model.module)
    candidates = [layer for layer in model.offered_layers if (layer.channels, *layer.grid) == shape]
    outputs: dict[str, torch.Tensor] = {}
    for layer in candidates:

        def record(_module: Any, _inputs: Any, output: torch.Tensor, name: str = layer.name) -> torch.Tensor:
            outputs[name] = output
            return output.clone()

        private.get_submodule(layer.name).register_forward_hook(record)
    find_linear_head(private, x)
    equal = [la.name for la in candidates if torch.equal(la.to_maps(outputs[la.name]), head.maps)]
    return equal[-1] if equal else None
