"""Effect of concepts on a class: testing with concept activation vectors (TCAV, Kim et al. 2018,
arXiv:1711.11279), against what random pictures reach.

A concept's direction differs from random ones by chance as well. So random pictures are divided at random a few hundred
times, each time into as many for the concept and as many others, and the two-sided p is the share of those differences
that reach as far along the class's mean gradient. It needs no normal distribution and counts no split twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xai_core.arrays import Float64
from xai_core.engine import cores
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, UnknownName
from xai_core.inside.concepts.directions import HeldOut, find_step, measure_chance, measure_held_out, measure_scale
from xai_core.inside.concepts.nulls import adjust_holm, draw_derivatives, find_p, limit_count
from xai_core.inside.concepts.readings import choose_layer, read_activations, read_gradients
from xai_core.inside.visualization.pooled_features import Pictures
from xai_core.methods.run.explain import TargetLike, describe_target, resolve_target
from xai_core.models.classifier import Classifier
from xai_core.params import check_seed

MIN_PICTURES = 10
# With more concepts than this, the smallest p that so many draws can give is lost in the correction for many tests.
MAX_CONCEPTS = 24
DRAWS = 500
LEVEL = 0.05
ENTANGLED = 0.5
# Gradients are taken for equal if they differ by less than this share of their length.
_EQUAL = 1e-3


@dataclass(frozen=True, eq=False)
class ConceptScore:
    """Effect of one concept on the logit of a class in one layer.

    `score` is the share of the examples whose logit rises along the concept's direction, `strength` their mean rise in
    logits for one step of one standard deviation.
    """

    name: str
    score: float
    strength: float
    p: float
    """Two-sided, against random pictures; at least 1 / (draws + 1)."""
    adjusted_p: float
    """`p` after Holm's correction for all concepts of the same call."""
    accuracy: float
    """Share of pictures held out that the direction tells from random ones, both groups counted alike."""
    auc: float
    second_accuracy: float
    """The same for a logistic regression."""
    chance_accuracy: float
    """The accuracy that 95 % of random against random directions stay below."""
    random_scores: tuple[float, float]
    """Range that holds 95 % of the scores of random directions."""
    pictures: int
    direction: Float64
    """One step towards the concept, (C,), in the layer's own units."""
    derivatives: Float64
    """Rise of each example's logit for one step, (n,)."""

    @property
    def significant(self) -> bool:
        """True if random pictures hardly ever reach as far, with all concepts of the call counted."""
        return self.adjusted_p <= LEVEL

    @property
    def at_chance(self) -> bool:
        """True if the direction tells its own pictures from random ones no better than a random one would."""
        return self.accuracy <= self.chance_accuracy


@dataclass(frozen=True, eq=False)
class ConceptScores:
    """Scores of all concepts of one call, in their order: by number, by name, or one after the other."""

    layer: str
    label: str
    records: tuple[ConceptScore, ...]
    cosines: Float64
    """Likeness of the directions, (K, K), every channel in units of its spread among the random pictures."""
    equal_gradients: bool
    """True if all examples have the same gradient: then the score can only be 0 or 1."""
    draws: int
    random: int
    """Number of random pictures."""

    def __iter__(self) -> Iterator[ConceptScore]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, key: int | str) -> ConceptScore:
        """Return one record. Raises UnknownName."""
        if not isinstance(key, str):
            return self.records[key]
        names = [record.name for record in self.records]
        if key not in names:
            raise UnknownName.of("concept", key, names)
        return self.records[names.index(key)]

    @property
    def close_pairs(self) -> tuple[tuple[str, str, float], ...]:
        """Pairs whose directions are hard to tell apart, with their cosine, the closest first."""
        pairs = [
            (self.records[row].name, self.records[column].name, float(self.cosines[row, column]))
            for row, column in zip(*np.triu_indices(len(self.records), 1), strict=True)
            if self.cosines[row, column] > ENTANGLED
        ]
        return tuple(sorted(pairs, key=lambda pair: -pair[2]))


