"""How long does RISE take with 2000 masks, against the paper's recipe in plain torch: all masks made first, then
batches of pictures?
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

import xai_core
from benchmarks.harness.contest import Bench, Floats, Peer, Question

CELLS, VISIBLE = 7, 0.5
_TRIAL_SHARE = 10


def _recipe(bench: Bench, masks: int, batch: int) -> Floats:
    """The authors' published way, in which a mask hides by multiplying the prepared picture."""
    generator, side = torch.Generator().manual_seed(0), bench.model.side
    cell = -(-side // CELLS)
    grids = (torch.rand(masks, 1, CELLS, CELLS, generator=generator) < VISIBLE).float()
    shifts = torch.randint(0, cell, (masks, 2), generator=generator).tolist()
    large = torch.empty(masks, 1, side, side)
    for number, (top, left) in enumerate(shifts):
        stretched = F.interpolate(grids[number, None], (cell * (CELLS + 1),) * 2, mode="bilinear", align_corners=False)[
            0
        ]
        large[number] = stretched[:, top : top + side, left : left + side]
    with torch.no_grad():
        scores = torch.cat([bench.module(bench.x * part).softmax(1)[:, bench.target] for part in large.split(batch)])
    return np.asarray((scores @ large.flatten(1) / masks / VISIBLE).view(side, side))


def question(bench: Bench, masks: int = 2000) -> Question:
    """Both draw masks of their own, so even two right maps do not agree in full: the note says how well two seeds of
    ours do.
    """
    given: dict[str, object] = {
        "masks": masks,
        "cells": CELLS,
        "visible": 100 * VISIBLE,
        "measure": "probability",
        "fill": "grey",
    }

    def note(found: xai_core.Attribution) -> str:
        return f"every map has its own random masks; two seeds of ours have Pearson {bench.seeds_agree('rise', given, found):.4f}"

    return Question(
        title=f"RISE, {masks} masks",
        ours=lambda: xai_core.explain(bench.model, bench.image, "rise", params=given),
        limit=lambda found: bench.forward_limit(found.evaluations),
        peers=(
            Peer(
                "plain torch",
                lambda batch: _recipe(bench, masks, batch),
                lambda batch: _recipe(bench, masks // _TRIAL_SHARE, batch),
            ),
        ),
        note=note,
    )
