"""Time of RISE with 2000 masks against the paper's recipe in plain torch: all masks first, then batches of pictures."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

import xai_core
from benchmarks.harness.contest import Peer, Question, Workload
from xai_core.arrays import Float

CELLS, VISIBLE = 7, 0.5
_TRIAL_SHARE = 10


def _run_recipe(workload: Workload, masks: int, batch: int) -> Float:
    """Run the authors' published recipe, which multiplies masks with the prepared picture."""
    generator, side = torch.Generator().manual_seed(0), workload.model.side
    cell = -(-side // CELLS)
    grids = (torch.rand(masks, 1, CELLS, CELLS, generator=generator) < VISIBLE).float()
    shifts = torch.randint(0, cell, (masks, 2), generator=generator).tolist()
    large = torch.empty(masks, 1, side, side)
    for number, (top, left) in enumerate(shifts):
        size = (cell * (CELLS + 1),) * 2
        stretched = F.interpolate(grids[number, None], size, mode="bilinear", align_corners=False)[0]
        large[number] = stretched[:, top : top + side, left : left + side]
    with torch.no_grad():
        scores = torch.cat(
            [workload.module(workload.model_input * part).softmax(1)[:, workload.target] for part in large.split(batch)]
        )
    return np.asarray((scores @ large.flatten(1) / masks / VISIBLE).view(side, side))


def build_question(workload: Workload, masks: int = 2000) -> Question:
    """Build the contest.

    The peer draws its own masks, so correct maps agree only in part; the note states the agreement of two of our seeds.
    """
    params: dict[str, object] = {
        "masks": masks,
        "cells": CELLS,
        "visible": 100 * VISIBLE,
        "measure": "probability",
        "fill": "grey",
    }

    return Question(
        title=f"RISE, {masks} masks",
        ours=lambda: xai_core.explain(workload.model, workload.image, "rise", params=params),
        limit=lambda attribution: workload.forward_limit(attribution.evaluations),
        peers=(
            Peer(
                "plain torch",
                lambda batch: _run_recipe(workload, masks, batch),
                lambda batch: _run_recipe(workload, masks // _TRIAL_SHARE, batch),
            ),
        ),
        note=lambda attribution: workload.describe_seeds("rise", "random masks", params, attribution),
    )