def concept_scores(
    model: Classifier,
    layer: str | None,
    target: TargetLike,
    concepts: Mapping[str, Pictures],
    examples: Pictures,
    random: Pictures,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> ConceptScores:
    """Return how much each concept matters for the logit of `target`, a class or a pair, in a layer.

    `concepts`: pictures of each, at least 10; `examples`: pictures of the class; `random`: others, at least 10, more
    make the test sharper. `layer` None is the one two thirds down. `job` counts pictures.

    Raises InvalidParam (too few pictures, no such class, a layer without maps), UnknownName, NotApplicable, Cancelled.

    >>> from xai_core import SAMPLES, load_model
    >>> digits = [SAMPLES.get("digit_8").load().rotate(angle) for angle in range(40)]
    >>> scores = concept_scores(load_model("small_cnn"), "pool2", 8, {"upright": digits[:10]}, digits[:3], digits[10:])
    >>> scores["upright"].pictures, 0 <= scores[0].score <= 1
    (10, True)
    """
    resolved = resolve_target(model, target)
    if resolved is None:
        raise InvalidParam("Say for which class an idea may matter: a label, its number, or a pair of classes.")
    check_counts({name: len(pictures) for name, pictures in concepts.items()}, len(random), len(examples))
    chosen, job, seed = choose_layer(model, layer), job or Job(), check_seed(seed)
    counts = [*map(len, concepts.values()), len(examples), len(random)]
    job.expect(job.done + sum(counts))
    name = chosen.name
    values = {concept: read_activations(model, [chosen], pictures, job)[name] for concept, pictures in concepts.items()}
    others = read_activations(model, [chosen], random, job)[name]
    gradients = read_gradients(model, [chosen], resolved, examples, job)[name]
    return score_directions(values, others, gradients, name, describe_target(model, resolved), seed, job)


def check_counts(concepts: Mapping[str, int], random: int, examples: int) -> None:
    """Check numbers of pictures. Raises InvalidParam."""
    if not 1 <= len(concepts) <= MAX_CONCEPTS:
        raise InvalidParam(f"Between 1 and {MAX_CONCEPTS} ideas can be tested together. Got {len(concepts)}.")
    for name, count in (*concepts.items(), ("random pictures", random)):
        if count < MIN_PICTURES:
            raise InvalidParam(
                f"At least {MIN_PICTURES} pictures are needed to show an idea, and as many others to compare with. "
                f"Got {count} for “{str(name)[:60]}”."
            )
    if examples < 1:
        raise InvalidParam("At least one picture of the class is needed. Got none.")


def score_directions(
    concepts: Mapping[str, Float64],
    baseline: Float64,
    gradients: Float64,
    layer: str = "",
    label: str = "",
    seed: int = 0,
    job: Job[Any] | None = None,
    draws: int = DRAWS,
) -> ConceptScores:
    """Score concepts from what `read_activations` (n, C) and `read_gradients` (m, C) gave, in a fraction of a second.

    Raises InvalidParam as `concept_scores` does, and Cancelled between concepts.
    """
    check_counts({name: len(values) for name, values in concepts.items()}, len(baseline), len(gradients))
    job, seeds, spread = job or Job(), np.random.SeedSequence(seed), measure_scale(baseline)
    nulls: dict[int, _Null] = {}
    records = []
    with cores.limit(cores.CORES_PER_WORKER):
        for name, values in concepts.items():
            job.tick()
            count = limit_count(len(values), len(baseline))
            # Concepts of equally many pictures share their random directions.
            if count not in nulls:
                nulls[count] = _draw_null(baseline, gradients, spread, count, draws, seed)
            rng = np.random.default_rng(seeds.spawn(1)[0])
            held_out = measure_held_out(values, baseline, spread, rng)
            records.append(_score(name, values, baseline, gradients, spread, nulls[count], held_out))
    # A channel with large values must not decide alone how alike two directions are.
    scaled = np.stack([record.direction / spread for record in records])
    scaled /= np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-300)
    adjusted = adjust_holm([record.p for record in records])
    return ConceptScores(
        layer=layer,
        label=label,
        records=tuple(replace(record, adjusted_p=p) for record, p in zip(records, adjusted, strict=True)),
        cosines=scaled @ scaled.T,
        equal_gradients=are_equal(gradients),
        draws=draws,
        random=len(baseline),
    )


@dataclass(frozen=True, eq=False)
class _Null:
    """Reach of random against random directions: derivatives (draws, n) and held-out accuracies (draws,)."""

    derivatives: Float64
    accuracies: Float64


def _draw_null(baseline: Float64, gradients: Float64, spread: Float64, count: int, draws: int, seed: int) -> _Null:
    rng = np.random.default_rng([seed, count])
    derivatives = draw_derivatives(baseline, gradients, count, draws, rng)
    return _Null(derivatives, measure_chance(baseline, spread, count, draws, rng))


def _score(
    name: str, values: Float64, baseline: Float64, gradients: Float64, spread: Float64, null: _Null, held_out: HeldOut
) -> ConceptScore:
    step, _ = find_step(values, baseline, spread)
    derivatives = gradients @ step
    p = find_p(values, baseline, gradients, null.derivatives)
    low, high = np.quantile((null.derivatives > 0).mean(1), [LEVEL / 2, 1 - LEVEL / 2])
    return ConceptScore(
        name=name,
        score=float((derivatives > 0).mean()),
        strength=float(derivatives.mean()),
        p=p,
        adjusted_p=p,
        accuracy=held_out.accuracy,
        auc=held_out.auc,
        second_accuracy=held_out.second,
        chance_accuracy=float(np.quantile(null.accuracies, 1 - LEVEL)),
        random_scores=(float(low), float(high)),
        pictures=len(values),
        direction=step,
        derivatives=derivatives,
    )


def are_equal(gradients: Float64) -> bool:
    """Return True if the gradients (n, C) of at least two pictures are the same but for rounding."""
    centre = gradients.mean(0)
    length = float(np.linalg.norm(centre))
    return len(gradients) > 1 and float(np.linalg.norm(gradients - centre, axis=1).max()) <= _EQUAL * length
