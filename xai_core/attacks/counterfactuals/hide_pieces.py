"""Fewest pieces to hide so that a chosen class comes first: SEDC-T.

Source: Vermeire, Brughmans, Goethals, de Oliveira and Martens, "Explainable image classification with evidence
counterfactual" (2020, arXiv:2004.07511). The pieces are those of `adaptive_occlusion`, and so is the greedy search; it
ends when the class is first, not when it passes one other class. Then pieces that were not needed are shown again.
Rounds after the first try only the pieces that helped most before; where that fails, the search is done with all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Bool, Int64
from xai_core.attacks.base.wish import check_wish
from xai_core.engine.backends.forward import forward_for
from xai_core.engine.jobs import Job
from xai_core.formatting import percent
from xai_core.images.fill_pieces import make_piece_filler
from xai_core.methods import METHODS
from xai_core.methods.adaptive_occlusion import GreedySearch
from xai_core.models.classifier import Classifier
from xai_core.params import resolve
from xai_core.what_if.challenge import cut_picture
from xai_core.what_if.hide import SURROUNDINGS, make_hider

METHOD = "adaptive_occlusion"
# Pieces of which every selection is tried: twice as many for each more.
MAX_EXACT = 8
# Pieces that are tried in each round after the first: those that helped most when they were tried last.
WIDTH = 12


@dataclass(frozen=True, eq=False)
class HiddenPieces:
    """Pieces that were hidden for a class, and what the model said to it."""

    label: str
    """Label of the class that is to be first."""
    source: str
    """Label of the model's answer to the whole picture."""
    part: Bool
    """Pieces that are hidden, (pieces,)."""
    labels: Int64
    """Number of the piece at each pixel, (H, W)."""
    picture: Image.Image
    """The picture with these pieces hidden, as the model sees it."""
    share: float
    """Part of the picture that is hidden, 0 to 1."""
    before: float
    """Probability of the class for the whole picture."""
    after: float
    answer: str
    """Label of the likeliest class now."""
    answer_probability: float
    reached: bool
    irreducible: bool
    """True if every smaller selection of these pieces was tried, and none of them is enough."""
    tried: int
    """Pictures that the model was asked about."""

    @property
    def mask(self) -> Bool:
        """Hidden pixels, (H, W)."""
        hidden: Bool = self.part[self.labels]
        return hidden


def hide_pieces(
    model: Classifier,
    image: Image.Image,
    target: int | str,
    filling: str = SURROUNDINGS,
    params: Mapping[str, object] | None = None,
    seed: int = 0,
    job: Job[Any] | None = None,
) -> HiddenPieces:
    """Hide the fewest pieces found after which the model says `target`.

    `params` are those of `adaptive_occlusion`: "pieces", "segments" and "rounds", the most pieces to hide. `job` counts
    pictures. Raises InvalidParam (the model says the class already), UnknownName, Cancelled.
    """
    job, spec, index = job or Job(), METHODS.get(METHOD), model.class_index(target)
    checked = resolve(spec.params, params, model.side)
    job.expect(int(checked["segments"]) + WIDTH * int(checked["rounds"]))
    search = _prepare(model, cut_picture(model, image, params, index, job), filling, seed)
    logits = search.request.logits[0]
    source = int(logits.argmax())
    check_wish(model, source, index)
    # One piece stays: with all of them hidden nothing surrounds them.
    rounds = min(int(checked["rounds"]), len(search.areas) - 1)
    part, _, lead, _ = search.search(rounds)
    if not search.reaches_goal(lead)[0]:
        # The promising pieces are not enough: each round tries all of them.
        job.expect(job.done + spec.cost(checked, model.side))
        part, _, lead, _ = replace(search, width=None).search(rounds)
    reached, irreducible = bool(search.reaches_goal(lead)[0]), False
    if reached:
        job.expect(job.done + 2 ** min(int(part.sum()), MAX_EXACT))
        part, irreducible = reduce_part(search, part)
    shown = search.compose(~part[None])
    after, steps = forward_for(model)(shown, job)[0].softmax(0), model.preprocessing
    answer = int(after.argmax())
    pixels = np.rint(255 * steps.from_tensor(shown).clip(0, 1)).astype(np.uint8)
    return HiddenPieces(
        label=model.labels[index],
        source=model.labels[source],
        part=part.numpy(),
        labels=search.labels.numpy(),
        picture=steps.to_picture(pixels),
        share=float(search.areas[part].sum()),
        before=float(logits.softmax(0)[index]),
        after=float(after[index]),
        answer=model.labels[answer],
        answer_probability=float(after[answer]),
        reached=reached,
        irreducible=irreducible,
        tried=search.request.evaluator.evaluations,
    )


