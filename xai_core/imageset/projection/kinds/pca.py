"""Principal components: the directions in which the data differ most (Pearson 1901, Hotelling 1933), by scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xai_core.arrays import Float32
from xai_core.engine.jobs import Job
from xai_core.imageset.projection.kinds.spec import MAPS, Layout, MapSpec
from xai_core.params import Value


def principal(data: Float32, count: int, seed: int) -> tuple[Float32, float]:
    """Coordinates (n, count) along the first components, and the share of the variance that they keep, 0..1.

    Data with fewer directions than asked for get zeros in those that are missing. The seed matters only for the randomized solver,
    which scikit-learn takes for large data and few components.
    """
    from sklearn.decomposition import PCA

    possible = min(count, *data.shape)
    model = PCA(possible, random_state=seed)
    found = np.zeros((len(data), count), dtype=np.float32)
    found[:, :possible] = model.fit_transform(data)
    share = float(np.nan_to_num(model.explained_variance_ratio_).sum())
    return found, min(share, 1.0)


def _place(data: Float32, dimensions: int, _params: Mapping[str, Value], seed: int, job: Job[Any]) -> Layout:
    points, share = principal(data, dimensions, seed)
    job.tick(1)
    return Layout(
        points,
        notes=(f"The {dimensions} directions shown keep {100 * share:.0f} % of the differences between the pictures.",),
    )


MAPS.add(
    MapSpec(
        name="pca",
        title="PCA (straight shadow)",
        about="Looks at the cloud of pictures from the side from which it is widest. Quick, and distances keep a meaning, "
        "but groups can hide behind each other.",
        place=_place,
        # Quick whatever the number of points.
        cost=lambda _points: 1.0,
        source="Hotelling 1933, Analysis of a complex of statistical variables into principal components.",
    )
)
