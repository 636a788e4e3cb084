"""Labels of a set and the model's classes: by name, and by number where the visitor says so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.pages.imageset.page_reader import DIGITS, SCORES, SET, finish_work, read_table, read_text
from tests.pages.imageset.test_set import upload_zip
from tests.pages.imageset.zip_of_digits import ROWS, build_zip

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]
PHOTOS = "efficientnet_lite0"


def list_toggles(at: AppTest) -> list[str]:
    return [toggle.label for toggle in at.main.toggle]


def test_labels_that_are_numbers_may_be_places_of_classes(open_app: Open) -> None:
    """Digits, judged by a model of photographs: label 3 is its class 3 only if the visitor says so."""
    at = upload_zip(open_app, build_zip(broken=False), **DIGITS)
    mine = at.query_params["set"]
    at = finish_work(open_app(SCORES, set=mine, model=PHOTOS, picture="0"))
    (toggle,) = at.main.toggle
    assert toggle.label.startswith("The labels are numbers") and not toggle.value
    assert "knows none of the labels" in read_text(at) and not at.main.metric
    at = finish_work(toggle.set_value(True).run())
    network = xai_core.load_model(PHOTOS)
    assert at.query_params["by_number"] == "true" and "knows none" not in read_text(at)
    assert f"Counted over {len(ROWS)} pictures" in read_text(at)
    assert f"So “0” is “{network.labels[0]}” here" in read_text(at)
    confusion = read_table(at, "confusion_")
    found = dict(zip(confusion.iloc[:, 0], confusion.iloc[:, 1:].sum(axis=1), strict=True))
    digits = xai_core.imageset.load_set("digits").labels[list(ROWS)]
    assert found == {network.labels[k]: int(count) for k, count in enumerate(np.bincount(digits))}
    assert "Label: 0. The model is wrong." in read_text(at)
    at.switch_page(SET)
    assert "Label: 0. The model is wrong." in read_text(finish_work(at.run())), "on all pages"


def test_a_model_that_knows_the_names_is_not_asked_by_number(open_app: Open) -> None:
    at = finish_work(open_app(SCORES, by_number="true", **DIGITS))
    assert not list_toggles(at) and at.query_params == DIGITS
