"""Principal components, the directions in which the data differ most (Pearson 1901, Hotelling 1933)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xai_core.arrays import Float32
from xai_core.engine.jobs import Job
from xai_core.formatting import percent
from xai_core.imageset.projection.principal_components import project
from xai_core.imageset.projection.spec import MAPS, Layout, MapSpec
from xai_core.params import Value


def _place(data: Float32, dimensions: int, _params: Mapping[str, Value], seed: int, job: Job[Any]) -> Layout:
    points, share = project(data, dimensions, seed)
    job.tick(1)
    note = f"The {dimensions} directions shown keep {percent(share)} of the differences between the pictures."
    return Layout(points, notes=(note,))


MAPS.add(
    MapSpec(
        name="pca",
        title="PCA (straight shadow)",
        about="Looks at the cloud of pictures from the side from which it is widest. Quick, "
        "and distances keep a meaning, but groups can hide behind each other.",
        place=_place,
        # Quick whatever the number of points.
        cost=lambda _points: 1.0,
        source="Hotelling 1933, Analysis of a complex of statistical variables into principal components.",
    )
)
