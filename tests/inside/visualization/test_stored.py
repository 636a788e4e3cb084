"""Finished visualizations on disk: found again as they were, made anew where damaged, never over the limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xai_core import Cancelled, Job, inside, load_model
from xai_core.inside.visualization import stored


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> inside.VisualizationPlan:
    monkeypatch.setenv("WHYBOX_DATA", str(tmp_path))
    return inside.plan_visualization(load_model("small_cnn"), "class:3", steps=2, count=2)


def find_anew(plan: inside.VisualizationPlan) -> inside.Visualization | None:
    """Find what a restarted program would: nothing is kept in memory."""
    for key, _ in stored._RECENT.items():
        stored._RECENT.pop(key)
    return inside.find_visualization(plan)


def test_pictures_are_found_after_a_restart_as_they_were(plan):
    assert inside.find_visualization(plan) is None
    result = inside.load_visualization(plan, Job())
    again = find_anew(plan)
    assert again is not None and len(again.pictures) == 2
    for picture, first in zip(again.pictures, result.pictures, strict=True):
        assert np.array_equal(np.asarray(picture), np.asarray(first)) and picture.mode == first.mode
    rest = {name for name in vars(result) if name != "pictures"}
    assert {name: getattr(again, name) for name in rest} == {name: getattr(result, name) for name in rest}
    job = Job()
    assert inside.load_visualization(plan, job).seconds == result.seconds and job.total == 0


def test_another_seed_step_or_unit_is_another_entry(plan):
    inside.load_visualization(plan, Job())
    model = plan.model
    for change in ({"seed": 1}, {"steps": 3}, {"sign": -1}, {"smoother": 0.5}, {"start": Image.new("L", (40, 40))}):
        request = {"unit": "class:3", "steps": 2, "count": 2} | change
        assert inside.find_visualization(inside.plan_visualization(model, **request)) is None, change


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n broken"])
def test_a_damaged_picture_is_made_anew(plan, damage):
    result = inside.load_visualization(plan, Job())
    (stored._cache().path(plan.id) / "1.png").write_bytes(damage)
    assert find_anew(plan) is None
    again = inside.load_visualization(plan, Job())
    assert again.scores == result.scores and find_anew(plan) is not None


def test_the_disk_never_holds_more_than_the_limit(plan, monkeypatch):
    sizes = []
    for seed in range(4):
        changed_plan = inside.plan_visualization(plan.model, "class:3", steps=1, seed=seed)
        inside.load_visualization(changed_plan, Job())
        sizes.append(sum(entry.bytes for entry in stored._cache().entries()))
        monkeypatch.setattr(stored, "_LIMIT", int(sizes[0] * 2.5))
    assert len(stored._cache().entries()) == 2 and max(sizes) <= stored._LIMIT


def test_a_stopped_job_stores_nothing(plan):
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        inside.load_visualization(plan, job)
    assert find_anew(plan) is None and not stored._cache().entries()
