"""From a picture and a method's name to a checked Attribution: the one way every map is made."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.engine import cores
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidParam, NotApplicable
from xai_core.images import image_sha256
from xai_core.images.resize import VERSION as RESIZE_VERSION
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec
from xai_core.models.classifier import Classifier
from xai_core.models.isolation import out_of_place
from xai_core.models.layers import Layer
from xai_core.params import Value, check_seed, resolve
from xai_core.results import Attribution, Prediction, Target
from xai_core.trust import Evidence, run_checks

TargetLike = int | str | tuple[int | str, int | str] | None
OWN_MEMORY = 16 * 2**20
"""Bytes any call may hold: its module copy, a batch being composed and one that waits."""
_VERSIONS = {name: version(name) for name in ("torch", "captum", "numpy")}


@dataclass(frozen=True)
class Plan:
    """A request whose every word has been checked, before any work is done. `id` names the map it will give, by content."""

    model: Classifier
    image: Image.Image
    spec: MethodSpec
    target: Target | None
    layer: Layer | None
    params: Mapping[str, Value]
    seed: int

    @cached_property
    def id(self) -> str:
        """SHA-256 of everything that decides the map: weights, device, picture, method, target, layer, parameters and seed."""
        layer = self.layer.name if self.layer else None
        model = (self.model.name, self.model.weights_sha256, str(self.model.device), RESIZE_VERSION)
        method = (self.spec.name, self.spec.version, sorted(self.params.items()))
        return hashlib.sha256(
            repr((model, image_sha256(self.image), method, self.target, layer, self.seed)).encode()
        ).hexdigest()

    @property
    def weight(self) -> float:
        return self.spec.weight(self.params, self.model.side)

    @property
    def memory(self) -> int:
        """Bytes that making the map may hold, its turns at the engine apart: those come one at a time."""
        side, channels = self.model.side, self.model.preprocessing.channels
        return OWN_MEMORY + self.spec.holds(self.params) * channels * side * side * 4


def _target(model: Classifier, target: object) -> Target | None:
    """The target as checked class indices; None stays None and means the top class."""
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
    return model.class_index(target)  # type: ignore[arg-type]  # class_index refuses in words what is neither


def _layer(model: Classifier, spec: MethodSpec, layer: str | None) -> Layer | None:
    if spec.uses_layer:
        return model.layer(layer) if layer is not None else model.recommended_layer
    if layer is not None:
        raise InvalidParam(
            f"{spec.title} ({spec.name}) does not look at one layer; leave the layer out. Got {str(layer)[:60]!r}."
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
    found = Plan(model, image, spec, _target(model, target), _layer(model, spec, layer), checked, check_seed(seed))
    reason = spec.refusal(model)  # last: a wrong word is refused the same on every model, and without a forward pass
    if reason is not None:
        raise NotApplicable(reason)
    return found


def _label(model: Classifier, target: Target) -> str:
    if isinstance(target, tuple):
        return f"{model.labels[target[0]]}, not {model.labels[target[1]]}"
    return model.labels[target]


def carry_out(planned: Plan, job: Job[Any]) -> Attribution:
    """Make the map of a checked request. Raises what the method raises, and Cancelled."""
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
    request = Request(model, pixels, x, logits, target, planned.layer, planned.params, evaluator, job, rng)
    with out_of_place(), cores.limit(cores.CORES_PER_WORKER):  # composing must not hold up the workers
        raw = planned.spec.run(request)
    if request.baseline is not None:
        raw.details["baseline_confidence"] = float(forward(request.baseline, job)[0].softmax(0).max())
    values = np.asarray(raw.values.cpu() if isinstance(raw.values, torch.Tensor) else raw.values, dtype=np.float32)
    probabilities = logits[0].softmax(0)
    first = target[0] if isinstance(target, tuple) else target
    label = _label(model, target)
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
        | {"method": str(planned.spec.version), "weights": model.weights_sha256, "engine": forward.backend},
        checks=run_checks(evidence),
        details=raw.details,
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
) -> Attribution:
    """A checked map of evidence for `target` (top class if None) by one method, (H, W) or (C, H, W) on the model's input grid.

    `job` receives progress and may cancel. Raises UnknownName, InvalidParam, NotApplicable, InvalidImage or Cancelled.
    """
    return carry_out(plan(model, image, method, target, layer, params, seed), job or Job())


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
    """Maps of several methods for one picture and one target, in the order of `methods`; `params` by method name.

    The layer goes to the methods that look at one. Every request is checked before the first one runs.
    """
    given = params or {}
    for name in given:
        METHODS.get(name)
    plans = [
        plan(model, image, m, target, layer if METHODS.get(m).uses_layer else None, given.get(m), seed) for m in methods
    ]
    shared = job or Job()
    return [carry_out(each, shared) for each in plans]


def predict(model: Classifier, image: Image.Image, top: int = 5) -> Prediction:
    """The `top` likeliest classes of a picture, best first."""
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= len(model.labels):
        raise InvalidParam(
            f"The number of classes to show must be from 1 to {len(model.labels)}. Got {str(top)[:60]!r}."
        )
    probabilities, indices = forward_for(model)(model.prepare(image))[0].softmax(0).topk(top)
    rows = zip(indices.tolist(), probabilities.tolist(), strict=True)
    return Prediction(tuple((index, model.labels[index], probability) for index, probability in rows))


def engine_note(model: Classifier) -> str:
    """A sentence where the model cannot run on the fast engine, else empty."""
    return forward_for(model).note
