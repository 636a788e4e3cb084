"""The request that an attack's `run` is given: the picture in grey levels, and scores and gradients by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from xai_core.arrays import UInt8
from xai_core.engine.backends.forward import Forward
from xai_core.engine.jobs import Job
from xai_core.engine.objective_gradients import Objective, ObjectiveGradients
from xai_core.models.classifier import Classifier
from xai_core.params import ParamReader, Value


@dataclass(eq=False)
class AttackRequest(ParamReader):
    """One call of one attack. Levels are float32 from 0 to 255, (N, C, H, W)."""

    model: Classifier
    start: UInt8
    """The picture as the model sees it, (H, W, C)."""
    logits: torch.Tensor
    """Logits of that picture, (classes,)."""
    target: int | None
    """Class that the model is to say; None where any other than `source` will do."""
    epsilon: int
    params: Mapping[str, Value]
    forward: Forward
    job: Job[object]
    seed: int
    queries: int = 1
    """Pictures asked about, gradients included."""
    curve: list[float] = field(default_factory=list)
    """Best margin after each step."""

    @property
    def source(self) -> int:
        """Class that the model says now."""
        return int(self.logits.argmax())

    @cached_property
    def center(self) -> torch.Tensor:
        """The picture in levels, (1, C, H, W) on the model's device."""
        return self.to_levels(self.start[None])

    @cached_property
    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    @cached_property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @cached_property
    def _engine(self) -> ObjectiveGradients:
        return ObjectiveGradients(self.model, self.forward, self.job)

    def to_levels(self, pictures: UInt8) -> torch.Tensor:
        """Return pictures (N, H, W, C) in 0..255 as levels."""
        return torch.tensor(np.moveaxis(pictures, -1, 1), dtype=torch.float32, device=self.model.device)

    def to_bytes(self, levels: torch.Tensor) -> UInt8:
        """Return whole levels as pictures (N, H, W, C)."""
        array: UInt8 = np.ascontiguousarray(np.moveaxis(levels.detach().cpu().numpy(), 1, -1).round().astype(np.uint8))
        return array

    def margins(self, logits: torch.Tensor) -> torch.Tensor:
        """Return how far the model is fooled, (N,) for logits (N, classes): above 0 it says what it is to say.

        The wanted logit less the best of the others; without a target the best other logit less that of `source`.
        Unlike a probability it still has a gradient where the model is sure.
        """
        aim = self.source if self.target is None else self.target
        others = logits.clone()
        others[:, aim] = -torch.inf
        margins = logits[:, aim] - others.max(1).values
        return -margins if self.target is None else margins

    def _normalize(self, levels: torch.Tensor) -> torch.Tensor:
        """Return pictures in levels as the network's input."""
        mean, std = self.model.preprocessing.mean_and_std(levels)
        return (levels / 255 - mean) / std

    def ask(self, levels: torch.Tensor) -> torch.Tensor:
        """Return the logits (N, classes) of pictures in levels."""
        parts = map(self._normalize, levels.split(self.forward.micro_batch))
        answers = []
        for part in parts:
            answers.append(self.forward(part, self.job))
            self.count(len(part))
        return torch.cat(answers)

    def gradients(
        self, levels: torch.Tensor, objective: Objective | Sequence[Objective] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the objective (N,) of pictures in levels and its gradients by them, (N, C, H, W).

        Without an objective it is the margin; a sequence has one for every picture.
        """
        objectives = list(objective) if isinstance(objective, Sequence) else [objective or self.margins] * len(levels)
        values, gradients = self._engine.compute(self._normalize(levels), objectives)
        self.count(len(levels))
        _, std = self.model.preprocessing.mean_and_std(levels)
        return values, gradients / (255 * std)

    def count(self, pictures: int) -> None:
        """Count pictures asked about; raises Cancelled if the job was cancelled."""
        self.queries += pictures
        self.job.tick(pictures)


@dataclass(eq=False)
class Best:
    """The picture with the largest margin so far; the first of equal ones."""

    levels: torch.Tensor
    margin: float = -float("inf")

    def offer(self, levels: torch.Tensor, margins: Iterable[float]) -> None:
        """Take the best of pictures (N, C, H, W) where it beats the one kept."""
        for row, margin in zip(levels, margins, strict=True):
            if margin > self.margin:
                self.levels, self.margin = row[None].clone(), margin
