"""Labels of a set and the model's classes: by name, and by number where the visitor says so."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Toggle

import xai_core
from tests.pages.imageset.page_reader import (
    DIGITS,
    EXTREMES,
    SCORES,
    SET,
    finish_work,
    list_tiles,
    read_table,
    read_text,
)
from tests.pages.imageset.test_set import upload_zip
from tests.pages.imageset.zip_of_digits import ROWS, build_zip

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]
PHOTOS = "efficientnet_lite0"


def find_toggle(at: AppTest, begin: str) -> Toggle:
    return next(toggle for toggle in at.main.toggle if toggle.label.startswith(begin))


def list_toggles(at: AppTest) -> list[str]:
    return [toggle.label for toggle in at.main.toggle]


def test_labels_that_are_numbers_may_be_places_of_classes(open_app: Open) -> None:
    """Digits, judged by a model of photographs: label 3 is its class 3 only if the visitor says so."""
    at = upload_zip(open_app, build_zip(broken=False), **DIGITS)
    mine = at.query_params["set"]
    at = finish_work(open_app(SCORES, set=mine, model=PHOTOS, picture="0"))
    toggle = find_toggle(at, "The labels are numbers")
    assert not toggle.value
    assert "knows none of the labels" in read_text(at) and not at.main.metric
    at = finish_work(toggle.set_value(True).run())
    network = xai_core.load_model(PHOTOS)
    assert at.query_params["by_number"] == "true" and "knows none" not in read_text(at)
    assert f"Counted over {len(ROWS)} pictures" in read_text(at)
    assert f"So “0” is “{network.labels[0]}” here" in read_text(at)
    confusion = read_table(at, "confusion_")
    counts = dict(zip(confusion.iloc[:, 0], confusion.iloc[:, 1:].sum(axis=1), strict=True))
    digits = xai_core.imageset.load_set("digits").labels[list(ROWS)]
    assert counts == {network.labels[k]: int(count) for k, count in enumerate(np.bincount(digits))}
    assert "Label: 0. The model is wrong." in read_text(at)
    at.switch_page(SET)
    assert "Label: 0. The model is wrong." in read_text(finish_work(at.run())), "on all pages"


def test_a_model_that_knows_the_names_is_not_asked_by_number(open_app: Open) -> None:
    at = finish_work(open_app(SCORES, by_number="true", **DIGITS))
    assert not list_toggles(at) and at.query_params == DIGITS


def test_a_label_is_given_a_class_and_own_labels_are_learnt(open_app: Open) -> None:
    """A network of photographs knows no digits, but its features tell them apart."""
    rows = tuple(range(120))
    at = upload_zip(open_app, build_zip(broken=False, rows=rows), **DIGITS)
    mine, network = at.query_params["set"], xai_core.load_model(PHOTOS)
    digits = xai_core.imageset.load_set("digits").labels[list(rows)]
    at = finish_work(open_app(SCORES, set=mine, model=PHOTOS, picture="0"))
    assert any("(0 of 10 matched)" in expander.label for expander in at.main.expander)
    assert at.selectbox(key="mapped_label").value == "0", "the first that is not known"
    at = finish_work(at.selectbox(key="mapped_label").set_value("3").run())
    search = next(box for box in at.main.selectbox if box.label == "is the model's class")
    at = finish_work(search.set_value(512).run())
    assert any("(1 of 10 matched)" in expander.label for expander in at.main.expander)
    assert f"Counted over {(digits == 3).sum()} pictures" in read_text(at)
    assert read_table(at, "confusion_").iloc[0, 0] == network.labels[512]
    at = finish_work(find_toggle(at, "Learn these labels").set_value(True).run())
    assert at.query_params["own_classes"] == "true" and "did not learn from it (held out)" in read_text(at)
    assert f"Counted over {len(rows)} pictures" in read_text(at)
    run = xai_core.imageset.run_model(xai_core.imageset.find_set(mine), network)
    labels = xai_core.imageset.find_set(mine).labels
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    oracle = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500)), run.mean, labels, cv=folds
    )
    accuracy = float(at.main.metric[0].value.split()[0]) / 100
    assert accuracy == pytest.approx((oracle == labels).mean(), abs=0.1)
    assert sorted(read_table(at, "confusion_").iloc[:, 0]) == [str(k) for k in range(10)]
    assert "In the labels of this set it says" in read_text(at)
    at.switch_page(EXTREMES)
    at = finish_work(at.run())
    assert "The model says “" in read_text(at) and len(list_tiles(at, "class_top")) == 12
