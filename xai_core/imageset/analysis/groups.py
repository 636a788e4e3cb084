"""Some selected pictures together: their labels, the model's mistakes on them, and their mean attribution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job, PartJob
from xai_core.errors import InvalidImage, InvalidParam
from xai_core.formatting import sort_naturally
from xai_core.images import Picture
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.rows import check_rows
from xai_core.imageset.runs.outputs import ModelOutputs
from xai_core.methods import explain
from xai_core.models import load_model
from xai_core.models.classifier import Classifier

MAX_EXPLAINED = 24


@dataclass(frozen=True)
class Confusion:
    """A mistake that occurs `count` times: a picture of class `truth` called `predicted` (indices of the model)."""

    truth: int
    predicted: int
    truth_name: str
    predicted_name: str
    count: int


@dataclass(frozen=True)
class Group:
    """Summary of some rows of a set."""

    count: int
    labels: tuple[tuple[str, int], ...]
    """Labels of the set and their number here, most frequent first; pictures without a label count as ""."""
    predicted: tuple[tuple[str, int], ...]
    """Predictions and their number, most frequent first."""
    confusions: tuple[Confusion, ...]
    """Mistakes, most frequent first; () where the model knows none of the labels."""
    confidence: float
    """Mean probability of the predictions, 0..1; NaN for no picture."""
    accuracy: float
    """Share that is right of those whose class is known; NaN where none is."""
    failed: int
    """Pictures without an answer; they count nowhere else."""


def describe_group(
    dataset: ImageSet,
    run: ModelOutputs,
    rows: npt.ArrayLike,
    truth: npt.ArrayLike | None = None,
    labels: Sequence[str] | None = None,
) -> Group:
    """Count labels, predictions and mistakes among some rows.

    `truth` (N,) is the model's class of each picture, -1 unknown (None: of no picture); `labels` names the model's
    classes (None: asks the model). Raises InvalidParam.
    """
    names = load_model(run.model).labels if labels is None else labels
    selected = np.unique(check_rows(rows, len(run.logits)))
    answered = selected[np.asarray(run.valid)[selected]]
    predicted = np.asarray(run.predictions)[answered]
    actual = np.full(len(answered), -1) if truth is None else np.asarray(truth)[answered]
    known = actual >= 0
    return Group(
        count=len(answered),
        labels=_count_names([dataset.classes[label] if label >= 0 else "" for label in dataset.labels[answered]]),
        predicted=_count_names([names[index] for index in predicted]),
        confusions=_count_confusions(actual[known], predicted[known], names),
        confidence=float(np.mean(np.asarray(run.confidence)[answered])) if len(answered) else float("nan"),
        accuracy=float(np.mean(actual[known] == predicted[known])) if known.any() else float("nan"),
        failed=len(selected) - len(answered),
    )


def _count_names(names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Count names, most frequent first, equally frequent ones by name, 2 before 10."""
    counts = Counter(names)
    return tuple(sorted(((name, counts[name]) for name in sort_naturally(counts)), key=lambda pair: -pair[1]))


def _count_confusions(actual: Int64, predicted: Int64, names: Sequence[str]) -> tuple[Confusion, ...]:
    wrong = actual != predicted
    pairs: Mapping[tuple[int, int], int] = Counter(zip(actual[wrong].tolist(), predicted[wrong].tolist(), strict=True))
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Confusion(a, b, names[a], names[b], count) for (a, b), count in ranked)


@dataclass(frozen=True, eq=False)
class MeanAttribution:
    """Mean of the attributions of a group of pictures."""

    heatmap: Float32
    """(H, W) on the model's input grid, 0..1: the mean of each map of |evidence| with its maximum set to 1."""
    rows: tuple[int, ...]
    """Pictures whose maps were averaged."""
    empty: int
    """Pictures whose map was empty."""
    unread: int
    """Pictures that could not be read."""
    selected: int
    """Number of pictures that these are an even sample of."""
    background: Picture
    """Mean of the model's inputs whose maps were averaged, RGB or L."""


def mean_attribution(
    dataset: ImageSet,
    model: Classifier,
    rows: npt.ArrayLike,
    method: str = "grad_cam",
    limit: int = MAX_EXPLAINED,
    job: Job[Any] | None = None,
) -> MeanAttribution:
    """Return the mean map of the likeliest class, over at most `limit` of the rows, evenly spread among them.

    Each map counts the same, however strong its evidence. `job` counts pictures. Raises InvalidParam, InvalidImage
    where no picture can be used, InvalidSet where the set is gone, what the method raises, and Cancelled.
    """
    if not 1 <= limit <= 1000:
        raise InvalidParam(f"From 1 to 1000 pictures can be averaged. Got {limit}.")
    selected = np.unique(check_rows(rows, len(dataset)))
    if not len(selected):
        raise InvalidParam("Choose at least one picture first. Got none.")
    sample = selected
    if len(selected) > limit:
        sample = selected[np.linspace(0, len(selected) - 1, limit).round().astype(np.int64)]
    job = job or Job()
    job.expect(job.done + len(sample))
    heat_sum, used_rows, empty, unread = np.zeros((model.side, model.side)), [], 0, 0
    input_sum = np.zeros((model.side, model.side, model.preprocessing.channels))
    for row in sample.tolist():
        try:
            image = dataset.open(row)
        except InvalidImage:
            unread += 1
            job.tick(1)
            continue
        heat: Float32 = np.nan_to_num(np.abs(explain(model, image, method, job=PartJob(job)).heatmap))
        job.tick(1)
        if not heat.any():
            empty += 1
        else:
            heat_sum += heat / heat.max()
            input_sum += model.preprocessing.input_bytes(image)
            used_rows.append(row)
    if not used_rows:
        raise InvalidImage(
            "None of these pictures gives a map that could be averaged. Choose others, or another model."
        )
    mean = (input_sum / len(used_rows)).round().astype(np.uint8)
    background = Image.fromarray(mean[..., 0] if mean.shape[2] == 1 else mean)
    heatmap = (heat_sum / len(used_rows)).astype(np.float32)
    return MeanAttribution(heatmap, tuple(used_rows), empty, unread, len(selected), background)
