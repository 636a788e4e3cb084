"""UMAP (McInnes, Healy, Melville 2018, arXiv:1802.03426), where the optional package umap-learn is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np

from xai_core.arrays import Float32
from xai_core.engine.jobs import Job
from xai_core.errors import NotApplicable
from xai_core.imageset.projection.principal_components import reduce_columns
from xai_core.imageset.projection.spec import MAPS, Layout, MapSpec
from xai_core.params import Float, Int, Value

PACKAGE = "umap"
_MISSING = (
    "UMAP needs an extra package that this server does not have. Whoever runs it can add it with "
    "“pip install umap-learn”. Until then use t-SNE, which answers the same question."
)


def _refusal() -> str | None:
    return None if importlib.util.find_spec(PACKAGE) else _MISSING


def _place(data: Float32, dimensions: int, params: Mapping[str, Value], seed: int, job: Job[Any]) -> Layout:
    """Place the points in one call that cannot be stopped: the package reports no progress."""
    missing = _refusal()
    if missing:
        raise NotApplicable(missing)
    values, notes = reduce_columns(data, seed)
    # A seed makes the package work on one core, or its maps would differ from run to run.
    model = importlib.import_module(PACKAGE).UMAP(
        n_neighbors=min(int(params["neighbours"]), len(values) - 1),
        min_dist=float(params["min_distance"]),
        n_components=dimensions,
        random_state=seed,
        n_jobs=1,
    )
    points = np.asarray(model.fit_transform(values), dtype=np.float32)
    job.tick(1)
    return Layout(points, notes=notes)


MAPS.add(
    MapSpec(
        name="umap",
        title="UMAP (neighbours stay together, quicker for many)",
        about="Like t-SNE, it keeps alike pictures together, and groups come out tighter. The same cautions hold.",
        place=_place,
        params=(
            Int(
                name="neighbours",
                title="Neighbours",
                help="How many neighbours each picture tries to stay close to.",
                default=15,
                low=2,
                high=100,
            ),
            Float(
                name="min_distance",
                title="Smallest distance",
                help="How close two points may come on the map: small packs groups tightly.",
                default=0.1,
                low=0.0,
                high=0.99,
                step=0.05,
            ),
        ),
        refusal=_refusal,
        source="McInnes, Healy, Melville 2018, UMAP: Uniform Manifold Approximation and Projection, arXiv:1802.03426.",
    )
)
