"""SmoothGrad: a gradient map averaged over copies of the picture with random noise.

Smilkov et al. 2017, arXiv:1706.03825; the squared form is SmoothGrad² of Hooker et al. 2018, arXiv:1806.10758.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import torch

from xai_core.images import BASELINES
from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.shared.gradients import compute_gradients, reduce_channels
from xai_core.params import Choice, Flag, Float, Int, Value


def _draw_noisy_copies(request: Request) -> Iterator[torch.Tensor]:
    """Yield noisy copies of the prepared picture, (n, C, H, W), batch by batch; the noise does not depend on n."""
    low, high = request.x.aminmax()
    deviation, remaining = request.number("noise") / 100 * float(high - low), request.integer("samples")
    while remaining > 0:
        count = min(remaining, request.evaluator.gradient_part)
        noise = torch.from_numpy(request.rng.standard_normal((count, *request.x.shape[1:]), dtype="float32"))
        yield request.x + deviation * noise.to(request.x.device)
        remaining -= count


def _integrate_gradients(request: Request, copies: torch.Tensor, baseline: torch.Tensor) -> torch.Tensor:
    """Compute Integrated Gradients of each copy by the midpoint rule, (n, C, H, W)."""
    steps = request.integer("steps")
    alphas = ((torch.arange(steps, device=copies.device) + 0.5) / steps).view(-1, 1, 1, 1)
    means = [compute_gradients(request, baseline + alphas * (copy - baseline)).mean(0) for copy in copies]
    return torch.stack(means) * (copies - baseline)


def _sum_scores(request: Request, pictures: torch.Tensor) -> float:
    return float(request.evaluator.scores(pictures, lambda part: part).sum(dtype=torch.float64))


def _compute_maps(request: Request, baseline: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield noisy copies and the map of each, (n, C, H, W) both, batch by batch."""
    copies = _draw_noisy_copies(request)
    if request.choice("of") == "integrated_gradients":
        for part in copies:
            yield part, _integrate_gradients(request, part, baseline)
        return
    for part, _, gradients in request.evaluator.stream_gradients(copies):
        yield part, gradients if request.choice("of") == "saliency" else gradients * part


def run(request: Request) -> RawMap:
    """Return the mean of the chosen map, or of its squares, over noisy copies: (H, W) for saliency, else (C, H, W)."""
    base_map, squared, samples = request.choice("of"), bool(request.params["squared"]), request.integer("samples")
    integrates = base_map == "integrated_gradients"
    request.job.expect(_cost(request.params, request.x.shape[-1]))
    baseline = request.make_baseline(request.choice("baseline")) if integrates else torch.zeros_like(request.x)
    total = torch.zeros_like(request.x[0], dtype=torch.float64)
    change, done = -_sum_scores(request, baseline) if integrates else 0.0, 0
    for copies, maps in _compute_maps(request, baseline):
        if integrates:
            change += _sum_scores(request, copies) / samples
        total += (maps.square() if squared else maps).sum(0, dtype=torch.float64) / samples
        done += len(copies)
        request.offer_preview(partial(_finish_map, total * (samples / done), base_map))
    unit = "logit per unit of input" if base_map == "saliency" else "logit"
    details = {}
    if integrates and not squared:
        details = {
            "completeness_gap": abs(float(total.sum()) - change) / max(abs(change), 1e-12),
            "score_change": change,
        }
    return RawMap(_finish_map(total, base_map), details, f"squared {unit}" if squared else unit)


def _finish_map(mean: torch.Tensor, base_map: str) -> torch.Tensor:
    """Return the map of a mean over copies (C, H, W): (H, W) for saliency, else (C, H, W)."""
    return reduce_channels(mean.float(), "max") if base_map == "saliency" else mean.float()


def _cost(params: Mapping[str, Value], side: int) -> int:
    samples = int(params["samples"])
    return samples * (int(params["steps"]) + 2 if params["of"] == "integrated_gradients" else 1) + 1


METHODS.add(
    MethodSpec(
        name="smooth_grad",
        title="Sensitive pixels, smoothed",
        technical="SmoothGrad",
        question="Which pixels does the score depend on if small noise in the picture is averaged out?",
        sentence=("{For} pixels move {score} in many slightly noisy copies of the picture, not only in this one."),
        variants=(
            (
                {"squared": True},
                (
                    "{For} pixels matter most to {score} in many slightly noisy copies of the picture; squaring "
                    "hides whether they raise or lower it."
                ),
            ),
            (
                {"of": "gradient_x_input"},
                (
                    "{For} pixels push {score} up by being as they are[, {against} pixels pull it down], averaged "
                    "over many slightly noisy copies of the picture."
                ),
            ),
            (
                {"of": "integrated_gradients"},
                (
                    "{For} pixels added to {score} on the way from {baseline} to the picture[, {against} pixels took "
                    "away], averaged over many slightly noisy copies."
                ),
            ),
        ),
        caution=(
            "Smoothing makes a map look better, not truer: with much noise it shows what the model does on pictures "
            "it never met."
        ),
        family="gradient",
        paper="Smilkov et al. 2017, arXiv:1706.03825",
        verdict="passes",
        sanity=(
            "Passes: like the plain gradient, it changed when the weights were made random (Adebayo et al. 2018, "
            "arXiv:1810.03292)."
        ),
        run=run,
        cost=_cost,
        unit="logit per unit of input",
        max_pictures=lambda params: 2 * int(params["steps"]) + 16,
        gradient=True,
        random=True,
        grows=True,
        quick_params=lambda _side: {"samples": 3},
        params=(
            Choice(
                name="of",
                title="Map to smooth",
                help="Which map is computed for every noisy copy.",
                default="saliency",
                options={
                    "saliency": "Saliency (gradient)",
                    "gradient_x_input": "Gradient × input",
                    "integrated_gradients": "Integrated Gradients",
                },
            ),
            Float(
                name="noise",
                title="Noise",
                unit="%",
                help=(
                    "Strength of the noise as a share of the picture's range from darkest to brightest; 10 to 20 is "
                    "usual."
                ),
                default=15.0,
                low=0.0,
                high=100.0,
                step=1.0,
            ),
            Int(
                name="samples",
                title="Copies",
                help="How many noisy copies are averaged. More is smoother and slower.",
                default=25,
                low=1,
                high=500,
            ),
            Flag(
                name="squared",
                title="Average the squares",
                help=(
                    "On: every copy's map is squared first, so that copies with opposite signs do not cancel; the "
                    "direction is lost."
                ),
                default=False,
            ),
            Choice(
                name="baseline",
                title="Start from",
                help="The picture without evidence, for Integrated Gradients only.",
                default="blur",
                options=BASELINES,
                advanced=True,
            ),
            Int(
                name="steps",
                title="Steps per copy",
                help="How many points the way from the empty picture to each copy has, for Integrated Gradients only.",
                default=16,
                low=1,
                high=256,
                advanced=True,
            ),
        ),
    )
)
