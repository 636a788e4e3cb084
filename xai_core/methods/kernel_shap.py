"""Kernel SHAP: Shapley value of every superpixel, its mean gain over all orders in which superpixels could be shown.

Lundberg & Lee 2017, arXiv:1705.07874. Shapley values are the solution of a weighted regression on pictures with hidden
superpixels. Sizes of coalitions that fit the budget are tried completely, as in the authors' package; the others are
drawn in pairs with their complement, and the values are forced to add up exactly (both from Covert & Lee 2021,
arXiv:2012.01536). With few superpixels nothing is drawn and all is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb

import numpy as np
import torch

from xai_core.arrays import Float32, Float64, Int64
from xai_core.errors import InvalidParam
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.superpixels import REPLACE, SEGMENTS, find_superpixels, make_composer, make_replacement
from xai_core.params import Int, Value


def _enumerate_coalitions(count: int, size: int) -> Float64:
    """Return all coalitions of `size` of `count` superpixels and their complements, as rows of 0 and 1; each once."""
    members = np.array(list(combinations(range(count), size)))
    rows = np.zeros((len(members), count))
    np.put_along_axis(rows, members, 1.0, axis=1)
    return rows if 2 * size == count else np.concatenate([rows, 1 - rows])


def _draw_coalitions(count: int, sizes: Int64, probabilities: Float64, pairs: int, rng: np.random.Generator) -> Float64:
    """Draw coalitions whose size follows `probabilities`, and the complement of each: rows (2 pairs, count)."""
    # A coalition of size s holds the s superpixels that come first in a random order.
    rank = rng.random((pairs, count)).argsort(axis=1).argsort(axis=1)
    rows = (rank < rng.choice(sizes, pairs, p=probabilities)[:, None]).astype(np.float64)
    return np.concatenate([rows, 1 - rows])


def sample_coalitions(count: int, samples: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
    """Return up to `samples` coalitions as rows of 0 and 1, (N, count), and the weight of each, (N,).

    The empty and the full coalition are left out. The Shapley kernel gives size s the mass 1 / (s (count - s)) in all,
    spread evenly over the coalitions of that size.
    """
    sizes = np.arange(1, count)
    mass = 1.0 / (sizes * (count - sizes))
    rows, weights, budget = [np.zeros((0, count))], [np.zeros(0)], samples
    # From the sizes of the largest weight inwards: size and its complement together.
    for size in range(1, count // 2 + 1):
        both = {size, count - size}
        share = sum(mass[s - 1] for s in both) / mass[size - 1 : count - size].sum()
        if comb(count, size) * len(both) > budget * share * (1 + 1e-9):
            # Too many to try all: draw from this and all sizes further in.
            rest = slice(size - 1, count - size)
            rows.append(_draw_coalitions(count, sizes[rest], mass[rest] / mass[rest].sum(), budget // 2, rng))
            weights.append(np.full(len(rows[-1]), mass[rest].sum() / max(len(rows[-1]), 1)))
            break
        rows.append(_enumerate_coalitions(count, size))
        weights.append(np.full(len(rows[-1]), mass[size - 1] / comb(count, size)))
        budget -= len(rows[-1])
    return np.concatenate(rows), np.concatenate(weights)


def fit_shapley_values(shown: Float64, gains: Float64, weights: Float64, change: float) -> Float64:
    """Fit values, (count,), that add up to `change` to the gains (N,) of coalitions (N, count) over the empty one.

    Every superpixel gets an equal value; the rest is a regression without constraint in the differences between them.
    """
    equal, root = change / shown.shape[1], np.sqrt(weights)
    differences = shown - shown.mean(axis=1, keepdims=True)
    rest = np.linalg.lstsq(differences * root[:, None], (gains - equal * shown.sum(axis=1)) * root, rcond=None)[0]
    return np.asarray(equal + rest - rest.mean())


def run(request: Request) -> RawMap:
    """Return the Shapley value of each superpixel, painted on its pixels, (H, W), in logits.

    Over superpixels they add up to f(x) - f(all hidden).
    """
    samples, segments = request.integer("samples"), request.integer("segments")
    if samples < min(2 * segments, 2**segments - 2):
        raise InvalidParam(
            f"Samples (samples) must be at least twice the patches, {2 * segments}: else shares are guesses. "
            f"Got {samples}."
        )
    labels = find_superpixels(request.pixels, segments)
    count = int(labels.max()) + 1
    shown, weights = sample_coalitions(count, samples, request.rng)
    request.job.expect(len(shown) + 2)
    compose = make_composer(request, labels, make_replacement(request, labels))
    rows = torch.from_numpy(np.concatenate([np.zeros((1, count)), shown]))

    def fit_values(scores: torch.Tensor) -> tuple[Float64, float]:
        """Fit the values, (count,), to the scores of the first rows, and return the change they add up to."""
        empty, *others = scores.double().tolist()
        change, tried = request.score - empty, slice(len(others))
        return fit_shapley_values(shown[tried], np.array(others) - empty, weights[tried], change), change

    def offer_values(parts: Sequence[torch.Tensor]) -> None:
        request.offer_preview(lambda: _paint(fit_values(torch.cat(list(parts)))[0], labels))

    shapley_values, change = fit_values(request.evaluator.hidden(rows, labels, compose, offer_values))
    details = {
        "completeness_gap": abs(float(shapley_values.sum()) - change) / max(abs(change), 1e-12),
        "score_change": change,
        "patches": float(count),
        "exact": float(len(shown) == 2**count - 2),
    }
    return RawMap(_paint(shapley_values, labels), details)


def _paint(shapley_values: Float64, labels: Int64) -> Float32:
    """Return the value of its superpixel at each pixel, (H, W)."""
    return shapley_values[labels].astype(np.float32)


def _cost(params: Mapping[str, Value], side: int) -> int:
    return min(int(params["samples"]), (1 << int(params["segments"])) - 2) + 2


METHODS.add(
    MethodSpec(
        name="kernel_shap",
        title="Fair shares",
        technical="Kernel SHAP",
        question="What is each patch's fair share of the score?",
        sentence=(
            "{For} patches add to {score}[, {against} patches take away]; together they make up the whole change "
            "from a picture with every patch hidden ({replace})."
        ),
        caution=(
            "The shares are estimated from samples: look at another seed, and at another filling for hidden patches."
        ),
        family="surrogate",
        paper="Lundberg & Lee 2017, arXiv:1705.07874",
        run=run,
        cost=_cost,
        random=True,
        grows=True,
        quick_params=lambda _side: {"samples": 12, "segments": 6},
        params=(
            SEGMENTS,
            Int(
                name="samples",
                title="Samples",
                help="How many pictures with hidden patches the model is asked about. More is steadier and slower.",
                default=2000,
                low=10,
                high=20_000,
                step=10,
            ),
            REPLACE,
        ),
    )
)
