"""Many equal pictures on a map: a tree that parts space until no two points share a cell would never end."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.browser_tools import ROOT
from xai_core.imageset.projection.kinds import tsne as tsne_module
from xai_core.imageset.projection.maps import make_map

ALLOWED_MB = 700


def repeat(kinds: int, times: int, others: int = 0) -> np.ndarray:
    """Return `kinds` vectors, each repeated, and others that are all different."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(kinds, 20)).repeat(times, axis=0), rng.normal(size=(others, 20))]).astype(
        "f4"
    )


@pytest.mark.parametrize("dimensions", [2, 3])
def test_equal_pictures_lie_together(dimensions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsne_module, "EARLY_STEPS", 80)
    points = make_map(repeat(4, 50), "tsne", dimensions, {"iterations": 250}).points.reshape(4, 50, dimensions)
    middles = points.mean(axis=1)
    apart = min(np.linalg.norm(middles[a] - middles[b]) for a in range(4) for b in range(a))
    assert np.isfinite(points).all() and apart > 3 * np.linalg.norm(points - middles[:, None], axis=2).max()


def map_within_memory(values: np.ndarray, dimensions: int) -> None:
    tsne_module.EARLY_STEPS = 80
    make_map(repeat(1, 5, 5), "tsne", 2, {"iterations": 250})
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ALLOWED_MB * 2**20,) * 2)
    assert np.isfinite(make_map(values, "tsne", dimensions, {"iterations": 250}).points).all()


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(("kinds", "times", "others"), [(4, 50, 0), (1, 1000, 20), (1, 1500, 20)])
def test_equal_pictures_stay_within_memory(kinds: int, times: int, others: int, dimensions: int) -> None:
    """In a process of its own, whose memory is limited."""
    call = f"map_within_memory(repeat({kinds}, {times}, {others}), {dimensions})"
    code = f"from tests.imageset.projection.test_equal_pictures import map_within_memory, repeat; {call}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=400, cwd=ROOT)
