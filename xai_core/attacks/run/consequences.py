"""Consequences of an attack: the smallest strength that works, other models, saving as JPEG, and the map."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr

from xai_core.arrays import Float32
from xai_core.attacks.base.spec import ATTACKS
from xai_core.attacks.run.attack import MAX_EPSILON, attack
from xai_core.attacks.run.attacked import Attacked
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam
from xai_core.methods import explain
from xai_core.models import MODELS, load_model
from xai_core.models.classifier import Classifier
from xai_core.results import Attribution

# Levels that a scan tries.
MAX_SCANNED = 16
JPEG_QUALITIES = (98, 95, 90, 85, 80, 70, 60, 50, 40, 30, 20, 10)


@dataclass(frozen=True)
class Answer:
    """Answer of a model to the attacked picture, beside the one to the original."""

    name: str
    """A model's name, or a JPEG quality."""
    label_before: str
    label: str
    probability: float
    """Of `label`."""
    is_fooled: bool
    """True if the target is said, or, without one, another class than before."""


def smallest_epsilon(
    model: Classifier,
    image: Image.Image,
    attack_name: str,
    target: int | str | None = None,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> Attacked | None:
    """Return the attack at the smallest strength that works, or None where none up to the limit does.

    Level by level to 16 where a stronger change can fail after a weaker one has worked, else by halving up to 64.

    Raises InvalidParam for an attack without a strength.
    """
    spec = ATTACKS.get(attack_name)
    job = job or Job()
    if spec.search is None:
        raise InvalidParam(f"{spec.full_title} has no strength, so there is no smallest one.")

    def run(epsilon: int) -> Attacked | None:
        result = attack(model, image, attack_name, epsilon, target, params, seed, job)
        return result if result.success else None

    if spec.search == "scan":
        return next(filter(None, map(run, range(1, MAX_SCANNED + 1))), None)
    low, high, best = 0, 1, run(1)
    while best is None and high < MAX_EPSILON:
        low, high = high, min(2 * high, MAX_EPSILON)
        best = run(high)
    while best is not None and high - low > 1:
        middle = (low + high) // 2
        result = run(middle)
        low, high, best = (low, middle, result) if result is not None else (middle, high, best)
    return best


@dataclass(frozen=True, eq=False)
class MapChange:
    """Maps of the same class by the same method, on the original and on the attacked picture."""

    before: Attribution
    after: Attribution
    rank: float
    """Spearman's rank correlation of the two, -1 to 1; NaN where a map is flat."""

    @property
    def difference(self) -> Float32:
        """Map after the attack less that before, (H, W): positive where there is more evidence now."""
        return np.asarray(self.after.heatmap - self.before.heatmap)


def compare_maps(model: Classifier, result: Attacked, method: str, job: Job[Any] | None = None) -> MapChange:
    """Explain the class before the attack on both pictures. Raises what `explain` raises."""
    pictures = (_restore_upload(result), result.upload)
    before, after = (explain(model, picture.convert("RGB"), method, result.source, job=job) for picture in pictures)
    heats = [attribution.heatmap.ravel() for attribution in (before, after)]
    is_flat = any(heat.min() == heat.max() for heat in heats)
    return MapChange(before, after, float("nan") if is_flat else float(spearmanr(*heats).statistic))


def try_on_models(result: Attacked, models: Sequence[Classifier], job: Job[Any] | None = None) -> tuple[Answer, ...]:
    """Return what other models say of the attacked picture; the wish counts by its label."""
    original = _restore_upload(result)
    return tuple(_compare(model.title, model, original, result.upload, result, job) for model in models)


def try_on_bundled_models(result: Attacked, job: Job[Any] | None = None) -> tuple[Answer, ...]:
    """Return what the other bundled models with the same classes say of the attacked picture."""
    own = load_model(result.model)
    others = (load_model(spec.name) for spec in MODELS.specs() if spec.bundled and spec.name != result.model)
    return try_on_models(result, [model for model in others if model.labels == own.labels], job)


def try_as_jpeg(model: Classifier, result: Attacked, job: Job[Any] | None = None) -> tuple[Answer, ...]:
    """Return what the model says of the attacked picture after saving it as JPEG, best quality first."""
    original = _restore_upload(result)
    return tuple(
        _compare(str(quality), model, original, _save_as_jpeg(result.upload, quality), result, job)
        for quality in JPEG_QUALITIES
    )


def _restore_upload(result: Attacked) -> Image.Image:
    """Return the upload as it was before the attack."""
    picture = result.upload.copy()
    margin = (picture.width - result.original.width) // 2
    picture.paste(result.original, (margin, margin))
    return picture


def _save_as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=0)
    return Image.open(file).convert(picture.mode)


def _compare(
    name: str, model: Classifier, before: Image.Image, after: Image.Image, result: Attacked, job: Job[Any] | None
) -> Answer:
    forward = forward_for(model)
    logits = forward(torch.cat([model.prepare(picture.convert("RGB")) for picture in (before, after)]), job)
    first, second = logits.argmax(1).tolist()
    label = model.labels[second]
    is_fooled = second != first if result.target is None else label == result.label
    return Answer(name, model.labels[first], label, float(logits[1].softmax(0)[second]), is_fooled)
