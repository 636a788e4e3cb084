"""The path of a visitor with a table: choose, train, effects in general, one row, counterfactuals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from sklearn.inspection import partial_dependence, permutation_importance
from streamlit.testing.v1 import AppTest

from pages.ui.imageset import clickable_tables
from tests.pages.page_reader import check_page
from tests.pages.tables.page_reader import (
    DATA,
    FAIRNESS,
    GENERAL,
    MODEL,
    ROW,
    finish_work,
    open_by_button,
    press,
    read_chart,
    read_text,
)
from xai_core.formatting import percent
from xai_core.tabular import TABULAR_MODELS
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import train

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]
QUICK = {"learner": "decision_tree"}


@pytest.fixture(scope="module")
def loan() -> TabularModel:
    """The model that the pages train under QUICK."""
    return train(load_table("loan"), "decision_tree")


def decode_numbers(trace: dict[str, object], axis: str) -> np.ndarray:
    """A trace's numbers, which Plotly writes as lists or as packed bytes."""
    import base64

    values = trace[axis]
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
    return np.array(values, dtype=float)


def sklearn_importance(model: TabularModel) -> np.ndarray:
    table, rows = model.table, model.test_rows
    importance = permutation_importance(
        model.estimator, table.take(rows), table.target[rows], n_repeats=10, random_state=1, scoring="roc_auc"
    )
    return np.asarray(importance.importances_mean)


def test_one_feature_opens_with_the_one_that_counts_most(open_app: Open, loan: TabularModel) -> None:
    """Not with the first column, unless the link names it."""
    first = loan.table.features[int(sklearn_importance(loan).argmax())]
    assert first != loan.table.features[0]
    at = finish_work(open_app(GENERAL, view="one", **QUICK))
    assert at.selectbox(key=f"feature_of_{loan.table.sha256[:12]}").value == first
    assert at.query_params["feature"] == first
    named = finish_work(open_app(GENERAL, view="one", feature=loan.table.features[0], **QUICK))
    assert named.selectbox(key=f"feature_of_{loan.table.sha256[:12]}").value == loan.table.features[0]


def test_the_whole_path(open_app: Open, loan: TabularModel) -> None:
    at = finish_work(open_app(DATA, **QUICK))
    assert [metric.value for metric in at.main.metric] == ["1,000", "11", "0"]
    assert sorted(decode_numbers(read_chart(at, "target")["data"][0], "x")) == sorted(np.bincount(loan.table.target))
    at = open_by_button(at, "Train a model on it", MODEL)
    assert at.title[0].value == "A model for this table"
    accuracy = float(
        np.mean(loan.predict(loan.table.take(loan.test_rows)).argmax(1) == loan.table.target[loan.test_rows])
    )
    assert at.main.metric[0].value == f"{100 * accuracy:.0f} %"
    at = open_by_button(at, "How does it decide in general?", GENERAL)
    assert at.title[0].value == "The model in general"
    importance = sklearn_importance(loan)
    at = press(at, f"See what “{loan.table.features[int(importance.argmax())]}” does")
    assert next(box for box in at.main.selectbox if box.label == "Feature").value != loan.table.features[0]
    at = finish_work(at.selectbox(key=f"feature_of_{loan.table.sha256[:12]}").set_value("income").run())
    average = next(trace for trace in read_chart(at, "pdp")["data"] if trace["name"] == "Average of all rows")
    expected = partial_dependence(loan.estimator, loan.table.frame, ["income"], method="brute", grid_resolution=50)
    assert decode_numbers(average, "y") == pytest.approx(expected["average"][0], abs=1e-10)
    assert "spending (ρ =" in read_text(at), "columns that go together are warned of"
    at.switch_page(ROW)
    at = finish_work(at.run())
    assert at.title[0].value == "One row"
    assert "feature=income" in "&".join(f"{k}={v}" for k, v in at.query_params.items()), (
        "the feature is kept between pages"
    )


def draw_with_buttons(frame: pd.DataFrame, key: str, take: Callable[[int, str], None], alt: str, **_: object) -> None:
    """A table with a button for each row, for AppTest cannot click a cell."""
    st.dataframe(frame, key=key)
    for place, title in enumerate(frame["Model"]):
        st.button(f"Row: {title}", on_click=take, args=(place, ""))


