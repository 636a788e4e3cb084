"""Generated concept pictures: the same seed gives the same bytes, and labels say what the pixels show."""

from __future__ import annotations

import numpy as np
import pytest

from xai_core.inside import GENERATED_CONCEPTS, draw_probe
from xai_core.inside.probes.generated import COLOURS


@pytest.fixture(scope="module")
def scenes() -> list[tuple[np.ndarray, np.ndarray]]:
    probe = draw_probe(120, seed=3, held_out=0)
    return [(np.asarray(picture, dtype=np.float64), masks) for picture, masks in map(probe.read, range(120))]


def test_same_seed_gives_the_same_bytes_whatever_the_count() -> None:
    first, again, different = draw_probe(30, seed=5), draw_probe(12, seed=5), draw_probe(12, seed=6)
    assert first.pictures[3].tobytes() == again.pictures[3].tobytes() != different.pictures[3].tobytes()
    assert np.array_equal(first.masks[3], again.masks[3])
    assert first.key != again.key and draw_probe(30, seed=5).key == first.key
    assert first.held_out.pictures[3].tobytes() != first.pictures[3].tobytes()
    assert (len(draw_probe()), len(draw_probe().held_out)) == (600, 200)


def test_every_concept_covers_its_share(scenes) -> None:
    shares = np.mean([masks.mean((1, 2)) for _, masks in scenes], axis=0)
    assert len(GENERATED_CONCEPTS) >= 24 and shares.shape == (len(GENERATED_CONCEPTS),)
    assert shares.min() > 0.001 and shares.max() < 0.04
    assert any((masks.sum(0) >= 3).any() for _, masks in scenes)


def test_colours_are_where_the_labels_say(scenes) -> None:
    for row, (name, colour) in enumerate(COLOURS.items()):
        pixels = np.concatenate([picture[masks[row]] for picture, masks in scenes])
        assert np.abs(pixels - colour).max() <= 11, name
        near = np.concatenate([picture[~masks[:17].any(0)] for picture, masks in scenes[:10]])
        assert np.abs(near - colour).max(1).min() > 20, name


def test_stripes_run_as_named(scenes) -> None:
    def change(name: str, axis: int) -> float:
        row, total = GENERATED_CONCEPTS.index(name), []
        for picture, masks in scenes:
            inner = masks[row] & np.roll(masks[row], 1, axis)
            total.append(np.abs(np.diff(picture.mean(2), axis=axis, prepend=0))[inner])
        return float(np.concatenate(total).mean())

    assert change("vertical stripes", 1) > 20 * change("vertical stripes", 0)
    assert change("horizontal stripes", 0) > 20 * change("horizontal stripes", 1)


def test_edges_are_steps_of_brightness(scenes) -> None:
    row = GENERATED_CONCEPTS.index("vertical edge")
    for picture, masks in scenes[:5]:
        grey = picture.mean(2)
        # Across an edge brightness changes, along it hardly.
        across = np.abs(np.roll(grey, -2, 1) - np.roll(grey, 2, 1))[masks[row]].mean()
        away = np.abs(np.roll(grey, -2, 1) - np.roll(grey, 2, 1))[~masks[:26].any(0)].mean()
        assert across > 5 * away
