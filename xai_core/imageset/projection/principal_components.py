"""Projection of rows of numbers to their first principal components, as a map or before t-SNE and UMAP."""

from __future__ import annotations

import numpy as np

from xai_core.arrays import Float32
from xai_core.formatting import percent

# Kept before t-SNE and UMAP: further ones are mostly noise, and take time.
MAX_COMPONENTS = 50


def project(data: Float32, count: int, seed: int) -> tuple[Float32, float]:
    """Return coordinates (n, count) along the first components, and the share of the variance that they keep, 0..1.

    Data of lower rank get zeros in the missing directions. The seed matters only for the randomized solver, which
    scikit-learn takes for large data and few components.
    """
    from sklearn.decomposition import PCA

    possible = min(count, *data.shape)
    model = PCA(possible, random_state=seed)
    coordinates = np.zeros((len(data), count), dtype=np.float32)
    coordinates[:, :possible] = model.fit_transform(data)
    share = float(np.nan_to_num(model.explained_variance_ratio_).sum())
    return coordinates, min(share, 1.0)


def reduce_columns(data: Float32, seed: int) -> tuple[Float32, tuple[str, ...]]:
    """Return the first 50 principal components of wider data (n, D), and a sentence that says so."""
    if data.shape[1] <= MAX_COMPONENTS or len(data) <= MAX_COMPONENTS:
        return data, ()
    components, share = project(data, MAX_COMPONENTS, seed)
    note = f"First the {data.shape[1]:,} numbers of a picture were brought down to {MAX_COMPONENTS} (PCA)"
    return components, (f"{note}, which keep {percent(share)} of their differences.",)
