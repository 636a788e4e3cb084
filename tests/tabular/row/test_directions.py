"""Directions of features: what is allowed, what cannot be, and that no proposed change violates them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from tests.tabular.closed_form_models import build_model
from xai_core.errors import InvalidTable, UnknownName, XaiError
from xai_core.tabular.data.table import Table, table_from
from xai_core.tabular.models.table_model import TabularModel
from xai_core.tabular.row import counterfactual_search
from xai_core.tabular.row.counterfactual import counterfactuals
from xai_core.tabular.row.directions import Direction, suggest_rising

SCHOOLS = ("none", "primary", "secondary", "bachelor", "master", "doctorate")


def build_people(rows: int = 300) -> Table:
    """Return a table of people whose school is an ordered category."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 81, rows).astype(float),
            "income": np.round(rng.uniform(800, 6000, rows), 2),
            "school": rng.choice(np.array(SCHOOLS, dtype=object), rows),
            "colour": rng.choice(np.array(["red", "green", "blue"], dtype=object), rows),
            "owner": rng.integers(0, 2, rows).astype(float),
            "since": rng.integers(15_000, 20_000, rows).astype(float),
        }
    )
    frame["school"], frame["colour"] = frame["school"].astype(object), frame["colour"].astype(object)
    table = table_from(
        frame, rng.integers(0, 2, rows), classes=("no", "yes"), kinds={"owner": "boolean", "since": "date"}
    )
    columns = [
        replace(column, ordered=True, categories=SCHOOLS) if column.name == "school" else column
        for column in table.columns
    ]
    return replace(table, columns=tuple(columns))


PEOPLE = build_people()
ROW = {"age": 50, "income": 2000, "school": "secondary", "colour": "red", "owner": "no", "since": "2015-01-01"}


def build_person(**cells: Any) -> pd.DataFrame:
    return PEOPLE.row(ROW | cells)


def score_people(frame: pd.DataFrame) -> np.ndarray:
    """Return a chance that falls with age and rises with all others."""
    schools = frame["school"].map({name: k for k, name in enumerate(SCHOOLS)}).astype(float)
    points = (
        (50 - frame["age"]) / 20
        + (frame["income"] - 2000) / 2000
        + (schools - 2) / 2
        + (frame["colour"] == "blue")
        + frame["owner"]
        + (frame["since"] - 16_436) / 1000
    )
    return np.asarray(1 / (1 + np.exp(1.2 - points)), dtype=float)


@pytest.fixture(scope="module")
def people() -> TabularModel:
    return build_model(PEOPLE, score_people)


def encode(name: str, cell: Any) -> float:
    words = {"school": SCHOOLS, "colour": ("red", "green", "blue")}
    return float(words[name].index(cell)) if name in words else float(cell)


def read_changes(model: TabularModel, row: pd.DataFrame, directions: dict[str, Direction]) -> dict[str, list[Any]]:
    """Return all new values that the changes propose, by feature."""
    result = counterfactuals(model, row, 1, directions=directions, count=20)
    values: dict[str, list[Any]] = {}
    for change in result.changes:
        assert model.predict(change.row)[0].argmax() == 1
        for name, (_, new) in change.changed.items():
            values.setdefault(name, []).append(new)
    return values


def test_without_directions_somebody_becomes_younger_and_with_one_nobody_does(people: TabularModel) -> None:
    free = read_changes(people, build_person(), {})
    assert min(free["age"]) < 50
    directed = read_changes(people, build_person(), {"age": "up"})
    assert directed and "age" not in directed  # it would only make things worse
    turned = build_model(PEOPLE, lambda frame: (frame["age"] > 62).astype(float))
    assert set(map(float, read_changes(turned, build_person(), {"age": "up"})["age"])) == {63.0}
    assert read_changes(turned, build_person(), {"age": "down"}) == {}


@pytest.mark.parametrize(
    ("name", "direction", "allowed"),
    [
        ("income", "up", lambda new: new > 2000),
        ("income", (2500, 3000), lambda new: 2500 <= new <= 3000),
        ("income", (None, 2600), lambda new: new <= 2600),
        ("school", "up", lambda new: new in SCHOOLS[3:]),
        ("school", ("bachelor", "master"), lambda new: new in ("bachelor", "master")),
        ("since", "up", lambda new: new > 16_436),
        ("since", ("2016-01-01", date(2016, 12, 31)), lambda new: 16_801 <= new <= 17_166),
        ("owner", "up", lambda new: new == 1),
    ],
)
def test_a_direction_is_kept(people: TabularModel, name: str, direction: Direction, allowed: Any) -> None:
    others: dict[str, Direction] = dict.fromkeys(
        (feature for feature in PEOPLE.features if feature not in (name, "colour")), "locked"
    )
    values = read_changes(people, build_person(), {**others, name: direction})
    assert set(values) <= {name, "colour"} and values[name]
    assert all(allowed(new) for new in values[name])


