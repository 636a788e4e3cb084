"""Parts: patterns that a network's last maps are made of, found in pictures of a set, and what each adds to a class.

Non-negative matrix factorization of the activations at every place (Fel et al. 2023, CRAFT, arXiv:2211.10154). The head
that follows is a mean and one linear layer, so the parts' contributions are exact, up to a residual that is returned.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float32, Float64, Int64
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidImage, InvalidParam, NotApplicable
from xai_core.inside.head import read_head, select_target, target_weights
from xai_core.methods.run.explain import TargetLike, describe_target, resolve_target
from xai_core.models.classifier import Classifier
from xai_core.params import Int, check_seed
from xai_core.results import Target

PART_COUNT = Int(
    name="parts",
    title="Parts",
    help="More parts are finer, and less alike from seed to seed.",
    default=12,
    low=10,
    high=20,
)
# Enough for twenty parts; more pictures would only take longer.
MAX_PICTURES = 240
MIN_PICTURES = 10
# Bytes of activations that one factorization may hold.
MAX_BYTES = 256 * 2**20
_TOP = 8
_AT_ONCE = 4
_STEPS = 120
_TOLERANCE = 1e-3


class PictureSource(Protocol):
    """Pictures by number, such as an image set."""

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image: ...


@dataclass(frozen=True, eq=False)
class Parts:
    """K parts of a network's last maps: `directions` (K, C), the strongest over the pictures first."""

    model: str
    seed: int
    directions: Float32
    stability: Float64
    """Cosine of each part to the most similar one that another seed finds, (K,); 1 is the same part."""
    top: Int64
    """Rows of the pictures where each part is strongest, (K, n), strongest first."""
    places: Int64
    """Row and column on the maps' grid where it is strongest in each of them, (K, n, 2)."""
    grid: tuple[int, int]
    pictures: int
    """Number of pictures that were read."""
    explained: float
    """Share of the activations' squares that the parts reproduce, 0 to 1."""


@dataclass(frozen=True, eq=False)
class PartContributions:
    """One picture in parts: `values` (K,), `residual` and `bias` sum to `logit`.

    `maps` (K, rows, columns) are strengths times the length of the part's direction: sizes that compare between parts.
    """

    values: Float64
    residual: float
    bias: float
    logit: float
    target: Target
    label: str
    maps: Float32


