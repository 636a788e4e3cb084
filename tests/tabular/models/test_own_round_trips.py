"""Round trips: pandas.read_csv and a pipeline give the same as the same file and the saved pipeline do here."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from tests.tabular.models.own_files import (
    PIPELINES,
    ROWS,
    TEXTS,
    check,
    customers,
    draw,
    encode_texts,
    fill,
    linear,
    load,
    one_hot,
    refuse,
    write_csv,
)
from xai_core import tabular
from xai_core.errors import ModelUnavailable

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines(name: str) -> None:
    own = check(customers(), PIPELINES[name]())
    assert len(own.notes) == 1, "nothing had to be guessed"


@pytest.mark.parametrize(
    "name", ["names", "imputers", "constant", "one after the other", "ordinal", "boosting by name"]
)
def test_empty_cells(name: str) -> None:
    check(customers(plan=draw(["One year", "Two years", "", "NA", "None"])), PIPELINES[name]())


def test_boosting_of_categories() -> None:
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype")
    check(customers(), model, change=lambda rows: rows.astype(dict.fromkeys(TEXTS, "category")))
    numbers = write_csv({"code": draw(["1", "2", "7"], 1), "n": np.arange(ROWS) % 9, "y": draw(["p", "q"], 2)})
    check(numbers, HistGradientBoostingClassifier(max_iter=3, categorical_features=["code"]))


# Spellings of one column, by the encoder that reads them.


SPELLINGS = {
    "answers": ["Yes", "No"],
    "letters": ["y", "n"],
    "truth": ["True", "False"],
    "capitals": ["TRUE", "FALSE"],
    "truth with gaps": ["True", "False", ""],
    "bits": ["0", "1"],
    "question mark": ["a", "b", "?"],
    "dash": ["a", "b", "-"],
    "the word none": ["a", "b", "none"],
    "leading zeros": ["001", "02", "010"],
    "whole numbers with gaps": ["1", "2", "3", ""],
    "fractions": ["1.5", "2.5", "3.25"],
    "blanks": [" a", " b", "c "],
    "days": ["2024-01-31", "2024-02-01"],
    "days of Germany": ["31.01.2024", "01.02.2024"],
    "digits of days": ["20240131", "20240201"],
    "days of America": ["01/31/2024", "02/28/2024"],
    "thousands": ['"1,000"', '"2,500"'],
    "money": ["$5", "$6"],
    "percent": ["5%", "12%"],
    "long ids": ["1577134800018226901", "1577134800018226905"],
    "years": ["2019", "2021"],
    "quotes": ['"a,b"', '"c""d"'],
    "letters of the world": ["é", "ß", "漢"],
    "numbers and a word": ["1", "2", "abc"],
    "unlike numbers": ["1.0", "1", "+2", "1e1"],
}


@pytest.mark.parametrize("as_text", [False, True], ids=["default", "dtype=str"])
@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_for_an_encoder(name: str, as_text: bool) -> None:
    numbers = np.random.default_rng(0).integers(0, 50, ROWS)
    csv = write_csv({"x": draw(SPELLINGS[name]), "n": numbers, "out": draw(["p", "q"], 1)})
    model = make_pipeline(make_column_transformer((one_hot(), ["x"]), remainder="passthrough"), linear())
    options = {"dtype": {"x": str}} if as_text else {}
    if as_text and name == "unlike numbers":
        assert "'1' and '1.0' apart in 'x'" in refuse(csv, model, options=options)
    else:
        check(csv, model, options=options)


@pytest.mark.parametrize("name", ["truth", "bits", "leading zeros", "whole numbers with gaps", "fractions", "years"])
def test_spellings_for_numbers(name: str) -> None:
    csv = write_csv({"x": draw(SPELLINGS[name]), "n": np.arange(ROWS) % 7, "out": draw(["p", "q"], 1)})
    check(csv, make_pipeline(fill("mean"), linear()))


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (["1,5", "20,25", "3,125"], {"sep": ";", "decimal": ","}),
        (["704", "1.199", "2.000"], {"sep": ";", "decimal": ",", "thousands": "."}),
        (['"1,500"', '"20,250"', "7"], {"thousands": ","}),
        (["5", "?", "7"], {"na_values": "?"}),
    ],
    ids=["decimal commas", "dots between thousands", "commas between thousands", "word for no value"],
)
def test_options_of_pandas(cells: list[str], options: dict[str, Any]) -> None:
    halves = draw(["0,5", "1,25"] if "decimal" in options else ["0.5", "1.25"], 2)
    csv = write_csv({"x": draw(cells), "halves": halves, "y": draw(["p", "q"], 1)}, options.get("sep", ","))
    check(csv, make_pipeline(fill("mean"), StandardScaler(), linear()), options=options)


@pytest.mark.parametrize("options", [{}, {"skipinitialspace": True}, {"skipinitialspace": True, "na_values": "?"}])
def test_blanks_behind_commas(options: dict[str, Any]) -> None:
    csv = customers().replace(",", ", ")
    texts = [name if options else f" {name}".removeprefix(" sex").strip("\n") or "sex" for name in TEXTS]
    model = make_pipeline(
        make_column_transformer((make_pipeline(fill(), OneHotEncoder()), texts), remainder="passthrough"), linear()
    )
    check(csv, model, options=options)


def test_columns_without_a_name_and_of_one_value() -> None:
    plain = pd.read_csv(io.StringIO(customers()))
    csv = plain.assign(left=plain.pop("left")).to_csv()
    frame = pd.read_csv(io.StringIO(csv))
    model = make_pipeline(encode_texts(), linear()).fit(frame.iloc[:, :-1], frame["left"])
    table = tabular.read_table(csv.encode()).table("left", ["column 1", *plain.columns[:4]])
    own = tabular.load_own_model(skops.io.dumps(model), table)
    np.testing.assert_allclose(own.predict(table.frame), model.predict_proba(frame.iloc[:, :-1]), atol=1e-9)
    same = customers().replace("sex,", "land,sex,").replace("\nMale", "\nDE,Male").replace("\nFemale", "\nDE,Female")
    own = check(same, make_pipeline(make_column_transformer((one_hot(), ["land", *TEXTS])), linear()))
    assert "same in every row: 'land'" in own.notes[0]


def test_arrays_without_names() -> None:
    model = make_pipeline(make_column_transformer((one_hot(), [0, 1]), remainder="passthrough"), linear())
    check(customers(), model, as_array=True)


# Outcomes


@pytest.mark.parametrize(
    "words",
    [
        ("No", "Yes"),
        ("False", "True"),
        ("n", "y"),
        ("0", "1"),
        ("0.0", "1.0"),
        (" <=50K", " >50K"),
        ("3", "4", "5"),
        ("3.0", "4.0", "5.0"),
        ("1000", "2000", "3000"),
        ('"1,000"', '"2,000"', '"3,000"'),
        ("-1", "0", "1"),
        ("001", "002", "003"),
        ("2", "10", "1"),
        ("b", "a", "C"),
    ],
)
@pytest.mark.parametrize(
    "encode", [lambda target: target, LabelEncoder().fit_transform], ids=["as they are", "encoded"]
)
def test_outcomes(words: tuple[str, ...], encode: Callable[[Any], Any]) -> None:
    size = np.random.default_rng(0).integers(0, 90, ROWS)
    answers = np.array(words, dtype=object)[(size * len(words) // 90)]
    csv = write_csv({"size": size, "other": size[::-1], "out": answers})
    own = check(csv, linear(), encode=encode, task="classification")
    assert len(own.table.classes) == len(words)
    # The class itself must be right, too, not only the set of numbers.
    assert (own.predict_labels(own.table.frame) == own.table.target).mean() > 0.8


@pytest.mark.parametrize(
    "encode", [lambda y: y == "Yes", lambda y: (y == "Yes").astype(float), lambda y: y.str.upper()]
)
def test_outcomes_in_other_words(encode: Callable[[Any], Any]) -> None:
    assert check(customers(), PIPELINES["names"](), encode=encode).class_order == (0, 1)


def test_outcomes_that_do_not_fit() -> None:
    model = PIPELINES["names"]
    good = customers(left=draw(["good", "bad"]))
    assert "which of them True stands for" in refuse(good, model(), encode=lambda y: y == "good")
    assert "rose" in refuse(customers(), model(), encode=lambda y: y.map({"Yes": "rose", "No": "tulip"}))
    both = customers(left=draw(["yes", "Yes", "no"]))
    assert "'yes' apart; here they are one" in refuse(both, model()).replace("'Yes' and 'yes'", "'yes'")


# Regressions


@pytest.mark.parametrize(
    "model",
    [
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
        TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
        Ridge(),
    ],
    ids=["log1p", "scaled", "plain"],
)
def test_regressions(model: Any) -> None:
    csv = customers(left=np.random.default_rng(5).random(ROWS).round(4) * 1000)
    check(csv, make_pipeline(encode_texts(), model))


def test_several_values_of_a_regression() -> None:
    csv = customers(left=np.arange(ROWS) + 0.5)
    model = make_pipeline(encode_texts(), LinearRegression())
    with pytest.raises(ModelUnavailable, match="several targets"):
        load(csv, model, encode=lambda y: np.column_stack([y, y]))
