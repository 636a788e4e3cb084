"""Shakes of a whole set: for each class, the share of its pictures whose answer each shake changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_core.arrays import Float64, Int64, UInt8
from xai_core.engine.answers import ask_model
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidParam
from xai_core.formatting import percent
from xai_core.images import Picture
from xai_core.imageset.runs.loader import Pictures
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed
from xai_core.shakes import SHAKES, Shake

MAX_SHAKEN = 1000


@dataclass(frozen=True, eq=False)
class ShakenSet:
    """K classes under S shakes, each at its strong value."""

    classes: tuple[str, ...]
    """Labels of the set where it has some, else the model's answers; most pictures first."""
    by_label: bool
    counts: Int64
    """Pictures asked about, (K,)."""
    shakes: tuple[str, ...]
    """Titles with the value."""
    broken: Float64
    """Share of the pictures of each class whose answer changed, (K, S)."""
    selected: int
    """Pictures in the set; those asked about are evenly spread among them."""
    unread: int
    """Pictures that could not be read."""

    @property
    def total(self) -> Float64:
        """Share of all pictures asked about whose answer each shake changed, (S,)."""
        shares: Float64 = self.counts @ self.broken / self.counts.sum()
        return shares


def shake_set(
    dataset: Pictures,
    model: Classifier,
    labels: Sequence[str] | None = None,
    shakes: Sequence[str] | None = None,
    limit: int = 60,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> ShakenSet:
    """Ask a model about pictures of a set as they are and under each shake (None: all) at its strong value.

    `labels` (N,) groups the pictures; "" for those without. Without them they are grouped by the model's answer.
    `job` counts answers. Raises UnknownName, InvalidParam, InvalidImage where no picture opens, Cancelled.
    """
    specs = SHAKES.specs() if shakes is None else tuple(map(SHAKES.get, shakes))
    if not specs:
        raise InvalidParam("Choose at least one shake. Got none.")
    if not 1 <= limit <= MAX_SHAKEN:
        raise InvalidParam(f"From 1 to {MAX_SHAKEN:,} pictures can be shaken. Got {limit}.")
    seed, job, count = check_seed(seed), job or Job(), len(dataset)
    sample = np.unique(np.linspace(0, count - 1, min(limit, count)).round().astype(np.int64)).tolist()
    job.expect(len(sample) * (1 + len(specs)))
    opened: list[int] = []

    def draw() -> Iterator[UInt8]:
        for row in sample:
            try:
                seen = model.preprocessing.model_input(dataset.open(row))
            except InvalidImage:
                continue
            opened.append(row)
            # Chance differs from picture to picture, but not from run to run.
            yield from (model.preprocessing.to_bytes(picture) for picture in _shake(seen, specs, seed + row))

    # One row a picture: as it is, then under each shake.
    answers = ask_model(model, draw(), job).argmax(1).numpy().reshape(-1, 1 + len(specs))
    if not opened:
        raise InvalidImage("None of these pictures can be opened. Choose another set.")
    changed = answers[:, 1:] != answers[:, :1]
    names = [labels[row] for row in opened] if labels is not None else [model.labels[row[0]] for row in answers]
    classes, places, counts = np.unique(names, return_inverse=True, return_counts=True)
    broken = np.stack([changed[places == place].mean(axis=0) for place in range(len(classes))])
    order = np.argsort(-counts, kind="stable")
    titles = tuple(f"{spec.title}: {spec.describe(spec.strong)}" for spec in specs)
    return ShakenSet(
        tuple(str(classes[place]) for place in order),
        labels is not None,
        counts[order],
        titles,
        broken[order],
        count,
        len(sample) - len(opened),
    )


def _shake(seen: Picture, specs: Sequence[Shake], seed: int) -> Iterator[Picture]:
    """Yield a picture as it is, then under each shake."""
    yield seen
    for spec in specs:
        yield spec.apply(seen, spec.strong, seed)


def describe_shaken_set(result: ShakenSet) -> str:
    """Return in two sentences which shake changes most answers, and which class it changes most."""
    worst = int(result.total.argmax())
    if not result.broken[:, worst].any():
        return "No shake changes any answer."
    frail = int(result.broken[:, worst].argmax())
    name = result.classes[frail] or "pictures without a label"
    return (
        f"“{result.shakes[worst]}” changes most answers: {percent(result.total[worst])} of them. It changes most for "
        f"{name}: {percent(result.broken[frail, worst])} of {result.counts[frail]:,}."
    )
