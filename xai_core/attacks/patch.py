"""Adversarial patch: one round sticker that makes many pictures say one class, wherever it is put.

Brown et al. 2017, arXiv:1712.09665. The expectation over place, scale and turn is trained on sample photographs and
tried on others, beside a patch of the same pixels in random order: a colourful sticker that only covers something
would do as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
import torch.nn.functional as F

from xai_core.attacks.base.request import AttackRequest
from xai_core.attacks.base.spec import ATTACKS, AttackSpec, Outcome
from xai_core.images import SAMPLES
from xai_core.params import Int

# Sample pictures that the patch is trained on, and unseen ones that it is tried on.
TRAINED = TRIED = 6
# Pictures of one step.
_BATCH = 8
_LEARNING_RATE = 0.05
# Change of the patch's side from place to place, and the largest turn to either side.
_SCALES = (0.8, 1.2)
_MAX_TURN = pi / 8
# Places tried on each unseen picture.
_PLACES = 2


@dataclass(frozen=True)
class Placement:
    """Place of a patch: its centre as shares of the picture from -1 to 1, its side in pixels, its turn in radians."""

    x: float
    y: float
    side: float
    turn: float


def paste(patch: torch.Tensor, levels: torch.Tensor, placements: list[Placement]) -> torch.Tensor:
    """Return pictures (N, C, H, W) with a round patch (C, S, S) pasted on each; differentiable by the patch."""
    height, width = levels.shape[-2:]
    rows = []
    for place in placements:
        across, down = width / place.side, height / place.side
        cos, sin = np.cos(place.turn), np.sin(place.turn)
        # From places of the picture to places of the patch, both from -1 to 1.
        rows.append(
            [
                [across * cos, down * sin, -across * cos * place.x - down * sin * place.y],
                [-across * sin, down * cos, across * sin * place.x - down * cos * place.y],
            ]
        )
    grid = F.affine_grid(torch.tensor(rows, dtype=levels.dtype, device=levels.device), list(levels.shape), False)
    pasted = F.grid_sample(patch.expand(len(levels), *patch.shape), grid, padding_mode="border", align_corners=False)
    # Round: corners would be cut by a turn.
    inside = (grid.square().sum(-1) <= 1)[:, None]
    return torch.where(inside, pasted, levels)


def _draw_placements(rng: np.random.Generator, count: int, side: int, picture_side: int) -> list[Placement]:
    """Draw places at which the whole patch is seen."""
    placements = []
    for _ in range(count):
        own = side * rng.uniform(*_SCALES)
        free = max(0.0, 1 - own / picture_side)
        x, y = rng.uniform(-free, free, 2)
        placements.append(Placement(x, y, own, rng.uniform(-_MAX_TURN, _MAX_TURN)))
    return placements


def _load_pictures(request: AttackRequest) -> tuple[torch.Tensor, torch.Tensor]:
    """Return sample pictures in levels, (N, C, H, W) each: those to train on, and unseen ones."""
    kind = "photo" if request.center.shape[1] == 3 else "digit"
    steps = request.model.preprocessing
    loaded = [steps.input_bytes(sample.load()) for sample in SAMPLES.specs() if sample.kind == kind]
    # The visitor's own picture is never trained on.
    others = [picture for picture in loaded if not np.array_equal(picture, request.start)]
    trained = min(TRAINED, max(1, len(others) - 1))
    unseen = others[trained : trained + TRIED] or others[:1]
    return request.to_levels(np.stack(others[:trained])), request.to_levels(np.stack(unseen))


def run(request: AttackRequest) -> Outcome:
    """Return the visitor's picture with the trained patch on it."""
    side, steps = round(request.integer("size") / 100 * request.center.shape[-1]), request.integer("steps")
    target, picture_side = request.target if request.target is not None else 0, request.center.shape[-1]
    trained, unseen = _load_pictures(request)
    # Levels are the sigmoid of these, so that no step leaves 0 to 255.
    hidden = torch.zeros((request.center.shape[1], side, side), requires_grad=True)
    optimizer = torch.optim.Adam([hidden], lr=_LEARNING_RATE)

    def log_probability(logits: torch.Tensor) -> torch.Tensor:
        return logits.log_softmax(1)[:, target]

    for _ in range(steps):
        chosen = trained[torch.from_numpy(request.rng.integers(len(trained), size=_BATCH))]
        placements = _draw_placements(request.rng, _BATCH, side, picture_side)
        with torch.enable_grad():
            pictures = paste(255 * hidden.sigmoid(), chosen, placements)
        _, gradients = request.gradients(pictures.detach(), log_probability)
        optimizer.zero_grad()
        with torch.enable_grad():
            pictures.backward(-gradients)
        optimizer.step()
        if request.job.is_preview_wanted:
            request.job.show_preview(request.to_bytes((255 * hidden.detach().sigmoid()).round()[None])[0])
    patch = (255 * hidden.detach().sigmoid()).round()
    # Whole pixels change places, so that the colours stay those of the patch.
    order = torch.from_numpy(request.rng.permutation(side * side))
    scrambled = patch.flatten(1)[:, order].view_as(patch)
    places = _draw_placements(request.rng, _PLACES * len(unseen), side, picture_side)
    details = {
        name: float(request.ask(picture).softmax(1)[:, target].mean())
        for name, picture in (
            ("unseen_before", unseen),
            ("unseen_patch", paste(patch, unseen.repeat(_PLACES, 1, 1, 1), places).round()),
            ("unseen_scrambled", paste(scrambled, unseen.repeat(_PLACES, 1, 1, 1), places).round()),
        )
    }
    details |= {"unseen": float(len(unseen)), "trained": float(len(trained))}
    place = _draw_placements(request.rng, 1, side, picture_side)
    return Outcome(paste(patch, request.center, place).round(), details)


ATTACKS.add(
    AttackSpec(
        name="patch",
        title="A sticker that works anywhere",
        technical="Adversarial patch",
        usual=6,
        sentence=(
            "It makes one round sticker that pulls the answer to a class on many pictures, wherever it lies, a little "
            "larger or smaller, and turned."
        ),
        limits="The sticker is made for this model. Anybody sees it: it hides nothing, it distracts.",
        paper="Brown et al. 2017, arXiv:1712.09665",
        run=run,
        cost=lambda params, _side: _BATCH * int(params["steps"]) + (1 + 2 * _PLACES) * TRIED,
        needs_target=True,
        random=True,
        previews=True,
        max_pictures=4 * _BATCH,
        params=(
            Int(
                name="size",
                title="Size of the sticker",
                help="Its width as a share of the picture's.",
                unit="%",
                default=28,
                low=10,
                high=60,
            ),
            Int(
                name="steps",
                title="Steps",
                help="Rounds of eight pictures. More make a stronger sticker.",
                default=150,
                low=1,
                high=1000,
                advanced=True,
            ),
        ),
        quick_params=lambda _side: {"steps": 3},
    )
)
