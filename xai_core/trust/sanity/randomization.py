"""Model randomization: is a method's map still the same when the network's weights are shuffled?

Adebayo et al. 2018, arXiv:1810.03292; with weights that keep their distribution and norms measured anew, since
otherwise activations keep or lose their scale (Binder et al. 2023, arXiv:2211.12486). A map of pure noise changes too
(Hedström et al. 2024, arXiv:2401.06465): so "unchanged" is evidence against a method, "changed" is evidence of nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float64
from xai_core.engine.jobs import Job, JobPart
from xai_core.images import SAMPLES
from xai_core.methods.run.explain import Plan, TargetLike, carry_out, plan, predict
from xai_core.models.classifier import Classifier
from xai_core.params import Value, check_seed, resolve
from xai_core.results import Target
from xai_core.trust.sanity.own_weights import group_owners, list_weight_owners, make_shuffled_model
from xai_core.trust.sanity.similarity import MEASURES, compare_heats, is_flat

SanityVerdict = Literal["unchanged", "changed", "flat", "unclear"]
GROUPS, SEEDS, PICTURES = 4, 3, 32
# Other pictures whose maps are the floor.
FLOOR_PICTURES = 2
# Distance of ceiling and floor below which a measure cannot tell a changed map from an unchanged one, and ceiling below
# which a map is not even like itself.
MIN_GAP, MIN_CEILING = 0.2, 0.5
# Place between floor (0) and ceiling (1) from which a map counts as unchanged.
UNCHANGED = 0.5
# Work in forward passes above which a method is tested with its coarse settings.
MAX_WEIGHT = 400.0


@dataclass(frozen=True, eq=False)
class Randomization:
    """Similarity of maps by shuffled and by right weights; `cascade` and `independent` are (groups, seeds) a measure.

    The first group is the last layer. In a cascade all groups up to one are shuffled, independently only that one.
    """

    method: str
    layers: tuple[str, ...]
    """Name of each group of modules, from the last executed to the first."""
    cascade: Mapping[str, Float64]
    independent: Mapping[str, Float64]
    ceilings: Mapping[str, float]
    """Similarity of two seeds by the right weights; 1 for a method without random draws."""
    floors: Mapping[str, float]
    """Similarity to the maps of other pictures, by the right weights."""
    flat_share: float
    """Share of the maps by entirely shuffled weights that were the same everywhere."""
    original: Float64
    """Map by the right weights, (H, W)."""
    shuffled: Float64
    """Map by entirely shuffled weights, (H, W), of the first seed."""
    is_coarse: bool
    """True if the method was tested with settings that cost less than the usual ones."""
    seconds: float

    def find_position(self, measure: str) -> Float64:
        """Return where each map by entirely shuffled weights stands between floor (0) and ceiling (1), (seeds,)."""
        gap = self.ceilings[measure] - self.floors[measure]
        position: Float64 = (self.cascade[measure][-1] - self.floors[measure]) / gap
        return position

    @property
    def usable(self) -> tuple[str, ...]:
        """Measures by which two seeds are alike, and much more so than two pictures."""
        pairs = {name: (self.ceilings[name], self.floors[name]) for name in MEASURES}
        return tuple(name for name, (top, low) in pairs.items() if top >= MIN_CEILING and top - low >= MIN_GAP)

    @property
    def positions(self) -> Float64:
        """Mean place of each map by entirely shuffled weights between floor (0) and ceiling (1), (seeds,).

        Over the usable measures: a map that is turned around is alike by its strengths only, and has changed.
        """
        if not self.usable:
            return np.full(self.cascade[next(iter(MEASURES))].shape[1], np.nan)
        mean: Float64 = np.mean([self.find_position(name).clip(-1, 1) for name in self.usable], axis=0)
        return mean

    @property
    def measure(self) -> str:
        """The first usable measure; the first of all where none is usable."""
        return next(iter((*self.usable, *MEASURES)))

    @property
    def similarity(self) -> Float64:
        """Mean similarity over the seeds by `measure`, (groups,), cascading from the last layer to the first."""
        mean: Float64 = self.cascade[self.measure].mean(axis=1)
        return mean

    @property
    def ceiling(self) -> float:
        return self.ceilings[self.measure]

    @property
    def floor(self) -> float:
        return self.floors[self.measure]

    @property
    def verdict(self) -> SanityVerdict:
        """ "unchanged" speaks against the method; "changed", "flat" and "unclear" speak for nothing."""
        if self.flat_share >= 0.5:
            return "flat"
        if not self.usable:
            return "unclear"
        return "unchanged" if float(np.nanmin(self.positions)) >= UNCHANGED else "changed"


def randomization(
    model: Classifier,
    image: Image.Image,
    method: str,
    seed: int = 0,
    job: Job[Any] | None = None,
    target: TargetLike = None,
    layer: str | None = None,
    groups: int = GROUPS,
    seeds: int = SEEDS,
) -> Randomization:
    """Compare a method's map with its maps by shuffled weights, which have storage of their own.

    Raises what `explain` raises.

    >>> import xai_core
    >>> model, image = xai_core.load_model("small_cnn"), xai_core.SAMPLES.get("digit_3").load()
    >>> test = randomization(model, image, "guided_backprop", groups=2, seeds=2)
    >>> test.layers, test.similarity.shape
    (('linear2', 'conv1 to linear1'), (2,))
    """
    began, whole = time.perf_counter(), job or Job()
    planned, is_coarse = _plan_cheap(model, image, method, target, layer, check_seed(seed))
    grouped = group_owners(list_weight_owners(model), groups)
    others = _find_other_pictures(model, image)
    pictures = make_norm_pictures(model, [image, *others], seed)
    whole.expect(count_work(planned, len(grouped), seeds))

    original = _explain(planned, whole)
    ceilings = dict.fromkeys(MEASURES, 1.0)
    if planned.spec.random:
        ceilings = compare_heats(original, _explain(replace(planned, seed=seed + 1), whole))
    floor_rows = [compare_heats(original, _explain(replace(planned, image=entry), whole)) for entry in others]
    floors = {name: float(np.mean([row[name] for row in floor_rows])) for name in MEASURES}
    shuffle = partial(_explain_by_random_weights, planned, pictures=pictures, seeds=seeds, whole=whole)
    cascades = [shuffle([name for own in grouped[: place + 1] for name in own]) for place in range(len(grouped))]
    # Shuffling the last layer is the first step of both.
    independents = [cascades[0], *map(shuffle, grouped[1:])]
    return Randomization(
        method,
        tuple(own[0] if len(own) == 1 else f"{own[0]} to {own[-1]}" for own in grouped),
        _compare_all(original, cascades),
        _compare_all(original, independents),
        ceilings,
        floors,
        float(np.mean([is_flat(heat) for heat in cascades[-1]])),
        original,
        cascades[-1][0],
        is_coarse,
        time.perf_counter() - began,
    )


def _explain(planned: Plan, whole: Job[Any]) -> Float64:
    return carry_out(planned, JobPart(whole)).heatmap.astype(np.float64)


def _explain_by_random_weights(
    planned: Plan, names: Sequence[str], *, pictures: torch.Tensor, seeds: int, whole: Job[Any]
) -> list[Float64]:
    """Return the map (H, W) by the shuffled weights of the named modules, one for each seed."""
    heats = []
    for number in range(seeds):
        model = make_shuffled_model(planned.model, names, pictures, planned.seed + number, JobPart(whole))
        whole.tick(PICTURES)
        heats.append(_explain(replace(planned, model=model), whole))
    return heats


def _compare_all(original: Float64, maps: Sequence[Sequence[Float64]]) -> dict[str, Float64]:
    """Return the similarity of each map (groups, seeds) to the original one, by measure."""
    rows = [[compare_heats(original, heat) for heat in heats] for heats in maps]
    return {name: np.array([[row[name] for row in group] for group in rows]) for name in MEASURES}


def _plan_cheap(
    model: Classifier, image: Image.Image, method: str, target: TargetLike, layer: str | None, seed: int
) -> tuple[Plan, bool]:
    """Return the plan of the method, with its coarse settings where the usual ones are dear, for a fixed class."""
    planned = plan(model, image, method, target, layer, None, seed)
    chosen: Target = planned.target if planned.target is not None else predict(model, image, 1).classes[0][0]
    is_dear = planned.weight > MAX_WEIGHT
    if is_dear:
        planned = replace(planned, params=_choose_params(planned))
    return replace(planned, target=chosen), is_dear


def _choose_params(planned: Plan) -> Mapping[str, Value]:
    """Return the parameters of the method's coarse map."""
    side = planned.model.side
    return resolve(planned.spec.params, planned.spec.quick_params(side), side)