def test_an_ordered_category_moves_as_few_steps_as_needed() -> None:
    schools = {name: k for k, name in enumerate(SCHOOLS)}
    model = build_model(PEOPLE, lambda frame: (frame["school"].map(schools).astype(float) >= 3).astype(float))
    (change, *_) = counterfactuals(model, build_person(school="none"), 1, directions={"school": "up"}).changes
    assert change.changed["school"] == ("none", "bachelor") and 0 < change.distance <= 1
    (free, *_) = counterfactuals(model, build_person(school="none", age=30), 1).changes
    assert free.changed["school"] == ("none", "bachelor")


def test_a_locked_feature_is_the_same_in_both_ways_of_saying_it(people: TabularModel) -> None:
    both = [
        counterfactuals(people, build_person(), 1, locked=["income"]),
        counterfactuals(people, build_person(), 1, directions={"income": "locked"}),
        counterfactuals(people, build_person(), 1, locked=["income"], directions={"income": "up"}),
    ]
    assert len({tuple(change.sentence for change in result.changes) for result in both}) == 1
    free = counterfactuals(people, build_person(), 1)
    assert free.changes[0].sentence == counterfactuals(people, build_person(), 1, directions={}).changes[0].sentence


def test_a_range_without_the_rows_own_value_lets_it_stay_or_move_into_it() -> None:
    model = build_model(PEOPLE, lambda frame: (frame["income"] > 2200).astype(float))
    values = read_changes(model, build_person(), {"income": (3000, 3100)})
    assert values["income"] and all(3000 <= new <= 3100 for new in values["income"])
    blue = build_model(PEOPLE, lambda frame: (frame["colour"] == "blue").astype(float))
    assert set(read_changes(blue, build_person(), {"income": (3000, 3100)})) == {"colour"}


def test_a_range_between_the_observed_values_has_its_ends() -> None:
    table = table_from(pd.DataFrame({"a": [0.0, 10.0] * 20, "b": [1.0, 2.0] * 20}), [0, 1] * 20, classes=("no", "yes"))
    model = build_model(table, lambda frame: ((frame["a"] > 3) & (frame["a"] < 8)).astype(float))
    assert counterfactuals(model, table.row({"a": 0, "b": 1}), 1).changes == ()
    (change, *_) = counterfactuals(model, table.row({"a": 0, "b": 1}), 1, directions={"a": (4, 6)}).changes
    assert change.changed == {"a": (0, 4)}


