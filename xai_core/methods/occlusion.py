"""Occlusion: the fall of the score when a window of the picture is covered.

Zeiler & Fergus 2014, arXiv:1311.2901. The windows and their averaging are those of Captum's Occlusion; what is far from
a window is not computed again for it (`xai_core.engine.split`), where Captum's own loop runs the network on copies and
masks of the whole picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from xai_core.errors import InvalidParam
from xai_core.images import BASELINES
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.params import Choice, Int, Value

# Rows and columns from one window to the next in each pass over the picture.
COARSE_STEPS = (4, 2, 1)


def list_window_starts(side: int, window: int, stride: int) -> list[int]:
    """List the first pixels of the windows along one side, every `stride` until the far edge is covered.

    The last window may reach over the edge.
    """
    return [step * stride for step in range(-(-(side - window) // stride) + 1)]


def _list_windows(starts: list[int]) -> torch.Tensor:
    """List the windows that begin at each pair of `starts` as rows (top, left), (N, 2)."""
    firsts = torch.tensor(starts)
    return torch.cartesian_prod(firsts, firsts).reshape(-1, 2)


def order_coarse_to_fine(per_side: int) -> torch.Tensor:
    """Return the numbers of a square grid's windows, (per_side²,): every fourth each way, then what lies between."""
    # Largest step of COARSE_STEPS that leads to the row or column.
    steps = torch.gcd(torch.arange(per_side), torch.tensor(COARSE_STEPS[0]))
    return torch.minimum(steps[:, None], steps).flatten().argsort(descending=True, stable=True)


def draw_coarse_map(drops: torch.Tensor, side: int, window: int, starts: list[int]) -> torch.Tensor:
    """Return the map (H, W) of the drops (rows, columns) so far; where one is NaN, that of the nearest window counts.

    Windows are every few rows and columns at first, in the order of `order_coarse_to_fine`.
    """
    filled, numbers = torch.zeros_like(drops), torch.arange(len(starts))
    for step in COARSE_STEPS:
        nearest = ((numbers + step // 2) // step).clamp(max=(len(starts) - 1) // step) * step
        coarse = drops[nearest][:, nearest]
        filled = torch.where(coarse.isnan(), filled, coarse)
    # Which windows of a row cover a pixel, (H, rows): the mean over windows is two products with it.
    offset = torch.arange(side)[:, None] - torch.tensor(starts)
    covers = ((offset >= 0) & (offset < window)).double()
    covers /= covers.sum(1, keepdim=True)
    return covers @ filled @ covers.T


def run(request: Request) -> RawMap:
    """Return the logit drop per pixel, averaged over the windows that cover it, (H, W); positive is evidence for."""
    side, window, stride = request.x.shape[-1], request.integer("window"), request.integer("stride")
    if stride > window:
        raise InvalidParam(
            f"Stride must be at most the window, {window} pixels, or some pixels are never covered. Got {stride}."
        )
    starts, baseline = list_window_starts(side, window, stride), request.make_baseline(request.choice("patch"))[0]
    corners, order = _list_windows(starts), order_coarse_to_fine(len(starts))
    request.job.expect(len(corners) + 2)

    def draw(parts: Sequence[torch.Tensor]) -> torch.Tensor:
        known = torch.full((len(corners),), torch.nan, dtype=torch.float64)
        scores = torch.cat(list(parts)).double()
        known[order[: len(scores)]] = request.score - scores
        return draw_coarse_map(known.view(len(starts), -1), side, window, starts)

    scores = request.evaluator.occluded(
        corners[order], window, baseline, lambda parts: request.offer_preview(lambda: draw(parts))
    )
    drops = torch.empty_like(scores)
    drops[order] = request.score - scores
    total, coverage = torch.zeros(2, side, side, dtype=torch.float64)
    for (top, left), drop in zip(corners.tolist(), drops.tolist(), strict=True):
        total[top : top + window, left : left + window] += drop
        coverage[top : top + window, left : left + window] += 1
    return RawMap((total / coverage).float(), _measure_strongest(request, corners[drops.argmax()], window, baseline))


def _measure_strongest(request: Request, corner: torch.Tensor, window: int, baseline: torch.Tensor) -> dict[str, float]:
    """Return the target's probability when the window that lowers its score most is covered: logits say little."""
    top, left = corner.tolist()
    covered, place = request.x.clone(), (..., slice(top, top + window), slice(left, left + window))
    covered[place] = baseline[place]
    (logits,) = request.evaluator.logits([covered])
    target = request.target[0] if isinstance(request.target, tuple) else request.target
    return {"probability_covered": float(logits[0].softmax(0)[target])}


def _cost(params: Mapping[str, Value], side: int) -> int:
    return len(list_window_starts(side, int(params["window"]), int(params["stride"]))) ** 2 + 2


METHODS.add(
    MethodSpec(
        name="occlusion",
        title="Cover and see",
        technical="Occlusion",
        usual=2,
        question="What does the model miss when a part is covered?",
        sentence=(
            "Covering {for} parts with {patch} lowers {score}, so the model relied on them[; covering {against} parts "
            "raises it].< Where it matters most, one covered square takes the probability of {first} from "
            "{probability} to {probability_covered}.>"
        ),
        caution=(
            "A covered picture is one the model has never met, and two parts that back each other up can both look "
            "unimportant."
        ),
        family="perturbation",
        paper="Zeiler & Fergus 2014, arXiv:1311.2901",
        run=run,
        cost=_cost,
        random=True,
        grows=True,
        quick_params=lambda side: {"window": side // 2, "stride": side // 4},
        params=(
            Int(
                name="window",
                title="Window",
                unit="pixels",
                help=(
                    "Side of the square that covers the picture. Smaller is finer and slower, and may miss large "
                    "objects."
                ),
                default=lambda side: max(side // 7, 2),
                low=lambda side: min(2, side),
                high=lambda side: side,
            ),
            Int(
                name="stride",
                title="Stride",
                unit="pixels",
                help="How far the square moves each time. Half the window is usual; smaller is smoother and slower.",
                default=lambda side: max(side // 14, 1),
                low=lambda side: max(side // 112, 1),
                high=lambda side: side,
            ),
            Choice(
                name="patch",
                title="Cover with",
                help="What the square is filled with. If the map changes much between fillings, trust it less.",
                default="grey",
                options=BASELINES,
            ),
        ),
    )
)
