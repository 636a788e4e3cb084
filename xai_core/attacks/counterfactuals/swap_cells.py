"""Cells of the last maps swapped with those of a real picture of another class, until the model says that class.

Source: Goyal, Wu, Ernst, Batra, Parikh and Lee, "Counterfactual Visual Explanations" (ICML 2019, arXiv:1904.07451).
Where the head is linear on means of maps, a swap changes every logit by a sum of its own: all gains come from one
product, and the greedy choice is exact. What the maps promise is then tested on pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from xai_core.arrays import Float64, UInt8
from xai_core.attacks.base.wish import check_wish
from xai_core.engine.answers import ask_model
from xai_core.engine.jobs import Job
from xai_core.errors import InvalidParam, NotApplicable
from xai_core.formatting import percent
from xai_core.inside.head import read_head
from xai_core.models.classifier import Classifier
from xai_core.models.linear_head import LinearHead


@dataclass(frozen=True)
class Swap:
    """One cell of the picture, replaced by one of the other picture; places are (row, column) on the grid."""

    place: tuple[int, int]
    source: tuple[int, int]
    gain: float
    """Change of the wanted class's logit less the strongest other one's, in the maps."""


@dataclass(frozen=True, eq=False)
class Swaps:
    """Swaps in the order of the greedy choice, and what the model says to the pasted pictures."""

    label: str
    """Label of the wanted class."""
    source: str
    """Label of the model's answer."""
    grid: tuple[int, int]
    order: tuple[Swap, ...]
    """All swaps, those needed first."""
    needed: int | None
    """Swaps after which the class is first in the maps; None where it never is."""
    leads: Float64
    """Logit of the class less the best other one in the maps, after 0, 1, ... swaps."""
    pasted_needed: int | None
    """Swaps after which the class is first for the pasted picture; None where it never is."""
    counterpart: Image.Image
    """The real picture as the model sees it."""
    pasted: Image.Image
    """The picture with the needed cells pasted as pixels (all of them where the class is never first)."""
    pasted_answer: str
    pasted_probability: float
    """Of the answer to the pasted picture."""

    @property
    def swaps(self) -> tuple[Swap, ...]:
        """The swaps that are needed in the maps; all where they are not enough."""
        return self.order if self.needed is None else self.order[: self.needed]


def swap_cells(
    model: Classifier, image: Image.Image, counterpart: Image.Image, target: int | str, job: Job[Any] | None = None
) -> Swaps:
    """Swap cells of a picture with those of `counterpart`, a picture of `target`, until the model says `target`.

    Each cell of either picture is used once. Raises NotApplicable for a network without a linear head on means of maps,
    InvalidParam where the model says the class already, UnknownName, Cancelled.
    """
    job, index, steps = job or Job(), model.class_index(target), model.preprocessing
    seen, paste = steps.input_bytes(image), steps.input_bytes(counterpart)
    head = read_head(
        model, torch.cat([steps.to_tensor(steps.to_pixels(row)) for row in (seen, paste)]).to(model.device), job
    )
    if head.maps is None:
        raise NotApplicable(
            f"{model.title} does not end in means of maps, so cells of two pictures cannot be swapped. Choose a model "
            "that does, such as EfficientNet-Lite0."
        )
    source = int(head.logits[0].argmax())
    check_wish(model, source, index)
    if np.array_equal(seen, paste):
        raise InvalidParam("Both pictures are the same, so there is nothing to swap. Choose another one.")
    rows, columns = head.maps.shape[2:]
    order, leads = choose_swaps(*cell_logits(head), index)
    job.expect(job.done + len(order))
    needed = next((count for count, lead in enumerate(leads.tolist()) if lead > 0), None)
    swaps = tuple(Swap(divmod(place, columns), divmod(start, columns), gain) for place, start, gain in order)
    pictures = _paste_in_order(seen, paste, swaps, (rows, columns))
    probabilities = ask_model(model, pictures, job).softmax(1)
    answers = probabilities.argmax(1).tolist()
    # Pictures begin with one swap.
    shown = (len(order) if needed is None else needed) - 1
    return Swaps(
        label=model.labels[index],
        source=model.labels[source],
        grid=(rows, columns),
        order=swaps,
        needed=needed,
        leads=leads,
        pasted_needed=next((count for count, answer in enumerate(answers, 1) if answer == index), None),
        counterpart=steps.to_picture(paste),
        pasted=steps.to_picture(pictures[shown]),
        pasted_answer=model.labels[answers[shown]],
        pasted_probability=float(probabilities[shown].max()),
    )