def find_parts(
    model: Classifier,
    pictures: PictureSource,
    count: int = 12,
    seed: int = 0,
    job: Job[Any] | None = None,
    only_class: int | None = None,
) -> Parts:
    """Find `count` parts (10 to 20) in at most MAX_PICTURES pictures, spread evenly over the source.

    `only_class`: of those, only the pictures that the model takes for this class, as CRAFT does.

    `job` counts pictures and factorizations. Raises NotApplicable (the head is no mean and linear layer, or the maps
    have negative values), InvalidParam, Cancelled.
    """
    count, seed, job = int(PART_COUNT.check(count, model.side)), check_seed(seed), job or Job()
    rows = np.unique(np.linspace(0, len(pictures) - 1, min(len(pictures), MAX_PICTURES)).astype(np.int64))
    job.expect(job.done + len(rows) + len(rows) // 2)
    opened, maps, classes = _read_maps(model, pictures, rows, job)
    if only_class is not None:
        alike = classes == only_class
        opened, maps = opened[alike], maps[alike]
        if len(opened) < MIN_PICTURES:
            raise InvalidParam(
                f"The model takes {len(opened)} of these pictures for {model.labels[only_class]}, and parts need at "
                f"least {MIN_PICTURES}. Use all pictures of the set instead."
            )
    if len(opened) < MIN_PICTURES:
        raise InvalidParam(
            f"Parts need at least {MIN_PICTURES} pictures that can be read. Got {len(opened)}. "
            "Choose a larger picture set."
        )
    places = maps.transpose(0, 2, 3, 1).reshape(-1, maps.shape[1])
    if not places.any():
        raise NotApplicable(f"The last maps of {model.title} are zero for all of these pictures: there are no parts.")
    with cores.limit(cores.CORES_PER_WORKER):
        strengths, directions = _factorize(places, count, seed)
        job.tick(len(rows) // 4)
        _, again = _factorize(places, count, (seed + 1) % 2**32)
    job.tick(len(rows) // 4)
    order = np.argsort(-(strengths.mean(0) * np.linalg.norm(directions, axis=1)), kind="stable")
    strengths, directions = strengths[:, order], directions[order]
    residual = np.square(places - strengths @ directions).sum() / np.square(places).sum()
    by_picture = strengths.reshape(len(opened), -1, count)
    best = np.argsort(-by_picture.max(1), axis=0, kind="stable")[:_TOP].T
    at = np.take_along_axis(by_picture.argmax(1), best.T, 0).T
    return Parts(
        model=model.name,
        seed=seed,
        directions=directions,
        stability=_match(directions, again),
        top=opened[best],
        places=np.stack([at // maps.shape[3], at % maps.shape[3]], axis=-1),
        grid=(maps.shape[2], maps.shape[3]),
        pictures=len(opened),
        explained=float(1 - residual),
    )


def explain_parts(
    model: Classifier, image: Image.Image, parts: Parts, target: TargetLike = None, job: Job[Any] | None = None
) -> PartContributions:
    """Return what each part adds to the logit of `target` (the top class if None), or to a pair's difference.

    Raises as `find_parts` does, and for a target that does not exist.
    """
    checked = resolve_target(model, target)
    head = read_head(model, model.prepare(image), job)
    maps = _check_maps(model, head.maps)[0]
    logits = head.logits[0].double().cpu().numpy()
    resolved = int(logits.argmax()) if checked is None else checked
    weights, bias = target_weights(head, resolved)
    places = maps.reshape(len(maps), -1).T
    strengths = _solve_strengths(places, parts.directions)
    by_part = strengths.mean(0) * (parts.directions.astype(np.float64) @ weights)
    left = (places - strengths @ parts.directions.astype(np.float64)).mean(0) @ weights
    lengths = np.linalg.norm(parts.directions.astype(np.float64), axis=1)
    return PartContributions(
        values=by_part,
        residual=float(left),
        bias=bias,
        logit=float(select_target(logits, resolved)),
        target=resolved,
        label=describe_target(model, resolved),
        maps=(strengths * lengths).T.reshape(-1, *maps.shape[1:]).astype(np.float32),
    )


def _read_maps(model: Classifier, pictures: PictureSource, rows: Int64, job: Job[Any]) -> tuple[Int64, Float32, Int64]:
    """Return the rows that open, their last maps (n, C, rows, columns) and likeliest classes. Raises NotApplicable."""
    opened: list[int] = []
    classes: list[int] = []
    maps: list[Float32] = []
    held = 0
    for batch_rows, batch in _iter_batches(model, pictures, rows):
        head = read_head(model, batch, job)
        values = _check_maps(model, head.maps)
        held += values.nbytes
        if held > MAX_BYTES:
            break
        opened += batch_rows
        maps.append(values)
        classes += head.logits.argmax(1).tolist()
        job.tick(len(batch_rows))
    together = np.concatenate(maps) if maps else np.zeros((0, 1, 1, 1), dtype=np.float32)
    return np.array(opened, dtype=np.int64), together, np.array(classes, dtype=np.int64)


def _iter_batches(model: Classifier, pictures: PictureSource, rows: Int64) -> Iterator[tuple[list[int], torch.Tensor]]:
    batch: dict[int, torch.Tensor] = {}
    for row in rows.tolist():
        try:
            batch[row] = model.prepare(pictures.open(row))
        # A damaged file is left out.
        except InvalidImage:
            continue
        if len(batch) == _AT_ONCE:
            yield list(batch), torch.cat(list(batch.values()))
            batch = {}
    if batch:
        yield list(batch), torch.cat(list(batch.values()))


def _check_maps(model: Classifier, maps: torch.Tensor | None) -> Float32:
    """Return the last maps as an array. Raises NotApplicable where there are none or where they are negative."""
    if maps is None:
        raise NotApplicable(
            f"{model.title} does not average its last maps and add them up in one linear layer, so parts of its maps "
            "have no exact share in the answer. EfficientNet-Lite0 and the ResNets do."
        )
    values: Float32 = maps.float().cpu().numpy()
    if values.min(initial=0) < 0:
        raise NotApplicable(
            f"The last maps of {model.title} have negative values, and parts can only be added, never taken away. "
            "Choose a model whose last layer is a rectifier (ReLU), such as EfficientNet-Lite0 or a ResNet."
        )
    return values


def _factorize(places: Float32, count: int, seed: int) -> tuple[Float32, Float32]:
    """Return strengths (n, K) and directions (K, C) whose product is close to places (n, C).

    It starts from places that are unlike each other (k-means++, by angle): from random numbers it often ends with two
    patterns in one part.
    """
    from sklearn.cluster import kmeans_plusplus
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    lengths = np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-12)
    starts, _ = kmeans_plusplus(places / lengths, count, random_state=seed)
    directions = np.maximum(starts.astype(np.float32), 1e-4)
    strengths = np.maximum(places @ directions.T, 1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver = NMF(count, init="custom", max_iter=_STEPS, tol=_TOLERANCE, random_state=seed)
        strengths = solver.fit_transform(places, W=strengths, H=directions)
    return strengths, solver.components_


def _solve_strengths(places: Float32, directions: Float32) -> Float64:
    """Return non-negative strengths (n, K) by least squares, place by place."""
    from scipy.optimize import nnls

    # In the space of the directions the problem is small: the rest of a place does not depend on the strengths.
    basis, triangle = np.linalg.qr(directions.T.astype(np.float64))
    targets = places.astype(np.float64) @ basis
    return np.stack([nnls(triangle, target)[0] for target in targets])


def _match(directions: Float32, again: Float32) -> Float64:
    """Return each direction's cosine to its partner in the best one-to-one matching, (K,)."""
    from scipy.optimize import linear_sum_assignment

    first, second = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (directions, again)
    )
    cosines = (first @ second.T).astype(np.float64)
    ours, theirs = linear_sum_assignment(-cosines)
    matched: Float64 = cosines[ours, theirs]
    return matched
