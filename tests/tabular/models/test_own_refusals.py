"""Own models that would get something else than they were trained on are refused, or a note tells it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.tabular.models.own_files import (
    PIPELINES,
    TEXTS,
    check,
    customers,
    draw,
    encode_texts,
    linear,
    load,
    one_hot,
    refuse,
)
from xai_core import tabular
from xai_core.errors import InvalidTable, ModelUnavailable

pytestmark = pytest.mark.filterwarnings("ignore")


def test_numbers_made_outside_the_file() -> None:
    model = make_pipeline(make_column_transformer((one_hot(), ["plan"]), remainder="passthrough"), linear())
    own = check(customers(sex=draw(["Yes", "No"])), model, change=lambda rows: rows.assign(sex=rows["sex"] == "Yes"))
    assert "1 for 'Yes'" in own.notes[0] or "0 for 'No'" in own.notes[0]
    words = refuse(customers(), model, change=lambda rows: rows.assign(sex=rows["sex"] == "Male"))
    assert "'sex' holds text such as" in words
    days = customers(bill=draw(["2024-01-31", "2024-03-01"]))
    words = refuse(
        days, PIPELINES["names"](), change=lambda rows: rows.assign(bill=pd.to_datetime(rows["bill"]).dt.day)
    )
    assert "'bill' holds dates such as '2024" in words
    shares = customers(bill=draw(["3%", "12%", "7%"]))
    words = refuse(
        shares, PIPELINES["names"](), change=lambda rows: rows.assign(bill=rows["bill"].str[:-1].astype(float))
    )
    assert "'bill' holds percentages such as" in words


def test_values_that_the_model_never_met() -> None:
    def replace_unknown(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(plan=rows["plan"].replace("?", "One year"))

    csv, expected = customers(), (draw(["One year", "Two years", "?"], 3) == "?").sum()
    own, _ = load(csv, PIPELINES["names"](), change=replace_unknown)
    assert f"{expected} rows of 'plan' hold values that your model never met: '?'" in own.notes[0]
    words = refuse(csv, PIPELINES["unknown is an error"](), change=replace_unknown)
    assert f"In {expected} rows 'plan'" in words and "'?'" in words
    words = refuse(csv, PIPELINES["names"](), change=lambda rows: rows.assign(plan="my " + rows["plan"]))
    assert "knows other values of 'plan'" in words and "'my One year'" in words


def test_two_spellings_that_are_one_value_here() -> None:
    words = refuse(customers(sex=draw(["yes", "Yes", "no"])), PIPELINES["names"]())
    assert "'Yes' and 'yes' apart in 'sex'" in words


def test_values_of_no_row() -> None:
    days = np.array([f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 11)], dtype=object)
    own = check(customers(bill=days), make_pipeline(make_column_transformer((one_hot(), ["bill", *TEXTS])), linear()))
    with pytest.raises(InvalidTable, match=r"'bill': no row of the file has that value.*kind of this column"):
        tabular.partial_dependence(own, "bill", grid=7)
    assert np.isfinite(tabular.partial_dependence(own, "plan").average).all()


def test_columns_made_by_pandas() -> None:
    words = refuse(customers(), linear(), change=pd.get_dummies)
    assert "The table lacks 'sex_Female', 'sex_Male'" in words and "come from pandas.get_dummies" in words


def test_tables_of_other_spelling_are_other_tables() -> None:
    spellings = [customers(sex=draw([yes, "no"])) for yes in ("yes", "Yes", "yes")]
    ids = [tabular.keep_table(tabular.read_table(csv.encode()).table("left")) for csv in spellings]
    assert ids[0] == ids[2] != ids[1]


def test_empty_cells_that_the_model_cannot_take() -> None:
    csv = customers(bill=draw(["1.5", "2.5", ""]))
    frame = pd.read_csv(io.StringIO(csv)).dropna()
    model = PIPELINES["names"]().fit(frame.iloc[:, :-1], frame["left"])
    table = tabular.read_table(csv.encode()).table("left")
    with pytest.raises(ModelUnavailable, match=r"cannot take empty cells, and there are some in 'bill' \(\d+ rows\)"):
        tabular.load_own_model(skops.io.dumps(model), table)


def double(cells: Any) -> Any:
    return cells


@pytest.mark.parametrize(
    ("model", "encode", "words"),
    [
        (make_pipeline(encode_texts(), KMeans(2)), None, "KMeans predicts no target"),
        (make_pipeline(encode_texts(), IsolationForest(n_estimators=2)), None, "IsolationForest predicts no target"),
        (make_pipeline(encode_texts(), MultiOutputClassifier(linear())), 2, "several targets"),
        (make_pipeline(encode_texts(), RandomForestClassifier(2)), 2, "several targets"),
        (
            make_pipeline(make_column_transformer((FunctionTransformer(double), ["bill"])), linear()),
            None,
            r"double.*FunctionTransformer\(np\.log1p\)",
        ),
    ],
    ids=["clusters", "odd rows", "several targets", "forest of several", "function"],
)
def test_other_purposes(model: Any, encode: int | None, words: str) -> None:
    with pytest.raises(ModelUnavailable, match=words):
        load(customers(), model, encode=lambda y: np.column_stack([y, y]) if encode else y)
