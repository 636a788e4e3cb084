"""Sample pictures and baselines."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from xai_core import images
from xai_core.errors import UnknownName, XaiError
from xai_core.images import BASELINES, SAMPLES, image_sha256, make_baseline, samples


def pixels(picture: Image.Image) -> npt.NDArray[np.int64]:
    return np.asarray(picture).astype(np.int64)


# --- samples ----------------------------------------------------------------------------------------------------------


def test_samples_are_there_and_fit_to_show() -> None:
    assert list(SAMPLES)[:5] == ["coffee", "chelsea", "rocket", "camera", "astronaut"]
    assert SAMPLES.get("chelsea").title == "Cat"
    assert [s.name for s in SAMPLES.specs() if s.kind == "digit"] == ["digit_3", "digit_5", "digit_8"]
    hashes = set()
    for sample in SAMPLES.specs():
        picture = sample.load()
        assert picture.mode == "RGB" and picture.info == {} and max(picture.size) <= 1024 and min(picture.size) >= 190
        assert sample.title and sample.origin and sample.licence
        hashes.add(image_sha256(picture))
        assert image_sha256(sample.load()) in hashes and sample.load() is not picture
    assert len(hashes) == len(SAMPLES)
    assert SAMPLES.get("digit_3").load().size == (280, 280)
    assert (pixels(SAMPLES.get("horse").load())[0] == 255).all()  # an outline on nothing: laid on white


def test_digits_are_the_digits_they_are_called() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    for digit, row in samples._DIGITS:
        assert digits.target[row] == digit
        small = SAMPLES.get(f"digit_{digit}").load().convert("L").resize((8, 8), Image.Resampling.BOX)
        assert np.corrcoef(np.asarray(small).ravel(), digits.images[row].ravel())[0, 1] > 0.97


def test_the_digits_were_held_out_of_training() -> None:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    from xai_core.models.train_small_cnn import HELD_OUT, SEED

    labels = load_digits().target
    _, held = train_test_split(np.arange(len(labels)), test_size=HELD_OUT, stratify=labels, random_state=SEED)
    assert {row for _, row in samples._DIGITS} <= set(held.tolist())


def test_an_unknown_sample_names_near_ones() -> None:
    with pytest.raises(UnknownName, match="coffee"):
        SAMPLES.get("cofee")


def test_a_missing_file_is_told_at_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    with pytest.raises(XaiError, match="scikit-image"):
        SAMPLES.get("coffee").load()
    with pytest.raises(XaiError, match="scikit-learn"):
        SAMPLES.get("china").load()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(XaiError, match="scikit-learn"):
        SAMPLES.get("digit_3").load()


def test_every_sample_is_in_the_list_of_sources() -> None:
    text = (Path(images.__file__).parents[2] / "assets" / "SOURCES.md").read_text(encoding="utf-8")
    for sample in SAMPLES.specs():
        row = next((line for line in text.splitlines() if line.startswith(f"| {sample.name} |")), "")
        assert sample.licence in row and sample.origin in row, sample.name


# --- baselines --------------------------------------------------------------------------------------------------------


def floats(height: int = 40, width: int = 60, channels: int = 3) -> npt.NDArray[np.float32]:
    return np.random.default_rng(3).random((height, width, channels), dtype=np.float32)


@pytest.mark.parametrize("kind", list(BASELINES))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_baseline_is_a_fresh_picture_in_range(kind: str, channels: int) -> None:
    given = floats(channels=channels)
    given.flags.writeable = False
    before = given.copy()
    base = make_baseline(given, kind, np.random.default_rng(0))
    assert base.shape == given.shape and base.dtype == np.float32 and not np.shares_memory(base, given)
    assert base.min() >= 0 and base.max() <= 1 and base.flags.writeable and base.flags.c_contiguous
    assert (given == before).all()
    base[:] = 0  # nothing else hangs on it
    assert (
        make_baseline(given, kind, np.random.default_rng(0)) == make_baseline(given, kind, np.random.default_rng(0))
    ).all()


def test_baselines_by_hand() -> None:
    given, rng = floats(), np.random.default_rng(0)
    assert (make_baseline(given, "black", rng) == 0).all() and (make_baseline(given, "grey", rng) == 0.5).all()
    mean = make_baseline(given, "mean", rng)
    assert np.abs(mean - [given[:, :, c].sum(dtype=np.float64) / 2400 for c in range(3)]).max() < 1e-6
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state  # only noise draws
    noise = make_baseline(np.zeros((200, 200, 3), np.float32), "noise", rng)
    assert abs(noise.mean() - 0.5) < 0.01 and abs(noise.var() - 1 / 12) < 0.002
    assert not (make_baseline(given, "noise", rng) == make_baseline(given, "noise", rng)).any()


def test_blur_is_a_gaussian_with_a_tenth_of_the_side() -> None:
    point = np.zeros((201, 201, 1), np.float32)
    point[100, 100] = 1000
    line = make_baseline(point, "blur", np.random.default_rng(0))[:, :, 0].sum(axis=1)
    at = np.arange(-100, 101)
    assert line.sum() == pytest.approx(1000, rel=1e-4)
    assert np.sqrt((line * at**2).sum() / line.sum()) == pytest.approx(20.1, rel=0.01)
    flat = np.full((30, 50, 3), 0.25, np.float32)
    assert np.abs(make_baseline(flat, "blur", np.random.default_rng(0)) - 0.25).max() < 1e-6  # borders do not darken
    colours = np.zeros((30, 30, 3), np.float32)
    colours[:, :, 1] = 1
    assert (make_baseline(colours, "blur", np.random.default_rng(0))[:, :, [0, 2]] == 0).all()  # channels do not mix


def test_an_unknown_baseline_is_told() -> None:
    with pytest.raises(UnknownName, match="blur"):
        make_baseline(floats(), "blurr", np.random.default_rng(0))
