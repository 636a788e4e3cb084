"""Adaptive occlusion: the smallest part that must be covered to change the answer, or that is enough to keep it.

The two questions are those of Dabkowski & Gal 2017, arXiv:1705.07857 (smallest destroying and smallest sufficient
region); adding superpixels one by one is SEDC of Vermeire et al. 2020, arXiv:2004.07511. Trying all parts is out of
reach, so the search is greedy: each round tries every segment left and takes the one that changes most.

Everything is measured in the target's lead: its logit minus that of the strongest other class (of a pair: of the second
class). While the lead is above the goal, the answer stands. The goal is 0 for a class that leads at the start. A class
that does not lead cannot lose, so its goal is to fall behind by log 2 more: its odds against the strongest other class
are halved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np
import torch

from xai_core.arrays import Int64
from xai_core.engine.split.patch_combinations import Compose
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.superpixels import REPLACE, SEGMENTS, find_superpixels, make_composer, make_replacement
from xai_core.params import Choice, Int, Value
from xai_core.results import Target


def compute_lead(logits: torch.Tensor, target: Target) -> torch.Tensor:
    """Return the target's lead over the strongest other class per row of logits, (N,); of a pair, over the second."""
    if isinstance(target, tuple):
        return logits[:, target[0]] - logits[:, target[1]]
    rivals = logits.clone()
    rivals[:, target] = -torch.inf
    return logits[:, target] - rivals.amax(1)


def make_windows(side: int, count: int) -> Int64:
    """Divide a picture into about `count` equal squares: labels for every pixel, (H, W)."""
    cells = min(max(round(count**0.5), 1), side)
    # Spread the remainder, so that the sides of the squares differ by one pixel at most.
    cell_of_pixel = np.arange(side) * cells // side
    return np.asarray(cell_of_pixel[:, None] * cells + cell_of_pixel[None], dtype=np.int64)


