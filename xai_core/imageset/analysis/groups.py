"""What some chosen pictures have in common: their labels, the model's mistakes on them, and where it looks on average."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from xai_core.arrays import Float32, Int64
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidParam
from xai_core.images import Picture
from xai_core.imageset.rows import check_rows
from xai_core.methods import explain
from xai_core.models import load_model
from xai_core.models.classifier import Classifier

if TYPE_CHECKING:
    from xai_core.imageset.image_set import ImageSet
    from xai_core.imageset.runs.outputs import ModelOutputs

MOST_EXPLAINED = 24


@dataclass(frozen=True)
class Confusion:
    """A mistake that the model makes `count` times in the group: a picture of class `truth` called `said` (indices of the model)."""

    truth: int
    said: int
    truth_name: str
    predicted_name: str
    count: int


@dataclass(frozen=True)
class Group:
    """What is to be said of some rows of a set."""

    count: int
    labels: tuple[tuple[str, int], ...]
    """Labels of the set and how often they occur here, most frequent first; pictures without a label count as ""."""
    predicted: tuple[tuple[str, int], ...]
    """What the model says, most frequent first."""
    confusions: tuple[Confusion, ...]
    """Mistakes, most frequent first; () where the model knows none of the labels."""
    confidence: float
    """Mean probability of what the model says, 0..1; NaN for no picture."""
    accuracy: float
    """Share that is right of those whose class is known; NaN where none is."""
    failed: int
    """Pictures of the group that could not be read; they count nowhere else."""


def describe_group(
    imageset: ImageSet,
    run: ModelOutputs,
    rows: npt.ArrayLike,
    truth: npt.ArrayLike | None = None,
    labels: Sequence[str] | None = None,
) -> Group:
    """Labels, answers and mistakes among some rows. `truth` (N,) is the model's class of each picture, -1 unknown (None: of no picture);
    `labels` names the model's classes (None: asks the model). Raises InvalidParam.
    """
    names = load_model(run.model).labels if labels is None else labels
    chosen = np.unique(check_rows(rows, len(run.logits)))
    good = chosen[np.asarray(run.valid)[chosen]]
    said = np.asarray(run.predictions)[good]
    actual = np.full(len(good), -1) if truth is None else np.asarray(truth)[good]
    known = actual >= 0
    return Group(
        count=len(good),
        labels=_counted([imageset.classes[label] if label >= 0 else "" for label in imageset.labels[good]]),
        predicted=_counted([names[index] for index in said]),
        confusions=_confusions(actual[known], said[known], names),
        confidence=float(np.mean(np.asarray(run.confidence)[good])) if len(good) else float("nan"),
        accuracy=float(np.mean(actual[known] == said[known])) if known.any() else float("nan"),
        failed=len(chosen) - len(good),
    )


def _counted(names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Most frequent first, equal ones by name."""
    return tuple(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _confusions(actual: Int64, said: Int64, names: Sequence[str]) -> tuple[Confusion, ...]:
    wrong = actual != said
    pairs: Mapping[tuple[int, int], int] = Counter(zip(actual[wrong].tolist(), said[wrong].tolist(), strict=True))
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Confusion(a, b, names[a], names[b], count) for (a, b), count in ranked)


@dataclass(frozen=True, eq=False)
class MeanAttribution:
    """Where the model looks on average in a group of pictures."""

    heat: Float32
    """(H, W) on the model's input grid, 0..1: the mean of each picture's map of |evidence| with its largest value set to 1."""
    used: tuple[int, ...]
    """Rows whose maps were averaged."""
    flat: int
    """Pictures whose map was empty: the method found nothing there."""
    unread: int
    """Pictures that could not be read."""
    chosen: int
    """Of how many pictures these are an even sample."""
    ground: Picture
    """The mean of the pictures whose maps were averaged, as the model sees them, RGB or L."""


class _Part(Job[Any]):
    """One explanation within a longer job: its steps are its own, but whoever stops the whole stops it too."""

    def __init__(self, whole: Job[Any]) -> None:
        super().__init__()
        self._whole = whole

    def tick(self, evaluations: int = 0) -> None:
        super().tick(evaluations)
        self._whole.tick()


def mean_attribution(
    imageset: ImageSet,
    model: Classifier,
    rows: npt.ArrayLike,
    method: str = "grad_cam",
    limit: int = MOST_EXPLAINED,
    job: Job[Any] | None = None,
) -> MeanAttribution:
    """The mean map of why the model names the class it finds likeliest, over at most `limit` of the rows, evenly spread among them.

    Each map counts the same, however strong its evidence. `job` counts pictures. Raises InvalidParam, InvalidImage where no picture can
    be used, InvalidSet where the set is gone, what the method raises, and Cancelled.
    """
    if not 1 <= limit <= 1000:
        raise InvalidParam(f"From 1 to 1000 pictures can be averaged. Got {limit}.")
    chosen = np.unique(check_rows(rows, len(imageset)))
    if not len(chosen):
        raise InvalidParam("Choose at least one picture first. Got none.")
    asked = len(chosen)
    if asked > limit:
        chosen = chosen[np.linspace(0, len(chosen) - 1, limit).round().astype(np.int64)]
    whole = job or Job()
    whole.expect(whole.done + len(chosen))
    total, used, flat, unread = np.zeros((model.side, model.side)), [], 0, 0
    seen = np.zeros((model.side, model.side, model.preprocessing.channels))
    for row in chosen.tolist():
        try:
            image = imageset.open(row)
        except InvalidImage:
            unread += 1
            whole.tick(1)
            continue
        heat: Float32 = np.nan_to_num(np.abs(explain(model, image, method, job=_Part(whole)).heatmap))
        whole.tick(1)
        if not heat.any():
            flat += 1
        else:
            total += heat / heat.max()
            seen += model.preprocessing.input_bytes(image)
            used.append(row)
    if not used:
        raise InvalidImage(
            "None of these pictures gives a map that could be averaged. Choose others, or another model."
        )
    mean = (seen / len(used)).round().astype(np.uint8)
    ground = Image.fromarray(mean[..., 0] if mean.shape[2] == 1 else mean)
    return MeanAttribution((total / len(used)).astype(np.float32), tuple(used), flat, unread, asked, ground)
