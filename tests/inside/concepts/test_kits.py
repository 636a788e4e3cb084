"""Generated ideas: drawn by seed, unlike each other, and found again in the digit network."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from xai_core import InvalidParam, imageset, inside, load_model
from xai_core.inside import KITS


@pytest.mark.parametrize("name", list(KITS))
def test_pictures_depend_on_their_seed_alone(name: str) -> None:
    kit = KITS.get(name)
    for concept in kit.titles:
        first, again, another = (kit.pictures(concept, 3, seed) for seed in (1, 1, 2))
        assert [picture.tobytes() for picture in first] == [picture.tobytes() for picture in again]
        assert len({picture.tobytes() for picture in [*first, *another]}) == 6
    own = {picture.tobytes() for concept in kit.titles for picture in kit.pictures(concept, 20)}
    assert not own & {picture.tobytes() for picture in kit.random(40)}
    with pytest.raises(InvalidParam, match="The ideas of this kit are"):
        kit.pictures("nothing", 3)
    with pytest.raises(InvalidParam, match="Between 1 and"):
        kit.random(0)


def test_only_loops_enclose_dark() -> None:
    kit = KITS.get("strokes")
    for concept in kit.titles:
        shares = []
        for picture in kit.pictures(concept, 30):
            dark = np.asarray(picture) < 100
            shares.append(label(dark)[1] > 1)
        assert np.mean(shares) > 0.9 if concept == "loop" else np.mean(shares) < 0.35, concept


def test_a_loop_matters_for_digits_that_have_one() -> None:
    model, dataset = load_model("small_cnn"), imageset.load_set("digits")
    kit = inside.kit_for(model)
    layer = [inside.choose_layer(model)]
    loops, random = (
        inside.read_activations(model, layer, pictures)["relu2"]
        for pictures in (kit.pictures("loop", 40), kit.random(120))
    )
    for digit in (0, 6, 8, 9):
        rows = np.flatnonzero(np.asarray(dataset.labels) == digit)[:16].tolist()
        slopes = inside.read_gradients(model, layer, digit, [dataset.open(row) for row in rows])["relu2"]
        record = inside.score_directions({"loop": loops}, random, slopes)["loop"]
        assert record.significant and not record.at_chance
        # This network tells 0 and 9 by other strokes: a loop is evidence for 8 and 6, and against them.
        assert (record.strength > 0) == (digit in (6, 8))
