"""Time of a model run over a set, decoding and writing included, against its forward passes alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.harness.array_contest import TableQuestion
from benchmarks.harness.contest import Workload
from xai_core.arrays import Float
from xai_core.engine.backends.forward import forward_with_features
from xai_core.images import Picture
from xai_core.imageset.runs.inference import choose_layer, run_model
from xai_core.imageset.runs.loader import Pictures, Reader
from xai_core.imageset.sets.library import load_set

MAX_RATIO = 1.15


@contextmanager
def _use_empty_data_dir() -> Iterator[None]:
    """Point WHYBOX_DATA to an empty folder within the block."""
    before = os.environ.get("WHYBOX_DATA")
    with tempfile.TemporaryDirectory(prefix="whybox-bench-", ignore_cleanup_errors=True) as folder:
        os.environ["WHYBOX_DATA"] = folder
        try:
            yield
        finally:
            os.environ.pop("WHYBOX_DATA")
            os.environ.update({} if before is None else {"WHYBOX_DATA": before})


@dataclass(frozen=True)
class _RepeatedPictures:
    """The first `count` pictures of a set, repeated from the start where it has fewer."""

    pictures: Pictures
    count: int

    @property
    def id(self) -> str:
        return f"{self.count} of {self.pictures.id}"

    def __len__(self) -> int:
        return self.count

    def open(self, index: int) -> Picture:
        return self.pictures.open(index % len(self.pictures))


def build_question(workload: Workload, pictures: Pictures | None = None, count: int = 320) -> TableQuestion:
    """Build the contest against the plain network on decoded pictures, in the fastest batches and workers."""
    repeated = _RepeatedPictures(pictures or load_set("photo_crops"), count)
    reader, best = Reader(repeated, workload.model.preprocessing), workload.best_forward
    decoded = torch.cat([reader.tensor(row) for row in range(count)]).split(best.size)
    # Built once for a model, so not part of a pass.
    forward_with_features(workload.model, choose_layer(workload.model))

    def ours() -> Float:
        with _use_empty_data_dir():
            return np.array(run_model(repeated, workload.model).logits)

    def limit() -> Float:
        with ThreadPoolExecutor(best.workers) as pool:
            return torch.cat(list(pool.map(workload.forward, decoded))).numpy()

    return TableQuestion(
        title=f"Pass over a set, {workload.model.title}",
        size=f"{count} pictures",
        ours=ours,
        peer="its forward passes",
        theirs=limit,
        max_ratio=MAX_RATIO,
        max_difference=1e-3,
    )
