"""Adaptive occlusion: the smallest part that must be covered to change the answer, or that is enough to keep it.

The two questions are those of Dabkowski & Gal 2017, arXiv:1705.07857 (smallest destroying and smallest sufficient region); growing the
part piece by piece over patches of the picture is SEDC of Vermeire et al. 2020, arXiv:2004.07511. Trying all parts is out of reach, so the
growth is greedy: each round tries every piece left and takes the one that changes most.

Everything is measured in the target's lead: its logit minus that of the strongest other class (of a pair: of the second class). While the
lead is above the goal, the answer stands. The goal is 0 for a class that leads at the start. A class that does not lead cannot lose, so
its goal is to fall behind by log 2 more: its odds against the strongest other class are halved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log

import numpy as np
import torch

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.superpixels import REPLACE, SEGMENTS, Labels, hiding, replacement, superpixels
from xai_core.params import Choice, Int, Value
from xai_core.results import Target


def lead_of(logits: torch.Tensor, target: Target) -> torch.Tensor:
    """How far the target is ahead of the strongest other class in each row of logits, (n,); of a pair, the first of the second."""
    if isinstance(target, tuple):
        return logits[:, target[0]] - logits[:, target[1]]
    others = logits.clone()
    others[:, target] = -torch.inf
    return logits[:, target] - others.amax(1)


def windows(side: int, count: int) -> Labels:
    """About `count` equal squares: labels for every pixel, (H, W)."""
    cells = min(max(round(count**0.5), 1), side)
    place = np.arange(side) * cells // side
    return np.asarray(place[:, None] * cells + place[None], dtype=np.int64)


@dataclass(frozen=True)
class _Growth:
    """Grows the part: pieces are shown on an empty picture (`shows`) or covered on the real one until the goal is reached."""

    request: Request
    compose: Callable[[torch.Tensor], torch.Tensor]
    areas: torch.Tensor
    goal: float
    shows: bool

    def leads(self, parts: torch.Tensor) -> torch.Tensor:
        """The lead (n,) for each of n parts, given as rows of chosen pieces (n, pieces)."""
        request = self.request
        pictures = (self.compose(some if self.shows else ~some) for some in parts.split(request.evaluator.micro_batch))
        return torch.cat([lead_of(logits, request.target) for logits in request.evaluator.logits(pictures)])

    def reached(self, leads: torch.Tensor) -> torch.Tensor:
        return leads > self.goal if self.shows else leads <= self.goal

    def _best(self, leads: torch.Tensor, pieces: torch.Tensor) -> int:
        """The smallest of the pieces that reach the goal; where none does, the one that changes the lead most."""
        enough = self.reached(leads)
        if enough.any():
            return int(torch.where(enough, self.areas[pieces], torch.inf).argmin())
        return int((leads if self.shows else -leads).argmax())

    def grow(self, most: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The part (pieces,), what each piece did for the lead when its turn came, 0 if it never came, and the lead at the end (1,)."""
        part, votes = torch.zeros(len(self.areas), dtype=torch.bool), torch.zeros(len(self.areas))
        lead = self.leads(part[None])
        for _ in range(min(most, len(part))):
            if self.reached(lead):
                break
            pieces = (~part).nonzero()[:, 0]
            larger = part | torch.eye(len(part), dtype=torch.bool)[pieces]
            leads = self.leads(larger)
            best = self._best(leads, pieces)
            votes[pieces[best]] = (leads[best] - lead[0]) * (1 if self.shows else -1)
            part, lead = larger[best], leads[best : best + 1]
        return part, votes, lead


def run(request: Request) -> RawMap:
    """What each piece did for the target's lead when it was added, (H, W), in logits; positive is evidence for, 0 was not needed."""
    side, asked, most = request.x.shape[-1], request.integer("segments"), request.integer("rounds")
    request.job.expect(_cost(request.params, side))
    labels = superpixels(request.pixels, asked) if request.choice("pieces") == "superpixels" else windows(side, asked)
    areas = torch.from_numpy(np.bincount(labels.ravel())).double() / labels.size
    before = float(lead_of(request.logits, request.target)[0])
    goal = 0.0 if before > 0 else before - log(2)
    compose = hiding(request, labels, replacement(request, labels))
    growth = _Growth(request, compose, areas, goal, request.choice("mode") == "keep")
    part, votes, lead = growth.grow(most)
    details = {
        "reached": float(growth.reached(lead)),
        "area": float(areas[part].sum()),
        "pieces": float(part.sum()),
        "lead_before": before,
        "lead_after": float(lead),
        "lead_goal": goal,
    }
    return RawMap(votes[torch.from_numpy(labels)], details)


def _cost(params: Mapping[str, Value], side: int) -> int:
    pieces = int(params["segments"])
    return 2 + sum(range(max(pieces - int(params["rounds"]), 0) + 1, pieces + 1))


METHODS.add(
    MethodSpec(
        name="adaptive_occlusion",
        title="Smallest cover",
        technical="Adaptive occlusion (SEDC)",
        question="What is the least that must be covered to change the model's mind?",
        sentence="Orange pieces together decide the answer; the stronger the colour, the more a piece changed when its turn came.",
        caution="Pieces are added one by one, so a smaller part may exist; pieces without colour were not needed, yet may be used.",
        family="perturbation",
        paper="Vermeire et al. 2020, arXiv:2004.07511; Dabkowski & Gal 2017, arXiv:1705.07857",
        run=run,
        cost=_cost,
        unit="logit of lead",
        params=(
            Choice(
                name="mode",
                title="Question",
                help="Whether pieces are covered until the answer changes, or shown on an empty picture until the answer is there.",
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
                help="It stops after adding this many pieces even if the answer still stands. Every piece costs one look at all others.",
                default=20,
                low=1,
                high=400,
            ),
            REPLACE,
        ),
    )
)
