"""Maps in the background, and maps of pixels."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from xai_core.engine import jobs
from xai_core.engine.jobs import Job
from xai_core.errors import Cancelled, InvalidParam, UnknownName
from xai_core.imageset.image_set import ImageSet
from xai_core.imageset.projection import service
from xai_core.imageset.projection.maps import make_map
from xai_core.imageset.projection.pixels import read_pixels
from xai_core.imageset.record import SetRecord, no_masks


@pytest.fixture
def pictures(tmp_path: Path) -> ImageSet:
    """Forty thumbnails of noise, two labels."""
    thumbs = np.random.default_rng(0).integers(0, 256, (40, 48, 48, 3)).astype(np.uint8)
    thumbs.tofile(tmp_path / "thumbs.u8")
    labels = (np.arange(40) % 4 == 0).astype(np.int32)
    names = tuple(f"{row}.png" for row in range(40))
    record = SetRecord("ab" * 12, "zip", "noise", "Noise", names, labels, ("a", "b"), no_masks(40), "drawn")
    return ImageSet(record, source=None, folder=tmp_path)  # type: ignore[arg-type]


def test_pixels_are_the_means_of_what_they_cover_and_are_kept(pictures: ImageSet) -> None:
    job: Job[Any] = Job()
    result = read_pixels(pictures, 24, job)
    means = pictures.thumbnails().reshape(40, 24, 2, 24, 2, 3).mean(axis=(2, 4)) / 255
    assert result.shape == (40, 24 * 24 * 3) and result.dtype == np.float32 and isinstance(result, np.memmap)
    assert np.abs(result - means.reshape(40, -1)).max() < 1.01 / 255, "Pillow rounds rows and columns"
    assert job.done == job.total == 40
    (pictures.folder / "thumbs.u8").unlink()
    assert np.array_equal(read_pixels(pictures, 24), result), "made once"
    assert [file.name for file in pictures.folder.iterdir()] == ["pixels-24.npy"]


def test_pixels_that_were_stopped_or_damaged_leave_nothing_wrong(pictures: ImageSet) -> None:
    job: Job[Any] = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        read_pixels(pictures, 8, job)
    assert [file.name for file in pictures.folder.iterdir()] == ["thumbs.u8"]
    (pictures.folder / "pixels-8.npy").write_bytes(b"\x93NUMPY\x01\x00 half of it")
    assert read_pixels(pictures, 8).shape == (40, 192)
    for side in (0, 49, True, 8.0):
        with pytest.raises(InvalidParam, match="from 1 to 48"):
            read_pixels(pictures, side)  # type: ignore[arg-type]


def a_pass(pictures: ImageSet) -> Any:
    """Return the part of a run that a map needs."""
    data = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)
    failed = np.zeros(40, dtype=bool)
    failed[3] = True
    return SimpleNamespace(id="a pass", set_id=pictures.id, mean=data, valid=~failed)


def test_a_map_is_made_once_for_all_who_ask(pictures: ImageSet) -> None:
    done = a_pass(pictures)
    job = service.start_map(done, "pca", 3, session_id="Ada")
    result = job.wait(30)
    assert 3 not in result.rows and len(result.rows) == 39 and result.dimensions == 3
    assert np.array_equal(result.points, make_map(done.mean, "pca", 3, rows=result.rows).points)
    assert service.start_map(done, "pca", 3, session_id="Bob") is job
    assert jobs.watch(str(job.key), "Bob") is job
    assert set(job.sessions) >= {"Ada", "Bob"}
    jobs.leave("Ada")
    assert "Ada" not in job.sessions
    others = [
        service.start_map(done, "pca", 2),
        service.start_map(done, "pca", 3, rows=range(20)),
        service.start_map(pictures, "pca", 3),
    ]
    assert len({str(item.key) for item in [job, *others]}) == 4
    assert others[2].wait(30).points.shape == (40, 3)
    jobs.leave("")


def test_a_wrong_word_is_refused_before_any_work(pictures: ImageSet) -> None:
    with pytest.raises(UnknownName):
        service.start_map(pictures, "tsn")
    with pytest.raises(InvalidParam):
        service.start_map(pictures, "tsne", params={"perplexity": 1})
    with pytest.raises(InvalidParam, match="0 to 39"):
        service.start_map(pictures, "pca", rows=[1, 40])
    assert jobs.watch("no such map") is None


def test_too_many_pictures_are_drawn_label_by_label_and_it_is_said(
    pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_POINTS", 20)
    result = service.start_map(pictures, "pca").wait(30)
    assert len(result.rows) == 20 and (pictures.labels[result.rows] == 1).sum() == 5
    assert "20 of 40 pictures, drawn at random, each label with its share" in result.notes[0]


def test_several_small_maps_come_together(pictures: ImageSet) -> None:
    job = service.start_multiples(a_pass(pictures), (5,), (0, 1), rows=range(12), session_id="Ada")
    first, second = job.wait(60)
    assert first.seed == 0 and second.seed == 1 and first.rows.tolist() == second.rows.tolist()
    assert service.start_multiples(a_pass(pictures), (5,), (0, 1), rows=range(12)) is job


def test_leaving_stops_work_that_nobody_waits_for(pictures: ImageSet) -> None:
    job = service.start_map(a_pass(pictures), "tsne", params={"iterations": 2000}, session_id="Ada")
    jobs.leave("Ada", keep=[str(job.key)])
    assert not job.is_stopping
    jobs.leave("Ada")
    with pytest.raises(Cancelled):
        job.wait(30)