def test_all_models_are_compared_and_a_click_chooses_one(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the mean of the held-out parts that each model tells itself."""
    monkeypatch.setattr(clickable_tables, "draw_table", draw_with_buttons)
    kinds = ("linear", "decision_tree", "nearest_neighbours")
    # A new mapping: entries that are taken out and put back would stand in another order.
    monkeypatch.setattr(
        TABULAR_MODELS, "_specs", {name: TABULAR_MODELS.get(name) for name in TABULAR_MODELS if name in kinds}
    )
    at = finish_work(open_app(MODEL, table="iris", learner="linear", decision_tree_depth="1"))
    at = press(at, "Train all 3 kinds and compare")
    board = next(frame.value for frame in at.main.dataframe if "Model" in frame.value)
    means = {name: np.mean(train(load_table("iris"), name).cross_validation) for name in kinds}
    assert board.iloc[:, 0].tolist() == pytest.approx(sorted(means.values(), reverse=True))
    assert f"{board['Model'][0]} has the best share of right answers on the 5 parts" in read_text(at)
    at = press(at, f"Row: {TABULAR_MODELS.get('decision_tree').title}")
    assert at.selectbox(key="learner").value == at.query_params["learner"] == "decision_tree"
    assert "decision_tree_depth" not in at.query_params, "with the settings it was compared with"


def test_a_row_moves_with_every_input(open_app: Open, loan: TabularModel) -> None:
    number = int(loan.test_rows[3])
    at = finish_work(open_app(ROW, row=str(number), feature="income", **QUICK))
    row = loan.table.take([number])
    truth = loan.table.classes[loan.table.target[number]]
    assert f"decision is {truth}" in read_text(at)
    assert (
        f"The model says: {loan.table.classes[loan.predict(row)[0].argmax()]} ({percent(loan.predict(row)[0].max())})"
        in read_text(at)
    )
    key = f"cell_{loan.table.sha256[:12]}_{number}_{loan.table.features.index('income')}"
    income = 8000 if row["income"].iloc[0] < 4000 else 1000
    at = finish_work(at.number_input(key=key).set_value(income).run())
    changed = row.assign(income=float(income))
    marker = next(trace for trace in read_chart(at, "here")["data"] if trace["name"] == "This row")
    assert marker["x"] == [income]
    assert marker["y"] == pytest.approx(loan.score(changed).tolist())
    assert "Without your changes" in read_text(at)
    bars = read_chart(at, "bars_shap")["data"][0]
    assert (decode_numbers(bars, "base") + decode_numbers(bars, "x"))[-1] == pytest.approx(loan.score(changed)[0])
    assert any(f"income = {income:,}" in text for text in bars["hovertext" if "hovertext" in bars else "text"])
    at = press(at, "Return to the original row")
    assert "Without your changes" not in read_text(at)
    assert at.number_input(key=key).value == row["income"].iloc[0]


def test_what_if_is_kept_between_pages(open_app: Open, loan: TabularModel) -> None:
    number = int(loan.test_rows[0])
    at = finish_work(open_app(ROW, **QUICK))
    key = f"cell_{loan.table.sha256[:12]}_{number}_{loan.table.features.index('age')}"
    at = finish_work(at.number_input(key=key).set_value(44).run())
    at.switch_page(GENERAL)
    finish_work(at.run())
    at.switch_page(ROW)
    at = finish_work(at.run())
    assert at.number_input(key=key).value == 44


def test_a_row_is_explained_for_what_the_model_says_of_it(open_app: Open, loan: TabularModel) -> None:
    answers = loan.predict(loan.table.take(loan.test_rows)).argmax(1)
    for outcome in (0, 1):
        number, label = str(loan.test_rows[answers == outcome][0]), loan.table.classes[outcome]
        at = finish_work(open_app(ROW, row=number, **QUICK))
        assert f"Why? What moved the probability of “{label}”" in [text.value for text in at.main.subheader]
        assert read_chart(at, "bars_shap")["layout"]["xaxis"]["title"]["text"] == f"probability of {label}"
        assert "outcome" not in at.query_params
    first_label = loan.table.classes[0]
    at = finish_work(open_app(ROW, row=number, outcome=first_label, **QUICK))
    assert f"Why? What moved the probability of “{first_label}”" in [text.value for text in at.main.subheader]


def test_changes_reach_what_is_wanted_and_can_be_tried(open_app: Open, loan: TabularModel) -> None:
    said_no = loan.test_rows[loan.predict(loan.table.take(loan.test_rows)).argmax(1) == 0]
    at = finish_work(open_app(ROW, row=str(said_no[0]), **QUICK))
    assert "If " not in read_text(at)
    at = press(at, "Find the smallest changes")
    changes = [line for line in read_text(at).splitlines() if line.startswith("If ")]
    assert 1 <= len(changes) <= 5
    assert all("approved" in line for line in changes)
    assert not any("group were" in line for line in changes), "the protected column is locked at first"
    first = next(button for button in at.main.button if button.label == "Try it in the form")
    first.click()
    at = finish_work(at.run())
    assert "The model says: approved" in read_text(at)


def test_a_regression_goes_the_same_way(open_app: Open) -> None:
    quick = {"table": "diabetes", "learner": "linear"}
    at = finish_work(open_app(MODEL, **quick))
    assert at.main.metric[0].value not in ("", "–")
    assert read_chart(at, "fit")
    at.switch_page(ROW)
    at = finish_work(at.run())
    assert "The model says:" in read_text(at)
    at = press(at, "Find the smallest changes")
    assert any(line.startswith("If ") for line in read_text(at).splitlines())


def test_groups_are_compared_with_their_counts(open_app: Open, loan: TabularModel) -> None:
    at = finish_work(open_app(FAIRNESS, **QUICK))
    cells = loan.table.frame["group"].iloc[loan.test_rows]
    says = loan.predict(loan.table.take(loan.test_rows)).argmax(1) == 1
    for name in ("A", "B"):
        assert f"{name} ({(cells == name).sum()}): {percent(says[cells == name].mean())}" in read_text(at)
    assert "Whether it is unfair" in read_text(at) or "can well be chance" in read_text(at)
    assert "district" in read_text(at), "the planted proxy is named"


@pytest.mark.parametrize(
    ("view", "figures"), [("two", ["pair"]), ("counts", ["importance", "shap"]), ("together", ["together"])]
)
def test_every_view_of_the_model_in_general(open_app: Open, view: str, figures: list[str]) -> None:
    at = finish_work(open_app(GENERAL, table="iris", view=view, **QUICK))
    assert all(read_chart(at, figure)["data"] for figure in figures)


@pytest.mark.parametrize("learner", ["linear", "decision_tree", "explainable_boosting"])
def test_a_glass_box_is_shown_as_it_is(open_app: Open, learner: str) -> None:
    few = {"explainable_boosting_bags": "2", "explainable_boosting_bins": "16"}
    at = finish_work(open_app(GENERAL, table="iris", learner=learner, view="itself", **few))
    assert at.main.get("plotly_chart")
    assert not any("cannot be read directly" in caption.value for caption in at.caption)


def test_a_black_box_has_no_such_view(open_app: Open) -> None:
    at = finish_work(open_app(GENERAL, table="iris", view="itself", learner="nearest_neighbours"))
    options = at.main.get("button_group")[0].proto.options  # type: ignore[attr-defined]
    assert "The model itself" not in [option.content for option in options]
    assert read_chart(at, "importance"), "what counts most comes first"


def test_gradients_are_offered_for_torch_only(open_app: Open) -> None:
    torch = {"table": "iris", "learner": "torch_network", "torch_network_epochs": "5"}
    at = finish_work(open_app(ROW, **torch))
    assert all(read_chart(at, f"bars_{name}") for name in ("lime", "shap", "integrated_gradients", "deep_lift"))
    at = finish_work(open_app(ROW, table="iris", **QUICK))
    assert "has no gradients" in read_text(at)


def test_pages_about_tables_have_no_pictures_at_their_side(open_app: Open) -> None:
    at = check_page(open_app(DATA, sample="rocket"))
    assert not at.sidebar.selectbox and not at.sidebar.image
    at.switch_page("pages/start/home.py")
    check_page(at.run())
    assert at.sidebar.selectbox(key="sample").value == "rocket", "and what was chosen there is kept"