@dataclass(frozen=True)
class GreedySearch:
    """Search for a part that reaches the goal, shown on an empty picture (`reveals`) or covered on the real one.

    `raises`: the goal is a lead above it, not one at most as large. `width`: the most segments that a round after the
    first tries, those that changed most when they were tried last; None for all.
    """

    request: Request
    labels: torch.Tensor
    """Number of the segment at each pixel, (H, W)."""
    compose: Compose
    areas: torch.Tensor
    """Share of the picture of each segment, (segments,)."""
    goal: float
    reveals: bool
    raises: bool
    lead_before: float
    width: int | None = None

    def compute_leads(self, parts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return lead and answer (N,) for N parts, given as boolean rows (N, segments)."""
        request = self.request
        # The composer takes the segments to show, not those to cover.
        pictures = (
            self.compose(batch if self.reveals else ~batch) for batch in parts.split(request.evaluator.micro_batch)
        )
        logits = torch.cat(list(request.evaluator.logits(pictures)))
        return compute_lead(logits, request.target), logits.argmax(1)

    def reaches_goal(self, leads: torch.Tensor) -> torch.Tensor:
        return leads > self.goal if self.raises else leads <= self.goal

    def _select_best(self, leads: torch.Tensor, segments: torch.Tensor) -> int:
        """Return the smallest of the segments that reach the goal; if none does, the one that changes most."""
        sufficient = self.reaches_goal(leads)
        if sufficient.any():
            return int(torch.where(sufficient, self.areas[segments], torch.inf).argmin())
        return int((leads if self.raises else -leads).argmax())

    def _select_promising(self, latest: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        """Return the segments to try in a round, in ascending order."""
        if self.width is None or len(segments) <= self.width or latest[segments].isinf().any():
            return segments
        return segments[latest[segments].topk(self.width).indices].sort().values

    def search(self, max_rounds: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the part (segments,), the change of lead by each segment when added, the last lead and answer (1,)."""
        part, gains = torch.zeros(len(self.areas), dtype=torch.bool), torch.zeros(len(self.areas))
        lead, answer = self.compute_leads(part[None])
        # Lead of each segment when it was tried last, larger the more it changes; the first round tries all.
        latest = torch.full((len(part),), torch.inf)
        for _ in range(min(max_rounds, len(part))):
            if self.reaches_goal(lead):
                break
            # Try the part enlarged by each segment left.
            segments = self._select_promising(latest, (~part).nonzero()[:, 0])
            candidates = part | torch.eye(len(part), dtype=torch.bool)[segments]
            leads, answers = self.compute_leads(candidates)
            latest[segments] = (leads if self.raises else -leads).to(latest)
            # Take the best of them.
            best = self._select_best(leads, segments)
            # Positive for evidence for the target, whether the segment was shown or covered.
            gains[segments[best]] = (leads[best] - lead[0]) * (1 if self.reveals else -1)
            part, lead, answer = candidates[best], leads[best : best + 1], answers[best : best + 1]
            self.request.offer_preview(lambda: gains[self.labels])
        return part, gains, lead, answer


def prepare_search(request: Request) -> GreedySearch:
    """Cut the picture into segments and set the goal by the target's lead in the whole picture."""
    side, count = request.x.shape[-1], request.integer("segments")
    by_colour = request.choice("pieces") == "superpixels"
    labels = find_superpixels(request.pixels, count) if by_colour else make_windows(side, count)
    areas = torch.from_numpy(np.bincount(labels.ravel())).double() / labels.size
    lead_before = float(compute_lead(request.logits, request.target)[0])
    goal = 0.0 if lead_before > 0 else lead_before - log(2)
    compose = make_composer(request, labels, make_replacement(request, labels))
    reveals = request.choice("mode") == "keep"
    return GreedySearch(request, torch.from_numpy(labels), compose, areas, goal, reveals, reveals, lead_before)


def run(request: Request) -> RawMap:
    """Return the change of lead by each segment when it was added, (H, W), in logits; positive is evidence for.

    A segment that was not needed has 0.
    """
    request.job.expect(_cost(request.params, request.x.shape[-1]))
    search = prepare_search(request)
    part, gains, lead, answer = search.search(request.integer("rounds"))
    details = {
        "reached": float(search.reaches_goal(lead)),
        "area": float(search.areas[part].sum()),
        "pieces": float(part.sum()),
        "lead_before": search.lead_before,
        "lead_after": float(lead),
        "lead_goal": search.goal,
        "led": float(search.lead_before > 0),
        "answer": float(answer),
    }
    return RawMap(gains[search.labels], details)


def _cost(params: Mapping[str, Value], side: int) -> int:
    segments = int(params["segments"])
    # The first round tries all segments, each later one a segment less.
    return 2 + sum(range(max(segments - int(params["rounds"]), 0) + 1, segments + 1))


METHODS.add(
    MethodSpec(
        name="adaptive_occlusion",
        title="Smallest cover",
        technical="Adaptive occlusion (SEDC)",
        question="What is the least that must be covered to change the model's mind?",
        sentence=(
            "Cover the {for} pieces and the answer changes; the more strongly {for}, the more a piece changed "
            "when its turn came."
        ),
        variants=(
            (
                {"mode": "flip", "led": 0.0, "reached": 1.0},
                (
                    "Cover the {for} pieces and the odds of {class} fall by half; the more strongly {for}, the more "
                    "a piece changed."
                ),
            ),
            (
                {"mode": "flip", "led": 0.0, "reached": 0.0},
                "Even with the {for} pieces covered, the odds of {class} do not fall by half.",
            ),
            (
                {"mode": "flip", "reached": 1.0},
                (
                    "Cover the {for} pieces and it says {answer}; the more strongly {for}, the more a piece changed "
                    "when its turn came."
                ),
            ),
            ({"mode": "flip", "reached": 0.0}, "Even with the {for} pieces covered, it still says {class}."),
            (
                {"mode": "keep", "led": 0.0, "reached": 1.0},
                "Show only the {for} pieces and {class} is about as likely as in the whole picture.",
            ),
            (
                {"mode": "keep", "reached": 1.0},
                (
                    "Show only the {for} pieces and it still says {class}; the more strongly {for}, the more a piece "
                    "added."
                ),
            ),
            ({"mode": "keep", "reached": 0.0}, "Even these {for} pieces are not enough for it to say {class}."),
            (
                {"mode": "keep"},
                "Show only the {for} pieces and the answer stays; the more strongly {for}, the more a piece added.",
            ),
        ),
        caution=(
            "Pieces are added one by one, so a smaller part may exist; pieces without colour were not needed, yet "
            "may be used."
        ),
        family="perturbation",
        paper="Vermeire et al. 2020, arXiv:2004.07511; Dabkowski & Gal 2017, arXiv:1705.07857",
        run=run,
        cost=_cost,
        unit="logit of lead",
        grows=True,
        quick_params=lambda _side: {"segments": 6, "rounds": 1},
        params=(
            Choice(
                name="mode",
                title="Question",
                help=(
                    "Whether pieces are covered until the answer changes, or shown on an empty picture until the "
                    "answer is there."
                ),
                default="flip",
                options={
                    "flip": "The least to cover so that the answer changes",
                    "keep": "The least to show so that the answer stays",
                },
            ),
            Choice(
                name="pieces",
                title="Pieces",
                help="What the part is grown from.",
                default="superpixels",
                options={"superpixels": "Patches of similar colour", "windows": "Equal squares"},
            ),
            SEGMENTS,
            Int(
                name="rounds",
                title="Most pieces",
                help=(
                    "It stops after adding this many pieces even if the answer still stands. Every piece costs one "
                    "look at all others."
                ),
                default=20,
                low=1,
                high=400,
            ),
            REPLACE,
        ),
    )
)
