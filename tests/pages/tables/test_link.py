"""The link of a table page gives the same view to others, and what it cannot mean falls back."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.pages.page_reader import check_page
from tests.pages.tables.page_reader import DATA, GENERAL, ROW, finish_work, read_chart, read_text
from xai_core.tabular import load_table

Open = Callable[..., AppTest]
TREE = {"table": "iris", "learner": "decision_tree"}


def test_settings_travel_in_the_link(open_app: Open) -> None:
    at = finish_work(open_app(GENERAL, view="one", **TREE))
    box = next(box for box in at.main.selectbox if box.label == "Feature")
    at = finish_work(box.set_value("petal width (cm)").run())
    at = finish_work(
        next(box for box in at.main.selectbox if box.label == "Which outcome to ask about").set_value(0).run()
    )
    assert at.query_params == TREE | {"view": "one", "feature": "petal width (cm)", "outcome": "setosa"}
    again = finish_work(open_app(GENERAL, **at.query_params))
    assert [box.value for box in again.main.selectbox] == [box.value for box in at.main.selectbox]


def test_what_a_link_cannot_mean_falls_back(open_app: Open) -> None:
    at = finish_work(
        open_app(GENERAL, table="nothing", learner="none", feature="nobody", outcome="none", view="none", colour="x")
    )
    assert read_chart(at, "importance")
    at = finish_work(open_app(GENERAL, feature="nobody", colour="x", view="one"))
    assert next(box for box in at.main.selectbox if box.label == "Feature").value in load_table("loan").features
    at = finish_work(open_app(ROW, row="999999", **TREE))
    assert at.number_input[0].value < 150
    at = finish_work(open_app(ROW, row="7", **TREE))
    assert at.number_input[0].value == 7


def test_another_table_has_its_own_choices(open_app: Open) -> None:
    at = check_page(open_app(DATA, table="iris"))
    assert at.main.metric[0].value == "150"
    at = check_page(at.main.selectbox(key="table").set_value("diabetes").run())
    assert at.main.metric[0].value == "442"
    assert "progression" in read_text(at)
    assert at.query_params["table"] == "diabetes"
