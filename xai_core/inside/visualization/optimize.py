"""The optimization: views of the pictures, their gradients by the scheduler's workers, one step after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from xai_core.engine.jobs import Job
from xai_core.engine.scheduler import SCHEDULER
from xai_core.inside.visualization.spec import Canvas, CanvasRequest, Parametrization
from xai_core.inside.visualization.unit_network import UnitNetwork, ViewGradients
from xai_core.inside.visualization.view_engine import ViewEngine, can_compile
from xai_core.inside.visualization.views import Views, draw_views

# Steps during which a rectifier that blocks a whole picture lets through what revives it.
REDIRECTED_STEPS = 16
# Views in one task: a fixed number, so that sums are the same on every machine.
TASK_VIEWS = 2
# Features shorter than this are none.
MIN_LENGTH = 1e-12


@dataclass(frozen=True)
class Settings:
    """Settings of one optimization, all checked."""

    parametrization: Parametrization
    shape: tuple[int, int, int, int]
    """Pictures, channels, height and width."""
    sign: int
    steps: int
    smoother: float
    diversity: float
    seed: int
    redirect: bool = True


@dataclass(frozen=True)
class Preview:
    """State of an optimization that goes on: pictures (P, C, H, W) in 0..1, the objective so far, and all steps."""

    pictures: torch.Tensor
    curve: tuple[float, ...]
    steps: int


def optimize(
    network: UnitNetwork, settings: Settings, start: torch.Tensor | None, job: Job[Any]
) -> tuple[torch.Tensor, list[float]]:
    """Return the pictures (P, C, H, W) in 0..1 and the mean objective of the views at each step.

    `start` is a photograph (C, height, width) in 0..1. Raises Cancelled.
    """
    optimization = _Optimization(network, settings, job)
    return optimization.run(start), optimization.curve


class _Optimization:
    """One run: its random numbers, and what the pictures looked like to the network at the last step."""

    def __init__(self, network: UnitNetwork, settings: Settings, job: Job[Any]) -> None:
        self.network, self.settings, self.job = network, settings, job
        self.curve: list[float] = []
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._features: torch.Tensor | None = None
        """Mean features of each picture at the last step, (P, F)."""
        self._engines: dict[int, ViewEngine] = {}
        """By the side of the views."""

    def run(self, start: torch.Tensor | None) -> torch.Tensor:
        """Return the pictures: a photograph is worked on at several sizes, one after the other."""
        shares = self.settings.parametrization.octaves if start is not None else (1.0,)
        pictures = torch.empty(0)
        for number, share in enumerate(shares):
            size = (max(round(self.settings.shape[2] * share), 1), max(round(self.settings.shape[3] * share), 1))
            canvas = self._make_canvas(size, start, pictures)
            first, last = (self.settings.steps * part // len(shares) for part in (number, number + 1))
            for step in range(last - first):
                self._take_step(canvas, step / max(last - first - 1, 1))
            pictures = canvas.render().detach()
        return pictures

    def _make_canvas(self, size: tuple[int, int], start: torch.Tensor | None, smaller: torch.Tensor) -> Canvas:
        """Return the canvas of one octave: the photograph at its size, with what was added to a smaller one."""
        shape = (*self.settings.shape[:2], *size)
        if start is not None:
            start = _resize(start[None], size)
            if len(smaller):
                added = smaller - _resize(start, smaller.shape[2:])
                start = start + _resize(added, size)
            start = start.clamp(0, 1)
        return self.settings.parametrization.make(CanvasRequest(shape, self._generator, start, self.settings.smoother))

    def _take_step(self, canvas: Canvas, share_done: float) -> None:
        parametrization = self.settings.parametrization
        pictures = canvas.render().detach()
        sides = (round(side / parametrization.canvas_share) for side in pictures.shape[2:])
        shape = (pictures.shape[1], *self.network.view_size(*sides))
        views = draw_views(
            parametrization.view_range, len(pictures), parametrization.views, shape, share_done, self._generator
        )
        parts = self._differentiate(pictures, views)
        if self.settings.diversity > 0:
            features = torch.cat([part.features for part in parts])
            self._features = features.view(len(pictures), parametrization.views, -1).mean(1)
        canvas.update(torch.stack([part.gradient for part in parts]).sum(0))
        self.curve.append(float(torch.cat([part.values for part in parts]).mean()))
        if self.job.is_preview_wanted:
            self.job.show_preview(Preview(pictures, tuple(self.curve), self.settings.steps))

    def _differentiate(self, pictures: torch.Tensor, views: Views) -> list[ViewGradients]:
        """Return the parts of the views in order, by the compiled gradients where they can and are ready."""
        redirect = self.settings.redirect and len(self.curve) < REDIRECTED_STEPS
        height, width = views.noise.shape[2:]
        model, terms = self.network.model, self.network.terms
        if self.settings.diversity > 0 or not can_compile(model, terms, height, width):
            return list(self._differentiate_in_torch(pictures, views, redirect))
        engine = self._engines.setdefault(height, ViewEngine(model, terms, height))
        # The compiled gradient is the true one: it revives nothing.
        result = None if redirect else engine.differentiate(pictures, views, self.settings.sign, self.job)
        if result is not None:
            self.job.tick(len(views.picture))
            return [result]
        engine.count(len(views.picture))
        return list(self._differentiate_in_torch(pictures, views, redirect))

    def _differentiate_in_torch(self, pictures: torch.Tensor, views: Views, redirect: bool) -> Iterator[ViewGradients]:
        """Yield the parts in plain torch; the workers compute them side by side."""
        works = (
            partial(self.network.gradients, pictures, part, partial(self._push, part.picture), redirect)
            for part in views.split(TASK_VIEWS)
        )
        tasks = [SCHEDULER.submit_work(work, self.job, TASK_VIEWS) for work in works]
        try:
            for task in tasks:
                yield task.wait()
                self.job.tick(task.evaluations)
        finally:
            for task in tasks:
                task.cancel()

    def _push(self, picture: torch.Tensor, values: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return what shall grow, (n,): the objective, and the distance from the other pictures' features."""
        pushed: torch.Tensor = self.settings.sign * values
        if self._features is None or len(self._features) < 2:
            return pushed
        others = self._features.to(features)
        distances = torch.cdist(features, others) / others.norm(dim=1).clamp_min(MIN_LENGTH)
        is_own = F.one_hot(picture, len(others)).to(features)
        distance = (distances * (1 - is_own)).sum(1) / (len(others) - 1)
        # In units of the objective, or one strength would not fit every unit.
        strength = self.settings.diversity * values.detach().abs()
        spread: torch.Tensor = pushed + strength * distance
        return spread


def _resize(pictures: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
    return F.interpolate(pictures, list(size), mode="bilinear", antialias=True, align_corners=False)
