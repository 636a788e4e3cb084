"""The rules of a counterfactual on the page: kept in the link, respected, suggested and never set silently."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.tables.page_reader import GENERAL, ROW, finish_work, press, read_chart, read_text
from xai_core.tabular.data.builtin import load_table
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.models.train import train

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]
QUICK = {"learner": "decision_tree"}


@pytest.fixture(scope="module")
def loan() -> TabularModel:
    return train(load_table("loan"), "decision_tree")


@pytest.fixture(scope="module")
def refused_row(loan: TabularModel) -> str:
    rows = loan.test_rows[loan.predict(loan.table.take(loan.test_rows)).argmax(1) == 0]
    return str(rows[0])


def find_key(at: AppTest, name: str) -> str:
    """Return the key of the widget that says how a feature may change."""
    return next(str(box.key) for box in at.main.selectbox if str(box.key).endswith(f"_kind_{name}"))


def test_rules_come_from_the_link_and_are_kept(open_app: Open, loan: TabularModel, refused_row: str) -> None:
    rules = {"age": "up", "income": [2000, 8000], "group": "locked"}
    at = finish_work(open_app(ROW, row=refused_row, rules=json.dumps(rules), **QUICK))
    assert [at.main.selectbox(key=find_key(at, name)).value for name in rules] == ["up", "range", "locked"]
    assert json.loads(at.query_params["rules"]) == rules
    at = press(at, "Find the smallest changes")
    changes = [line for line in read_text(at).splitlines() if line.startswith("If ")]
    own = loan.table.take([int(refused_row)]).iloc[0]
    for change in changes:
        assert "group were" not in change
        for new in re.findall(r"age were ([\d,]+)", change):
            assert int(new) > own["age"]
        for new in re.findall(r"income were ([\d,]+)", change):
            assert 2000 <= int(new.replace(",", "")) <= 8000
    at = finish_work(at.selectbox(key=find_key(at, "income")).set_value("up").run())
    assert json.loads(at.query_params["rules"]) == rules | {"income": "up"}
    box = next(box for box in at.main.multiselect if box.label == "Features that may not change freely")
    at = finish_work(box.set_value(["group"]).run())
    assert "rules" not in at.query_params, "the protected column is locked at first"


def test_growing_age_is_suggested_and_set_by_one_click(open_app: Open, refused_row: str) -> None:
    at = finish_work(open_app(ROW, row=refused_row, **QUICK))
    assert "age usually only grows, but here it may also fall." in read_text(at)
    at = press(at, "Let age only grow")
    assert json.loads(at.query_params["rules"]) == {"group": "locked", "age": "up"}
    assert "usually only grows" not in read_text(at)


def test_a_range_starts_with_all_values_and_a_wrong_one_is_said(open_app: Open, refused_row: str) -> None:
    at = finish_work(open_app(ROW, row=refused_row, rules='{"age":"up"}', **QUICK))
    column = load_table("loan").column("age")
    at = finish_work(at.selectbox(key=find_key(at, "age")).set_value("range").run())
    ends = {box.label: box for box in at.main.number_input if box.label in ("From", "To")}
    assert (ends["From"].value, ends["To"].value) == (column.low, column.high)
    at = finish_work(ends["From"].set_value(60).run())
    at = finish_work(next(box for box in at.main.number_input if box.label == "To").set_value(40).run())
    next(button for button in at.main.button if button.label == "Find the smallest changes").click()
    at = finish_work(at.run())
    assert "age may only lie between 60 and 40" in read_text(at)


@pytest.mark.parametrize(
    "rules", ["{", "[1]", '{"nobody":"up"}', '{"age":"sideways"}', '{"age":["x",3]}', '{"group":"up"}']
)
def test_rules_that_a_link_cannot_mean_fall_back(open_app: Open, refused_row: str, rules: str) -> None:
    at = finish_work(open_app(ROW, row=refused_row, rules=rules, **QUICK))
    assert next(box for box in at.main.multiselect if box.label == "Features that may not change freely").value == [
        "group"
    ]


def test_the_score_of_the_importance_is_said_and_can_be_chosen(open_app: Open) -> None:
    at = finish_work(open_app(GENERAL, table="iris", view="counts", **QUICK))
    assert "Accuracy is the share of right answers." in read_text(at)
    box = next(box for box in at.main.selectbox if box.label == "How to measure “worse”")
    at = finish_work(box.set_value("log_loss").run())
    assert (
        "rise of log loss" in json.dumps(read_chart(at, "importance")["layout"])
        and at.query_params["score"] == "log_loss"
    )
    assert "Log loss is how far the probabilities are" in read_text(at)