def _prepare(model: Classifier, search: GreedySearch, filling: str, seed: int) -> GreedySearch:
    """Return the search for a part that makes the class first, hidden by any filling."""
    pixels, labels, steps = search.request.pixels, search.labels.numpy(), model.preprocessing
    hide = make_hider(pixels, filling, seed)
    # The same pieces are hidden again and again in other company.
    fill_pieces = make_piece_filler(pixels, labels) if filling == SURROUNDINGS else lambda part: hide(part[labels])

    def compose(shown: torch.Tensor) -> torch.Tensor:
        parts = ~shown.bool().numpy()
        return torch.cat([steps.to_tensor(fill_pieces(part)) for part in parts]).to(model.device)

    return replace(search, compose=compose, goal=0.0, reveals=False, raises=True, width=WIDTH)


def reduce_part(search: GreedySearch, part: torch.Tensor) -> tuple[torch.Tensor, bool]:
    """Return the smallest selection of a part's pieces (pieces,) that still reaches the goal, and if all were tried.

    Of a large part, pieces that are not needed are shown again one by one first.
    """
    members = part.nonzero()[:, 0]
    while len(members) > MAX_EXACT:
        candidates = part.repeat(len(members), 1)
        candidates[torch.arange(len(members)), members] = False
        valid = search.reaches_goal(search.compute_leads(candidates)[0])
        if not valid.any():
            return part, False
        # The largest piece that can go makes the hidden part smallest.
        best = int(torch.where(valid, search.areas[members], -1).argmax())
        part = candidates[best]
        members = part.nonzero()[:, 0]
    numbers = torch.arange(1, 2 ** len(members) - 1)
    if not len(numbers):
        return part, True
    # Bit k of a number tells if the k-th piece is in the selection; neither none nor all are.
    chosen = (numbers[:, None] >> torch.arange(len(members))) & 1 == 1
    candidates = torch.zeros(len(numbers), len(part), dtype=torch.bool)
    candidates[:, members] = chosen
    valid = search.reaches_goal(search.compute_leads(candidates)[0])
    if not valid.any():
        return part, True
    # Fewest pieces first, then the smallest area.
    sizes = chosen.sum(1) + candidates.double() @ search.areas
    return candidates[int(torch.where(valid, sizes, torch.inf).argmin())], True


def describe_hidden_pieces(result: HiddenPieces) -> str:
    """Return in two or three sentences what had to be hidden, or what was tried in vain."""
    count = int(result.part.sum())
    pieces = f"{count} piece{'' if count == 1 else 's'} ({percent(result.share)} of the picture)"
    if not result.reached:
        return (
            f"This did not work: with {pieces} hidden, {result.label} goes from {percent(result.before)} to "
            f"{percent(result.after)}, and the model says {result.answer} ({percent(result.answer_probability)}). "
            f"{result.tried:,} pictures were tried: first with the most promising pieces, then with all. Another "
            "filling may do it, but hiding only takes evidence away, and there may be none for this class."
        )
    proof = (
        "Another piece may do it too."
        if count == 1
        else "No smaller selection of these pieces is enough; other pieces may be."
        if result.irreducible
        else "Show any one of them again, and that is undone."
    )
    answer = f"{result.label} ({percent(result.after)}) instead of {result.source}"
    return f"Hide {pieces}, and the model says {answer}. {proof}"