def count_work(planned: Plan, groups: int = GROUPS, seeds: int = SEEDS) -> int:
    """Return the evaluations of a test: maps, coarse ones where the usual are dear, and pictures for norms."""
    params = _choose_params(planned) if planned.weight > MAX_WEIGHT else planned.params
    shuffled, cost = (2 * groups - 1) * seeds, planned.spec.cost(params, planned.model.side)
    return shuffled * (cost + PICTURES) + (1 + FLOOR_PICTURES + planned.spec.random) * cost


def _find_other_pictures(model: Classifier, image: Image.Image) -> list[Image.Image]:
    """Return other sample pictures of the kind that the model takes."""
    kind = "digit" if model.preprocessing.channels == 1 else "photo"
    pictures = [sample.load() for sample in SAMPLES.specs() if sample.kind == kind]
    others = [picture for picture in pictures if picture.size != image.size or picture.tobytes() != image.tobytes()]
    return others[:FLOOR_PICTURES]


def make_norm_pictures(model: Classifier, pictures: Sequence[Image.Image], seed: int) -> torch.Tensor:
    """Return 32 prepared parts of pictures, (32, C, H, W), each a random square of at least half the shorter side."""
    rng, parts = np.random.default_rng(seed), []
    for number in range(PICTURES):
        picture = pictures[number % len(pictures)]
        side = int(min(picture.size) * rng.uniform(0.5, 1.0))
        left, top = (int(rng.integers(0, length - side + 1)) for length in picture.size)
        parts.append(model.prepare(picture.crop((left, top, left + side, top + side))))
    return torch.cat(parts)
