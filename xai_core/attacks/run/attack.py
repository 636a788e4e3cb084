"""Attacks: a checked request becomes a picture that the model answers differently. All of them are made here."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from PIL import Image

from xai_core.attacks.base.request import AttackRequest
from xai_core.attacks.base.spec import ATTACKS, AttackSpec
from xai_core.attacks.base.wish import check_wish
from xai_core.attacks.run.attacked import Attacked
from xai_core.engine import cores
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.errors import InvalidImage, InvalidParam, NotApplicable
from xai_core.images import image_sha256
from xai_core.models.classifier import Classifier
from xai_core.models.framing import frame_for_upload
from xai_core.models.isolation import out_of_place
from xai_core.params import Int, Value, check_seed, resolve
from xai_core.results import Prediction

MAX_EPSILON = 64
# Classes shown before and after.
TOP = 5
# Memory of any call: its module copy and the activations of a gradient.
_CALL_BYTES = 96 * 2**20
EPSILON = Int(
    name="epsilon",
    title="Strength",
    help="How far a pixel may change, of 255 grey levels.",
    unit="grey levels",
    default=2,
    low=1,
    high=MAX_EPSILON,
)


def strength_param(spec: AttackSpec) -> Int:
    """Return the parameter of an attack's strength, with its usual one as default."""
    return replace(EPSILON, default=spec.epsilon or EPSILON.default)


@dataclass(frozen=True)
class AttackPlan:
    """A checked request, before any work is done. `id` names the result by content."""

    model: Classifier
    image: Image.Image
    spec: AttackSpec
    epsilon: int | None
    target: int | None
    params: Mapping[str, Value]
    seed: int

    @cached_property
    def id(self) -> str:
        """SHA-256 of all that decides the result."""
        model = (self.model.name, self.model.weights_sha256, str(self.model.device))
        attack = (self.spec.name, self.spec.version, sorted(self.params.items()), self.epsilon, self.target, self.seed)
        return hashlib.sha256(repr((model, image_sha256(self.image), attack)).encode()).hexdigest()

    @property
    def weight(self) -> float:
        """Work in forward passes."""
        return self.spec.weight(self.params, self.model.side)

    @property
    def memory(self) -> int:
        """Bytes that the call may hold."""
        side, channels = self.model.side, self.model.preprocessing.channels
        return _CALL_BYTES + self.spec.max_pictures * channels * side * side * 4


def plan_attack(
    model: Classifier,
    image: Image.Image,
    attack: str,
    epsilon: int | None = None,
    target: int | str | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
) -> AttackPlan:
    """Check a request, before any work. Raises UnknownName, InvalidParam, InvalidImage or NotApplicable."""
    spec = ATTACKS.get(attack)
    if not isinstance(image, Image.Image):
        raise InvalidImage(f"A picture read by read_image is needed here. Got {type(image).__name__}.")
    checked = resolve(spec.params, params, model.side)
    if spec.epsilon is None and epsilon is not None:
        raise InvalidParam(f"{spec.full_title} has no strength to choose; leave it out. Got {str(epsilon)[:60]!r}.")
    strength = None if spec.epsilon is None else EPSILON.check(spec.epsilon if epsilon is None else epsilon, model.side)
    index = None if target is None else model.class_index(target)
    if index is not None and not spec.takes_target:
        raise InvalidParam(
            f"{spec.full_title} cannot aim at a class; leave the target out. Got {model.labels[index]!r}."
        )
    reason = spec.refusal(model)
    if reason is not None:
        raise NotApplicable(reason)
    return AttackPlan(model, image, spec, strength, index, checked, check_seed(seed))


def carry_out_attack(planned: AttackPlan, job: Job[Any]) -> Attacked:
    """Make the picture of a checked request. Raises InvalidParam where the model says the target already; Cancelled."""
    began, model, spec = time.perf_counter(), planned.model, planned.spec
    job.expect(spec.cost(planned.params, model.side))
    forward, steps = forward_for(model), model.preprocessing
    start = steps.input_bytes(planned.image).copy()
    logits = forward(steps.to_tensor(steps.to_pixels(start)).to(model.device), job)[0]
    source, target = int(logits.argmax()), planned.target
    check_wish(model, source, target)
    if target is None and spec.needs_target:
        target = int(logits.topk(2).indices[1])
    request = AttackRequest(
        model, start, logits, target, planned.epsilon or 0, planned.params, forward, job, planned.seed
    )
    with out_of_place(), cores.limit(cores.CORES_PER_WORKER):
        outcome = spec.run(request)
    seen = request.to_bytes(outcome.levels)[0]
    final = forward(steps.to_tensor(steps.to_pixels(seen)).to(model.device), job)[0]
    probabilities = logits.softmax(0), final.softmax(0)

    def both(index: int) -> tuple[float, float]:
        before, after = (float(values[index]) for values in probabilities)
        return before, after

    return Attacked(
        attack=spec.name,
        model=model.name,
        original=steps.to_picture(start),
        picture=steps.to_picture(seen),
        upload=frame_for_upload(model, planned.image, seen),
        before=_predict(model, probabilities[0]),
        after=_predict(model, probabilities[1]),
        source=source,
        target=target,
        label=model.labels[source if target is None else target],
        source_probability=both(source),
        target_probability=None if target is None else both(target),
        success=float(request.margins(final[None])[0]) > 0,
        epsilon=planned.epsilon,
        params=planned.params,
        seed=planned.seed,
        queries=request.queries + 1,
        seconds=time.perf_counter() - began,
        curve=tuple(request.curve),
        details=outcome.details,
    )


def _predict(model: Classifier, probabilities: torch.Tensor) -> Prediction:
    values, indices = probabilities.topk(min(TOP, len(model.labels)))
    rows = zip(indices.tolist(), values.tolist(), strict=True)
    return Prediction(tuple((index, model.labels[index], value) for index, value in rows))


def attack(
    model: Classifier,
    image: Image.Image,
    attack: str,
    epsilon: int | None = None,
    target: int | str | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Attacked:
    """Change a picture, as the model sees it, so that the model answers differently.

    `epsilon` is in grey levels of 255 and whole, so that a file can hold the result; None is the attack's usual one.
    Without a target any other class will do.

    Raises UnknownName, InvalidParam, InvalidImage, NotApplicable or Cancelled.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> result = xai_core.attack(model, image, "fgsm", epsilon=64)
    >>> result.linf <= 64, result.picture.size
    (True, (28, 28))
    """
    return carry_out_attack(plan_attack(model, image, attack, epsilon, target, params, seed), job or Job())


_POOL = JobPool("attacks", timeout=CLOSED_TAB_S)


def start_attack(planned: AttackPlan, session_id: str = "") -> Job[Attacked]:
    """Attack in the background and return the job, which equal requests of all sessions share."""
    return _POOL.start(
        planned.id, lambda job: carry_out_attack(planned, job), planned.weight, session_id, planned.memory
    )
