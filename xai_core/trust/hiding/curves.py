"""Curves of the answer while a picture is hidden piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float32, Float64, Int64
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.evaluator import Evaluator
from xai_core.engine.jobs import Job
from xai_core.models.classifier import Classifier
from xai_core.results import Target
from xai_core.trust.hiding.fills import Hide, make_hider


@dataclass(frozen=True, eq=False)
class Curve:
    """Answer at growing shares of the picture: hidden (deletion) or shown (insertion), by filling."""

    share: Float64
    """Share of the picture, (n,), from 0 to 1."""
    log_odds: Mapping[str, Float64]
    """Log-odds of the class at each share, (n,), by filling; of a pair the difference of the two scores."""

    @cached_property
    def mean(self) -> Float64:
        """Mean log-odds over the fillings, (n,)."""
        mean: Float64 = np.mean(list(self.log_odds.values()), axis=0)
        return mean

    @cached_property
    def probability(self) -> Float64:
        """Mean probability of the class over the fillings, (n,), 0 to 1."""
        mean: Float64 = np.mean([to_probability(values) for values in self.log_odds.values()], axis=0)
        return mean

    @property
    def area(self) -> float:
        """Mean log-odds over all shares: the area under the curve."""
        return area_under(self.share, self.mean)

    def at(self, share: float) -> float:
        """Return the probability at a share of the picture, between the measured ones in a straight line."""
        return float(np.interp(share, self.share, self.probability))


def to_probability(log_odds: Float64) -> Float64:
    """Return the probabilities of log-odds."""
    probability: Float64 = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return probability


def area_under(share: Float64, values: Float64) -> float:
    """Return the area under a curve by trapezoids."""
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(share)))


def read_log_odds(logits: torch.Tensor, target: Target) -> Float64:
    """Return the log-odds (N,) of a class against all others in logits (N, classes); of a pair, A against B."""
    rows = logits.double()
    if isinstance(target, tuple):
        odds = rows[:, target[0]] - rows[:, target[1]]
    else:
        others = torch.cat([rows[:, :target], rows[:, target + 1 :]], dim=1)
        odds = rows[:, target] - others.logsumexp(1)
    values: Float64 = odds.cpu().numpy()
    return values


@dataclass(eq=False)
class HidingRequest:
    """One picture whose pieces are hidden: every answer about it is asked here."""

    model: Classifier
    pixels: Float32
    """The picture as the model sees it, (H, W, C) in 0..1."""
    target: Target
    labels: Int64
    """Piece of each pixel, (H, W)."""
    evaluator: Evaluator

    @classmethod
    def create(
        cls, model: Classifier, image: Image.Image, target: Target, labels: Int64, job: Job[object]
    ) -> HidingRequest:
        """Return the request for a picture cut into pieces."""
        steps = model.preprocessing
        pixels = steps.to_pixels(steps.model_input(image))
        x = steps.to_tensor(pixels).to(model.device)
        return cls(model, pixels, target, labels, Evaluator(model, forward_for(model), x, target, job, 0))

    def make_hider(self, kind: str) -> Hide:
        """Return what hides pieces by a filling."""
        return make_hider(self.pixels, kind)

    def ask(self, sets: Sequence[Int64], hide: Hide) -> Float64:
        """Return the log-odds (N,) of the picture without each of N sets of pieces."""
        if not sets:
            return np.zeros(0)
        count = int(self.labels.max()) + 1

        def compose() -> Iterator[torch.Tensor]:
            size = self.evaluator.micro_batch
            for start in range(0, len(sets), size):
                batch = []
                for pieces in sets[start : start + size]:
                    is_hidden = np.zeros(count, dtype=bool)
                    is_hidden[pieces] = True
                    batch.append(self.model.preprocessing.to_tensor(hide(is_hidden[self.labels])))
                yield torch.cat(batch).to(self.model.device)

        rows = [read_log_odds(logits, self.target) for logits in self.evaluator.logits(compose())]
        return np.concatenate(rows)
