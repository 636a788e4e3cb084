"""Faithfulness of one map: hide its strongest pieces first, then its weakest first, and compare the two curves.

The symmetric relevance gain is the area between them; unlike either alone it hardly depends on how pieces are hidden:
Blücher, Vielhaben and Strodthoff, "Decoupling Pixel Flipping and Occlusion Strategy" (TMLR 2024, arXiv:2401.06654).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from xai_core.arrays import Float64, Int64
from xai_core.engine import cores
from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.errors import InvalidParam
from xai_core.images import image_sha256
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed
from xai_core.results import Attribution, Target
from xai_core.trust.hiding.comparisons import MAX_SHIFTS, Comparison, compare_with_shifts, count_comparison
from xai_core.trust.hiding.curves import Curve, HidingRequest
from xai_core.trust.hiding.fills import FILLS
from xai_core.trust.hiding.pieces import PIECES, STEPS, average_pieces, count_hidden, cut_pieces, order_pieces

# Memory of a call: batches being composed and one that waits.
CALL_BYTES = 32 * 2**20
ANOTHER_PICTURE = (
    "This map is about another picture: its evidence says nothing about the one that is shown. Make a map of this "
    "picture first."
)
ANOTHER_MODEL = "This map was made with another model or other weights. Make a map with {title} first."
BROKEN = "Some values of this map are not numbers, so its places have no order. Make the map again."


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Deletion and insertion of one map, and how it compares with shifted copies of itself."""

    deletion: Curve
    """The most important pieces are hidden first; by the share that is hidden."""
    insertion: Curve
    """The most important pieces are shown first; by the share that is shown."""
    comparison: Comparison | None
    """None for a map that is the same everywhere: its shifted copies are itself."""
    method: str
    target: Target
    label: str
    evaluations: int
    seconds: float

    @property
    def gain(self) -> float:
        """Symmetric relevance gain in log-odds: above 0 the map's order is better than its reverse."""
        return self.insertion.area - self.deletion.area

    @property
    def beats(self) -> float:
        """Share of the shifted copies of the map with a smaller gain, 0 to 1; NaN for a flat map."""
        return float("nan") if self.comparison is None else self.comparison.beats

    @property
    def is_flat(self) -> bool:
        """True where the map has no order of places."""
        return self.comparison is None


def check_map(model: Classifier, image: Image.Image, result: Attribution) -> None:
    """Refuse a map of another picture or model, or one with values that are no numbers. Raises InvalidParam."""
    if result.image_sha256 != image_sha256(image):
        raise InvalidParam(ANOTHER_PICTURE)
    if result.model != model.name or result.versions.get("weights") != model.weights_sha256:
        raise InvalidParam(ANOTHER_MODEL.format(title=model.title))
    if not np.isfinite(result.values).all():
        raise InvalidParam(BROKEN)


def faithfulness(
    model: Classifier,
    image: Image.Image,
    result: Attribution,
    seed: int = 0,
    job: Job[Any] | None = None,
    pieces: str = "grid",
    fills: Sequence[str] = tuple(FILLS),
    shifts: int = MAX_SHIFTS,
) -> Faithfulness:
    """Measure how far the answer follows a map: 33 amounts of hiding, two directions and two fillings.

    `pieces` is one of PIECES; `shifts` counts the shifted copies, which are hidden in fewer steps and by one filling,
    and the map is compared with them by the same. `seed` decides the copies and the order of equal pieces.

    Raises InvalidParam (a map of another picture or model), UnknownName or Cancelled.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> test = faithfulness(model, image, xai_core.explain(model, image, "occlusion"), shifts=10)
    >>> test.gain > 0, 0 <= test.beats <= 1
    (True, True)
    """
    began, work = time.perf_counter(), job or Job()
    check_map(model, image, result)
    rng = np.random.default_rng(check_seed(seed))
    steps = model.preprocessing
    labels = cut_pieces(steps.to_pixels(steps.model_input(image)), pieces)
    ties = rng.permutation(int(labels.max()) + 1)
    heat = result.heatmap.astype(np.float64)
    values = average_pieces(heat, labels)
    is_flat = bool(np.ptp(values) <= 1e-9 * np.abs(values).max())
    work.expect(1 + len(fills) * (2 * STEPS - 1) + (0 if is_flat else count_comparison(shifts)))
    with cores.limit(cores.CORES_PER_WORKER):
        request = HidingRequest.create(model, image, result.target, labels, work)
        deletion, insertion = measure_curves(request, values, ties, fills)
        comparison = None
        if not is_flat:
            comparison = compare_with_shifts(request, heat, ties, deletion, insertion, fills[0], shifts, rng)
    return Faithfulness(
        deletion,
        insertion,
        comparison,
        result.method,
        result.target,
        result.label,
        request.evaluator.evaluations,
        time.perf_counter() - began,
    )


def measure_curves(
    request: HidingRequest, values: Float64, ties: Int64, fills: Sequence[str] = tuple(FILLS), steps: int = STEPS
) -> tuple[Curve, Curve]:
    """Return deletion and insertion for the value of each piece, (pieces,).

    Nothing hidden is asked about once, everything hidden once a filling.
    """
    orders = order_pieces(values, ties), order_pieces(-values, ties)
    counted = [count_hidden(order, request.labels, steps) for order in orders]
    (start,) = request.ask([np.zeros(0, dtype=np.int64)], request.make_hider(fills[0]))
    odds: tuple[dict[str, Float64], dict[str, Float64]] = ({}, {})
    for kind in fills:
        sets = [order[:count] for order, (counts, _) in zip(orders, counted, strict=True) for count in counts[1:-1]]
        *inner, end = request.ask([*sets, orders[0]], request.make_hider(kind)).tolist()
        for side, rows in zip(odds, (inner[: steps - 1], inner[steps - 1 :]), strict=True):
            side[kind] = np.array([start, *rows, end])
    (_, hidden), (_, least_hidden) = counted
    return Curve(hidden, odds[0]), Curve((1 - least_hidden)[::-1], _reverse(odds[1]))


def _reverse(odds: Mapping[str, Float64]) -> dict[str, Float64]:
    return {kind: values[::-1] for kind, values in odds.items()}


_POOL = JobPool("trust", timeout=CLOSED_TAB_S)


def find_key(result: Attribution, *choices: object) -> str:
    """Return the SHA-256 of a map and of what is asked about it."""
    about = (result.method, result.model, result.versions.get("weights"), result.target, result.image_sha256, choices)
    return hashlib.sha256(result.values.tobytes() + repr(about).encode()).hexdigest()


def start_faithfulness(
    model: Classifier, image: Image.Image, result: Attribution, seed: int, pieces: str, session_id: str = ""
) -> Job[Faithfulness]:
    """Test a map in the background and return the job, which equal requests of all sessions share."""
    return _POOL.start(
        ("faithfulness", find_key(result, seed, pieces)),
        lambda job: faithfulness(model, image, result, seed, job, pieces),
        float(STEPS * 4 + count_comparison(MAX_SHIFTS)),
        session_id,
        CALL_BYTES,
    )


def find_faithfulness(result: Attribution) -> Faithfulness | None:
    """Return the finished test of a map, by whatever pieces; None where there is none."""
    jobs = (_POOL.find(("faithfulness", find_key(result, 0, pieces))) for pieces in PIECES)
    return next((job.result for job in jobs if job is not None and job.result is not None), None)
