"""LIME: a linear surrogate of the scores when superpixels are hidden.

Ribeiro et al. 2016, arXiv:1602.04938, on SLIC superpixels (Achanta et al. 2012), with K features chosen by K-Lasso as
in the paper. Captum's LimeBase does the loop; samples come from the request's own generator, since Captum's default
draws from the global one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from captum.attr import LimeBase
from sklearn.linear_model import Ridge, lars_path

from xai_core.arrays import Float32, Float64, Int64
from xai_core.errors import InvalidParam
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.superpixels import REPLACE, SEGMENTS, find_superpixels, make_composer, make_replacement
from xai_core.params import Float, Int


class KLasso:
    """Captum's interpretable model: the K features that enter the Lasso path first, then a weighted ridge on these."""

    def __init__(self, features: int) -> None:
        self.features = features
        self.weights: Float64 = np.zeros(0)
        self.r2 = 1.0

    def fit(self, loader: Any) -> None:
        # Iterating over the loader would draw a seed from the global generator.
        shown, scores, similarity = (part.numpy().astype(np.float64) for part in loader.dataset.tensors)
        # Centre rows and scores, and weigh them by similarity.
        root = np.sqrt(similarity)[:, None]
        centred = (shown - np.average(shown, axis=0, weights=similarity)) * root
        centred_scores = (scores - np.average(scores, weights=similarity)) * root[:, 0]
        # Fit a ridge on the selected features; the others weigh nothing.
        selected = self._select_features(centred, centred_scores)
        ridge = Ridge(alpha=1.0).fit(shown[:, selected], scores, sample_weight=similarity)
        self.weights = np.zeros(shown.shape[1])
        self.weights[selected] = ridge.coef_
        # The weighted coefficient of determination.
        variance = float(centred_scores @ centred_scores)
        residuals = (scores - ridge.predict(shown[:, selected])) * root[:, 0]
        self.r2 = 1.0 - float(residuals @ residuals) / variance if variance > 0 else 1.0

    def _select_features(self, centred: Float64, centred_scores: Float64) -> Int64:
        if self.features >= centred.shape[1]:
            return np.arange(centred.shape[1])
        _, _, path = lars_path(centred, centred_scores, method="lasso")
        steps = [np.flatnonzero(step) for step in path.T]
        fitting = [step for step in steps if 0 < len(step) <= self.features]
        return max(fitting, key=len) if fitting else np.arange(self.features)

    def representation(self) -> torch.Tensor:
        return torch.from_numpy(self.weights)


def estimate_votes(shown: Float32, scores: Float32, kernel_width: float, features: int) -> Float64:
    """Return about the weights that KLasso fits, (superpixels,), to samples (N, superpixels) with scores (N,), quickly.

    The features kept are those of the largest weights in one ridge on all.
    """
    similarity = np.exp(-(((1 - np.sqrt(shown.mean(axis=1, dtype=np.float64))) / kernel_width) ** 2))
    total = max(similarity.sum(), 1e-12)
    centred = shown - similarity @ shown / total
    weighted = centred * similarity[:, None]
    ridge = weighted.T @ centred + np.eye(shown.shape[1])
    weights = np.linalg.solve(ridge, weighted.T @ (scores - similarity @ scores / total))
    weights[np.argsort(-np.abs(weights))[features:]] = 0
    return weights


def run(request: Request) -> RawMap:
    """Return the weight of each superpixel in the linear surrogate, painted on its pixels, (H, W), in logits."""
    samples, segments, features = (request.integer(name) for name in ("samples", "segments", "features"))
    if features > segments:
        raise InvalidParam(
            f"Patches kept (features) must be at most the number of patches, {segments}. Got {features}."
        )
    kernel_width = request.number("kernel_width")
    labels = find_superpixels(request.pixels, segments)
    count, compose = int(labels.max()) + 1, make_composer(request, labels, make_replacement(request, labels))
    request.job.expect(samples + 1)

    def ask(shown: torch.Tensor) -> torch.Tensor:
        def draw_votes(parts: Sequence[torch.Tensor]) -> Float64:
            scores = torch.cat(list(parts)).numpy()
            return estimate_votes(shown[: len(scores)].numpy(), scores, kernel_width, features)[labels]

        return request.evaluator.hidden(
            shown, labels, compose, lambda parts: request.offer_preview(partial(draw_votes, parts))
        )

    def draw_rows(_picture: torch.Tensor, **_: object) -> Iterator[torch.Tensor]:
        """Draw rows (1, superpixels) of 0 hidden, 1 shown; the first shows everything, as in the authors' package."""
        rows = request.rng.integers(0, 2, size=(samples, count))
        rows[0] = 1
        yield from torch.from_numpy(rows).float().split(1)

    def weigh_row(_picture: object, _sample: object, shown: torch.Tensor, **_: object) -> torch.Tensor:
        """Compute an exponential kernel on the cosine distance to the whole picture, (1,)."""
        # Not in torch, which is slow for one number a sample.
        distance = 1 - math.sqrt(float(shown.numpy().mean()))
        return torch.tensor([math.exp(-((distance / kernel_width) ** 2))])

    surrogate = KLasso(features)
    lime = LimeBase(
        ask,
        surrogate,
        similarity_func=weigh_row,
        perturb_func=draw_rows,
        perturb_interpretable_space=True,
        # The pictures are composed in whole batches.
        from_interp_rep_transform=lambda shown, *_, **__: shown,
        to_interp_rep_transform=None,
    )
    weights = lime.attribute(request.x, n_samples=samples, perturbations_per_eval=samples)
    return RawMap(weights[torch.from_numpy(labels)].float(), {"surrogate_r2": surrogate.r2, "patches": float(count)})


METHODS.add(
    MethodSpec(
        name="lime",
        title="Patch votes",
        technical="LIME",
        usual=4,
        question="Which patches of the picture vote for this class?",
        sentence=(
            "{For} patches raise {score} when they are visible[, {against} patches lower it]; hidden patches are "
            "replaced with {replace}."
        ),
        caution="It is a simple stand-in for the model near this picture: look at its fit, and at another seed.",
        family="surrogate",
        paper="Ribeiro et al. 2016, arXiv:1602.04938",
        run=run,
        cost=lambda params, side: int(params["samples"]) + 1,
        random=True,
        grows=True,
        quick_params=lambda _side: {"samples": 12, "segments": 8, "features": 6},
        params=(
            SEGMENTS,
            Int(
                name="samples",
                title="Samples",
                help="How many pictures with hidden patches the model is asked about. More is steadier and slower.",
                default=500,
                low=10,
                high=10_000,
                step=10,
            ),
            Int(
                name="features",
                title="Patches kept",
                help="How many patches may have a vote; the least telling ones are left out (K-Lasso).",
                default=15,
                low=1,
                high=400,
            ),
            REPLACE,
            Float(
                name="kernel_width",
                title="Kernel width",
                help="How far from the picture samples still count. Small: only pictures with little hidden.",
                default=0.25,
                low=0.05,
                high=5.0,
                step=0.05,
                advanced=True,
            ),
        ),
    )
)