def cell_logits(head: LinearHead) -> tuple[Float64, Float64, Float64]:
    """Return what each cell of both pictures adds to every logit, (cells, classes) each, and the bias (classes,).

    The cells of a picture and the bias sum to its logits.
    """
    if head.maps is None:
        raise ValueError("the features are no means of maps")
    maps = head.maps.detach().double().flatten(2).cpu().numpy()
    weight = head.weight.detach().double().cpu().numpy()
    bias = np.zeros(len(weight)) if head.bias is None else head.bias.detach().double().cpu().numpy()
    # A mean over cells times the weights is a mean of what each cell adds.
    own, others = (cells.T @ weight.T / cells.shape[1] for cells in maps)
    return own, others, bias


def choose_swaps(
    own: Float64, others: Float64, bias: Float64, target: int
) -> tuple[list[tuple[int, int, float]], Float64]:
    """Return swaps (cell, other cell, gain) in greedy order until all cells are swapped, and the leads after each.

    A swap's gain is against the class that is the strongest other one at that moment, (cells² gains a step).
    """
    logits = own.sum(axis=0) + bias
    free, unused = np.ones(len(own), dtype=bool), np.ones(len(others), dtype=bool)
    order, leads = [], [_lead(logits, target)]
    # The rival may change after every swap, so the gains are computed anew.
    for _ in range(len(own)):
        rival = _strongest_other(logits, target)
        first, second = (cells[:, target] - cells[:, rival] for cells in (own, others))
        gains = second[None] - first[:, None]
        # A cell that was swapped cannot be swapped again, or one cell would fill the picture.
        gains[~free] = -np.inf
        gains[:, ~unused] = -np.inf
        place, start = np.unravel_index(int(gains.argmax()), gains.shape)
        free[place] = unused[start] = False
        logits = logits - own[place] + others[start]
        order.append((int(place), int(start), float(gains[place, start])))
        leads.append(_lead(logits, target))
    return order, np.array(leads)


def _strongest_other(logits: Float64, target: int) -> int:
    rivals = logits.copy()
    rivals[target] = -np.inf
    return int(rivals.argmax())


def _lead(logits: Float64, target: int) -> float:
    return float(logits[target] - logits[_strongest_other(logits, target)])


def _paste_in_order(seen: UInt8, paste: UInt8, swaps: tuple[Swap, ...], grid: tuple[int, int]) -> list[UInt8]:
    """Return the picture after each swap of pixels, one more every time; a cell is resized where sizes differ."""
    sizes = zip(seen.shape[:2], grid, strict=True)
    edges = [np.round(np.linspace(0, length, count + 1)).astype(int) for length, count in sizes]

    def cell(place: tuple[int, int]) -> tuple[slice, slice]:
        row, column = (slice(int(edge[at]), int(edge[at + 1])) for edge, at in zip(edges, place, strict=True))
        return row, column

    pictures, current = [], seen
    for swap in swaps:
        current = current.copy()
        target, source = cell(swap.place), paste[cell(swap.source)]
        lengths = zip(current[target].shape[:2], source.shape[:2], strict=True)
        rows, columns = (np.arange(length) * size // length for length, size in lengths)
        current[target] = source[rows[:, None], columns]
        pictures.append(current)
    return pictures


def describe_swaps(result: Swaps) -> str:
    """Return in two sentences how many swaps the maps need, and if the pasted picture flips too."""
    cells = result.grid[0] * result.grid[1]
    if result.needed is None:
        return (
            f"This did not work: even with all {cells} cells swapped, {result.label} is not first in the maps, so the "
            f"other picture is not a clear {result.label} for this model. Choose another one."
        )
    first = f"Swap {result.needed} of {cells} cells of the last maps, and {result.label} comes first."
    answer = f"{result.pasted_answer} ({percent(result.pasted_probability)})"
    if result.pasted_answer == result.label:
        return f"{first} The test on pixels agrees: with the same cells pasted the model says {answer}."
    later = (
        f"With {result.pasted_needed} pasted cells it says {result.label}."
        if result.pasted_needed is not None
        else f"No number of pasted cells makes it say {result.label}."
    )
    return (
        f"{first} But the test on pixels does not agree: with the same cells pasted the model says {answer}, since "
        f"maps see beyond their cells. {later}"
    )
