"""Explanations: a checked request becomes a map with its provenance and checks. Every map is made here."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.engine import cores
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.halving import NO_MEMORY
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidParam, NotApplicable, XaiError
from xai_core.images import image_sha256
from xai_core.images.resize import VERSION as RESIZE_VERSION
from xai_core.methods.base.previews import Previews, make_no_preview
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.models.layers import Layer
from xai_core.params import Value, check_seed, resolve
from xai_core.results import PROBABILITY, Attribution, Prediction, Preview, Target
from xai_core.trust import Evidence, run_checks

TargetLike = int | str | tuple[int | str, int | str] | None
# Memory of any call: its module copy, a batch being composed and one that waits.
CALL_BYTES = 16 * 2**20
_VERSIONS = {name: version(name) for name in ("torch", "captum", "numpy")}


@dataclass(frozen=True)
class Plan:
    """A checked request, before any work is done. `id` names the map it will give, by content."""

    model: Classifier
    image: Image.Image
    spec: MethodSpec
    target: Target | None
    layer: Layer | None
    params: Mapping[str, Value]
    seed: int

    @cached_property
    def id(self) -> str:
        """SHA-256 of all that decides the map: weights, device, picture, method, target, layer, parameters and seed."""
        layer = self.layer.name if self.layer else None
        model = (self.model.name, self.model.weights_sha256, str(self.model.device), RESIZE_VERSION)
        method = (self.spec.name, self.spec.version, sorted(self.params.items()))
        return hashlib.sha256(
            repr((model, image_sha256(self.image), method, self.target, layer, self.seed)).encode()
        ).hexdigest()

    @property
    def weight(self) -> float:
        """Work in forward passes."""
        return self.spec.weight(self.params, self.model.side)

    @property
    def memory(self) -> int:
        """Bytes that the call may hold, apart from its batches in the engine, which run one at a time."""
        side, channels = self.model.side, self.model.preprocessing.channels
        return CALL_BYTES + self.spec.max_pictures(self.params) * channels * side * side * 4


def resolve_target(model: Classifier, target: object) -> Target | None:
    """Return the target as checked class indices; None stays None and means the top class."""
    if target is None:
        return None
    if isinstance(target, (tuple, list)):
        if len(target) != 2:
            raise InvalidParam(
                f"A pair of classes has exactly two entries: (A, B) asks why A and not B. Got {len(target)}."
            )
        first, second = (model.class_index(part) for part in target)
        if first == second:
            raise InvalidParam(f"A pair needs two different classes. Got {model.labels[first]} twice.")
        return first, second
    # Refuses in words what is neither index nor name.
    return model.class_index(target)  # type: ignore[arg-type]


def _resolve_layer(model: Classifier, spec: MethodSpec, layer: str | None) -> Layer | None:
    if spec.uses_layer:
        return model.layer(layer) if layer is not None else model.recommended_layer
    if layer is not None:
        raise InvalidParam(
            f"{spec.full_title} does not look at one layer; leave the layer out. Got {str(layer)[:60]!r}."
        )
    return None


def plan(
    model: Classifier,
    image: Image.Image,
    method: str,
    target: TargetLike = None,
    layer: str | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Plan:
    """Check a request and decide whether the method can be right on this model, before any work.

    Raises UnknownName, InvalidParam, NotApplicable or InvalidImage, each with a sentence for the visitor.
    """
    spec = METHODS.get(method)
    if not isinstance(image, Image.Image):
        raise InvalidImage(f"A picture read by read_image is needed here. Got {type(image).__name__}.")
    checked = resolve(spec.params, params, model.side)
    planned = Plan(
        model, image, spec, resolve_target(model, target), _resolve_layer(model, spec, layer), checked, check_seed(seed)
    )
    # Last, so that a wrong word is refused the same on every model, and without a forward pass.
    reason = spec.refusal(model)
    if reason is not None:
        raise NotApplicable(reason)
    return planned


def describe_target(model: Classifier, target: Target) -> str:
    if isinstance(target, tuple):
        return f"{model.labels[target[0]]}, not {model.labels[target[1]]}"
    return model.labels[target]


def carry_out(planned: Plan, job: Job[Any], previews: Previews | None = None) -> Attribution:
    """Make the map of a checked request; whether there are previews changes nothing in it.

    Raises what the method raises, and Cancelled.
    """
    began, model = time.perf_counter(), planned.model
    job.expect(planned.spec.cost(planned.params, model.side))
    forward = forward_for(model)
    steps = model.preprocessing
    pixels = steps.to_pixels(steps.model_input(planned.image))
    x = steps.to_tensor(pixels).to(model.device)
    logits = forward(x, job)
    job.tick(1)
    target = planned.target if planned.target is not None else int(logits[0].argmax())
    rng = np.random.default_rng(planned.seed)
    evaluator = Evaluator(model, forward, x, target, job)
    offer = partial(previews.offer, job) if previews is not None else make_no_preview
    request = Request(model, pixels, x, logits, target, planned.layer, planned.params, evaluator, job, rng, offer)
    # Composing must not hold up the workers.
    try:
        with out_of_place(), cores.limit(cores.CORES_PER_WORKER):
            raw = planned.spec.run(request)
    except torch.OutOfMemoryError as problem:
        raise XaiError(NO_MEMORY) from problem
    if request.baseline is not None:
        raw.details["baseline_confidence"] = float(forward(request.baseline, job)[0].softmax(0).max())
    probabilities = logits[0].softmax(0)
    first = target[0] if isinstance(target, tuple) else target
    raw.details["probability"] = float(probabilities[first])
    values = np.asarray(raw.values.cpu() if isinstance(raw.values, torch.Tensor) else raw.values, dtype=np.float32)
    label = describe_target(model, target)
    evidence = Evidence(values, raw.details, label, float(probabilities[first]), float(probabilities.max()))
    return Attribution(
        values=values,
        method=planned.spec.name,
        model=model.name,
        layer=planned.layer.name if planned.layer else None,
        target=target,
        label=label,
        quantity="difference of two logits" if isinstance(target, tuple) else "logit",
        unit=raw.unit or planned.spec.unit,
        params=planned.params,
        seed=planned.seed,
        evaluations=evaluator.evaluations,
        seconds=time.perf_counter() - began,
        image_sha256=image_sha256(planned.image),
        versions=_VERSIONS
        | {"method": str(planned.spec.version), "weights": model.weights_sha256, "engine": forward.backend}
        | (
            {"gradients": " and ".join(sorted(evaluator.input_gradients.backends))}
            if evaluator.input_gradients.backends
            else {}
        ),
        checks=run_checks(evidence),
        details={**raw.details, PROBABILITY: float(probabilities[first])},
    )


def explain(
    model: Classifier,
    image: Image.Image,
    method: str,
    target: TargetLike = None,
    layer: str | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
    on_preview: Callable[[Preview], object] | None = None,
) -> Attribution:
    """Explain the score of `target` (top class if None) by one method: a map (H, W) or (C, H, W) on the input grid.

    `target` is a class, by index or name, or a pair (A, B): why A and not B. `job` receives progress and may cancel.
    `on_preview` is called about twice a second with the map so far, by methods that grow (`MethodSpec.grows`).

    Raises UnknownName, InvalidParam, NotApplicable, InvalidImage or Cancelled.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> attribution = xai_core.explain(model, image, "saliency", target=3)
    >>> attribution.values.shape, attribution.label, attribution.unit
    ((28, 28), '3', 'logit per unit of input')
    """
    planned = plan(model, image, method, target, layer, params, seed)
    return carry_out(planned, job or Job(), None if on_preview is None else Previews(on_preview))


def compare(
    model: Classifier,
    image: Image.Image,
    methods: Sequence[str],
    target: TargetLike = None,
    layer: str | None = None,
    params: Mapping[str, Mapping[str, object]] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> list[Attribution]:
    """Explain one picture and one target by several methods, in their order; `params` by method name.

    The layer goes to the methods that use one. Every request is checked before the first one runs.

    Raises what `explain` raises.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> maps = xai_core.compare(model, image, ["saliency", "grad_cam"], target=3)
    >>> [attribution.method for attribution in maps]
    ['saliency', 'grad_cam']
    """
    method_params = params or {}
    for name in method_params:
        METHODS.get(name)
    plans = [
        plan(model, image, m, target, layer if METHODS.get(m).uses_layer else None, method_params.get(m), seed)
        for m in methods
    ]
    shared = job or Job()
    return [carry_out(planned, shared) for planned in plans]


def predict(model: Classifier, image: Image.Image, top: int = 5) -> Prediction:
    """Return the `top` likeliest classes of a picture, best first.

    Raises InvalidParam if there are not so many classes.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> prediction = xai_core.predict(model, image, top=2)
    >>> [label for index, label, probability in prediction.classes][0]
    '3'
    """
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= len(model.labels):
        raise InvalidParam(
            f"The number of classes to show must be from 1 to {len(model.labels)}. Got {str(top)[:60]!r}."
        )
    probabilities, indices = forward_for(model)(model.prepare(image))[0].softmax(0).topk(top)
    rows = zip(indices.tolist(), probabilities.tolist(), strict=True)
    return Prediction(tuple((index, model.labels[index], probability) for index, probability in rows))


def engine_note(model: Classifier) -> str:
    """Return a sentence if the model cannot run on the fast engine, else an empty text."""
    return forward_for(model).note
