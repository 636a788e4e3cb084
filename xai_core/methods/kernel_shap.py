"""Kernel SHAP: every patch's fair share of the score, averaged over all orders in which patches could be shown.

Lundberg & Lee 2017, arXiv:1705.07874. Shapley values are the solution of a weighted regression on pictures with hidden patches. Sizes of
subsets that fit the budget are tried completely, as in the authors' package; the others are drawn in pairs with their complement, and the
shares are forced to add up exactly (both from Covert & Lee 2021, arXiv:2012.01536). With few patches nothing is drawn and all is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt
import torch

from xai_core.errors import InvalidParam
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.superpixels import REPLACE, SEGMENTS, hiding, replacement, superpixels
from xai_core.params import Int, Value

Doubles = npt.NDArray[np.float64]


def _complete(count: int, size: int) -> Doubles:
    """All ways to show `size` of `count` patches, or to hide them, as rows of 0 and 1; each once."""
    chosen = np.array(list(combinations(range(count), size)))
    rows = np.zeros((len(chosen), count))
    np.put_along_axis(rows, chosen, 1.0, axis=1)
    return rows if 2 * size == count else np.concatenate([rows, 1 - rows])


def _drawn(count: int, sizes: npt.NDArray[np.int_], chances: Doubles, pairs: int, rng: np.random.Generator) -> Doubles:
    """Subsets whose size follows `chances`, each followed by its complement."""
    order = rng.random((pairs, count)).argsort(axis=1).argsort(axis=1)
    rows = (order < rng.choice(sizes, pairs, p=chances)[:, None]).astype(np.float64)
    return np.concatenate([rows, 1 - rows])


def _coalitions(count: int, samples: int, rng: np.random.Generator) -> tuple[Doubles, Doubles]:
    """Which patches are shown, (n, count), with n up to `samples`, and the weight of each row, (n,). All and none shown are left out.

    The Shapley kernel gives size s the mass 1 / (s (count - s)) in all, spread evenly over the subsets of that size.
    """
    sizes = np.arange(1, count)
    mass = 1.0 / (sizes * (count - sizes))
    rows, weights, left = [np.zeros((0, count))], [np.zeros(0)], samples
    for size in range(1, count // 2 + 1):
        both = {size, count - size}
        share = sum(mass[s - 1] for s in both) / mass[size - 1 : count - size].sum()
        if comb(count, size) * len(both) > left * share * (1 + 1e-9):
            rest = slice(size - 1, count - size)
            rows.append(_drawn(count, sizes[rest], mass[rest] / mass[rest].sum(), left // 2, rng))
            weights.append(np.full(len(rows[-1]), mass[rest].sum() / max(len(rows[-1]), 1)))
            break
        rows.append(_complete(count, size))
        weights.append(np.full(len(rows[-1]), mass[size - 1] / comb(count, size)))
        left -= len(rows[-1])
    return np.concatenate(rows), np.concatenate(weights)


def _shares(shown: Doubles, gains: Doubles, weights: Doubles, change: float) -> Doubles:
    """The shares, (count,), that add up to `change` and fit the gains over the hidden picture best.

    Every patch gets an equal share; what is left is a regression without constraint in the differences between patches.
    """
    equal, root = change / shown.shape[1], np.sqrt(weights)
    differences = shown - shown.mean(axis=1, keepdims=True)
    rest = np.linalg.lstsq(differences * root[:, None], (gains - equal * shown.sum(axis=1)) * root, rcond=None)[0]
    return np.asarray(equal + rest - rest.mean())


def run(request: Request) -> RawMap:
    """Shapley value of each superpixel, in logits, painted on its pixels, (H, W); over patches they add up to f(x) - f(all hidden)."""
    samples, asked = request.integer("samples"), request.integer("segments")
    if samples < min(2 * asked, 2**asked - 2):
        raise InvalidParam(
            f"Samples (samples) must be at least twice the patches, {2 * asked}: else shares are guesses. Got {samples}."
        )
    labels = superpixels(request.pixels, asked)
    count = int(labels.max()) + 1
    shown, weights = _coalitions(count, samples, request.rng)
    request.job.expect(len(shown) + 2)
    compose = hiding(request, labels, replacement(request, labels))
    rows = torch.from_numpy(np.concatenate([np.zeros((1, count)), shown]))
    empty, *scores = request.evaluator.hidden(rows, labels, compose).double().tolist()
    change = request.score - empty
    shares = _shares(shown, np.array(scores) - empty, weights, change)
    details = {
        "completeness_gap": abs(float(shares.sum()) - change) / max(abs(change), 1e-12),
        "score_change": change,
        "patches": float(count),
        "exact": float(len(shown) == 2**count - 2),
    }
    return RawMap(shares[labels].astype(np.float32), details)


def _cost(params: Mapping[str, Value], side: int) -> int:
    return min(int(params["samples"]), (1 << int(params["segments"])) - 2) + 2


METHODS.add(
    MethodSpec(
        name="kernel_shap",
        title="Fair shares",
        technical="Kernel SHAP",
        question="What is each patch's fair share of the score?",
        sentence="Orange patches add to the score of this class, blue patches take away; together they make up the whole change.",
        caution="The shares are estimated from samples: look at another seed, and at another filling for hidden patches.",
        family="surrogate",
        paper="Lundberg & Lee 2017, arXiv:1705.07874",
        run=run,
        cost=_cost,
        random=True,
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