DRAWN = st.fixed_dictionaries(
    {},
    optional={
        "age": st.one_of(
            st.sampled_from(["locked", "up", "down"]), st.tuples(st.integers(18, 49), st.integers(50, 80))
        ),
        "income": st.one_of(
            st.sampled_from(["locked", "up", "down"]),
            st.tuples(st.none() | st.floats(800, 3000), st.none() | st.floats(3000, 6000)),
        ),
        "school": st.one_of(
            st.sampled_from(["locked", "up", "down"]),
            st.tuples(st.sampled_from(SCHOOLS[:3]), st.sampled_from(SCHOOLS[3:])),
        ),
        "colour": st.just("locked"),
        "owner": st.sampled_from(["locked", "up"]),
        "since": st.one_of(
            st.sampled_from(["locked", "up", "down"]),
            st.tuples(st.integers(15_500, 17_000), st.integers(17_000, 19_500)),
        ),
    },
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(directions=DRAWN, seed=st.integers(0, 99), age=st.integers(19, 79), income=st.floats(801, 5999))
def test_no_change_violates_a_direction(directions: dict[str, Any], seed: int, age: int, income: float) -> None:
    row = build_person(age=age, income=income)
    with pytest.MonkeyPatch.context() as patch:
        # Fewer rows are tried, for speed alone.
        patch.setattr(counterfactual_search, "BUDGET", 512)
        result = counterfactuals(build_model(PEOPLE, score_people), row, 1, directions=directions, seed=seed, count=8)
    for change in result.changes:
        assert set(change.changed) and score_people(change.row)[0] > 0.5
        for name, (old, new) in change.changed.items():
            direction = directions.get(name)
            before, after = encode(name, old), encode(name, new)
            assert direction != "locked"
            assert direction != "up" or after > before
            assert direction != "down" or after < before
            if isinstance(direction, tuple):
                low, high = (math.nan if end is None else encode(name, end) for end in direction)
                assert not after < low and not after > high
        for name in PEOPLE.features:
            assert name in change.changed or change.row[name].iloc[0] == row[name].iloc[0]


@pytest.mark.parametrize(
    ("cells", "directions", "words"),
    [
        ({"age": 80}, {"age": "up"}, "age may only rise, but this row has 80 and the highest in this table is 80"),
        ({"age": 18}, {"age": "down"}, "age may only fall, but this row has 18 and the lowest in this table is 18"),
        ({"age": None}, {"age": "up"}, "age may only rise, but it has no value in this row"),
        ({}, {"age": (60, 40)}, "age may only lie between 60 and 40, but the first of them is the higher one"),
        ({}, {"age": (200, 300)}, "age may only be between 200 and 300, but .* from 18 to 80"),
        ({}, {"age": (90, None)}, "age may only be at least 90, but"),
        ({}, {"age": (30.2, 30.8)}, "age may only be between .* none of them fits"),
        ({}, {"colour": "up"}, "colour may only rise, but its values have no order"),
        ({}, {"colour": ("red", "blue")}, "colour may only lie in a range, but its values have no order"),
        ({"school": "doctorate"}, {"school": "up"}, "school may only rise, but this row has doctorate"),
        ({}, {"school": ("master", "none")}, "between master and none, but the first"),
        ({}, {"since": ("2031-01-01", None)}, "since may only be at least 2031-01-01, but"),
        ({}, {"age": "sideways"}, "direction of age must be 'locked', 'up', 'down' or a pair"),
        ({}, {"age": (1, 2, 3)}, "direction of age must be"),
    ],
)
def test_what_cannot_be_kept_is_said_of_the_feature(
    people: TabularModel, cells: dict[str, Any], directions: dict[str, Any], words: str
) -> None:
    with pytest.raises(XaiError, match=words):
        counterfactuals(people, build_person(**cells), 1, directions=directions)


def test_unknown_names_and_ends_that_are_no_values_are_refused(people: TabularModel) -> None:
    with pytest.raises(UnknownName, match="Did you mean income"):
        counterfactuals(people, build_person(), 1, directions={"incom": "up"})
    with pytest.raises(InvalidTable, match="'age' needs a number"):
        counterfactuals(people, build_person(), 1, directions={"age": ("old", None)})
    with pytest.raises(InvalidTable, match="'school' has no value 'kindergarten'"):
        counterfactuals(people, build_person(), 1, directions={"school": ("kindergarten", None)})


def test_a_search_in_vain_names_what_was_not_free() -> None:
    model = build_model(PEOPLE, lambda frame: np.full(len(frame), 0.2))
    rules: dict[str, Direction] = {
        "age": "up",
        "colour": "locked",
        "income": (1500, None),
        "since": ("2015-01-01", "2016-01-01"),
    }
    note = counterfactuals(model, build_person(), 1, directions=rules).note
    expected = "with age only rising, income at least 1500, colour locked, since between 2015-01-01 and 2016-01-01"
    assert expected in note.replace("1,500", "1500").replace("1500.00", "1500") and "Allow more changes" in note
    assert (
        "Every feature is locked"
        in counterfactuals(model, build_person(), 1, directions=dict.fromkeys(PEOPLE.features, "locked")).note
    )


@pytest.mark.parametrize(
    ("name", "rises"),
    [("age", True), ("Age", True), ("Alter", True), ("age_years", True), ("customer age", True), ("Year built", True),
     ("Jahr", True), ("возраст", True), ("age2", True), ("PatientAge", True),
     ("wage", False), ("Stage", False), ("language", False), ("income", False), ("agent", False)],
)  # fmt: skip
def test_what_only_grows_is_known_by_its_name(name: str, rises: bool) -> None:
    table = table_from(pd.DataFrame({name: [1.0, 2.0], "other": [1.0, 2.0]}), [0.0, 1.0])
    assert suggest_rising(table) == ((name,) if rises else ())


def test_a_category_called_age_has_no_direction_unless_it_is_ordered() -> None:
    frame = pd.DataFrame({"age": ["young", "old"], "x": [1.0, 2.0]})
    assert suggest_rising(table_from(frame, [0.0, 1.0])) == ()
