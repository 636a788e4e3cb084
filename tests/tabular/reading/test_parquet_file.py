"""Parquet files: every type of column that a table can have, and files that are broken or larger than they look."""

from __future__ import annotations

import io
import math
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from xai_core.errors import InvalidTable
from xai_core.tabular.reading import cells, parquet_file
from xai_core.tabular.reading.read import read_table


def write_parquet(columns: dict[str, Any] | pa.Table, **more: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out, **more)
    return out.getvalue()


MIXED = {
    "int": [3, 1, None],
    "unsigned": pa.array([1, 2, 2**64 - 1], pa.uint64()),
    "float": [1.5, math.nan, math.inf],
    "half": pa.array([1, 2, 3], pa.float16()),
    "decimal": [Decimal("1.50"), None, Decimal("2.00")],
    "flag": [True, None, False],
    "date": [date(2024, 1, 31), None, date(1970, 1, 2)],
    "moment": pa.array([datetime(1970, 1, 2, 12), None, None], pa.timestamp("ns", tz="Asia/Tokyo")),
    "text": ["x", None, "NA"],
    "coded": pa.array(["u", "v", "u"]).dictionary_encode(),
    "large": pa.array(["u", " v ", "u"], pa.large_string()),
    "text of numbers": ["1.5", "2", ""],
    "text of dates": ["2024-01-31", "1970-01-02", ""],
    "zeros": [0, 1, 0],
}
nan = math.nan
EXPECTED: dict[str, tuple[str, list[Any]]] = {
    "int": ("numeric", [3, 1, nan]),
    "unsigned": ("category", ["1", "2", "18446744073709551615"]),
    "float": ("numeric", [1.5, nan, nan]),
    "half": ("numeric", [1, 2, 3]),
    "decimal": ("numeric", [1.5, nan, 2]),
    "flag": ("boolean", [1, nan, 0]),
    "date": ("date", [19753, nan, 1]),
    "moment": ("date", [1.5, nan, nan]),
    "text": ("category", ["x", nan, nan]),
    "coded": ("category", ["u", "v", "u"]),
    "large": ("category", ["u", "v", "u"]),
    "text of numbers": ("numeric", [1.5, 2, nan]),
    "text of dates": ("date", [19753, 1, nan]),
    "zeros": ("boolean", [0, 1, 0]),
}


@pytest.mark.parametrize("row_group_size", [1, 100])
def test_types(row_group_size: int) -> None:
    raw = read_table(write_parquet(MIXED, row_group_size=row_group_size))
    assert {column.name: column.kind for column in raw.columns} == {name: kind for name, (kind, _) in EXPECTED.items()}
    for name, (kind, values) in EXPECTED.items():
        expected = pd.Series(values, dtype=object if kind == "category" else float)
        pd.testing.assert_series_equal(raw.frame[name], expected, check_names=False)


def test_other_types_are_left_out_with_a_note() -> None:
    raw = read_table(
        write_parquet(
            {"a": [1, 2], "list": [[1], [2]], "bytes": [b"x", b"y"], "b": [1.5, 2], "pair": [{"x": 1}, {"x": 2}]}
        )
    )
    assert list(raw.frame.columns) == ["a", "b"]
    assert raw.notes[0].startswith("Left out, because their cells are neither numbers, dates nor text: 'list' (list")


def test_names_with_dots_and_the_index_of_pandas() -> None:
    out = io.BytesIO()
    frame = pd.DataFrame({"a": [1.0, 2], "a.b": [3.0, 4], "c": ["x", "y"]}, index=[7, 9])
    frame.to_parquet(out)
    assert b"pandas" in out.getvalue()
    raw = read_table(out.getvalue())
    assert raw.frame.to_dict("list") == {"a": [1, 2], "a.b": [3, 4], "c": ["x", "y"]}


def test_csv_and_parquet_of_the_same_rows_are_the_same_table() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "n": rng.normal(size=50).round(3),
            "k": rng.choice(["a", "b"], 50),
            "day": pd.date_range("2024-01-01", periods=50),
        }
    )
    frame.loc[3, "n"] = math.nan
    out = io.BytesIO()
    frame.to_parquet(out)
    from_csv, from_parquet = read_table(frame.to_csv(index=False).encode()), read_table(out.getvalue())
    pd.testing.assert_frame_equal(from_csv.frame, from_parquet.frame)
    assert from_csv.columns == from_parquet.columns
    assert from_csv.table("k").sha256 == from_parquet.table("k").sha256


DAMAGED = "Parquet file is damaged"
REFUSED = {
    "cut": (write_parquet(MIXED)[:-9], DAMAGED),
    "only the first bytes": (b"PAR1", DAMAGED),
    "noise": (b"PAR1" + np.random.default_rng(0).bytes(500) + b"PAR1", DAMAGED),
    "no rows": (write_parquet({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}), "no rows below"),
    "one column": (write_parquet({"a": [1, 2]}), "two columns or more"),
    "one that can be used": (write_parquet({"a": [1, 2], "b": [[1], [2]]}), "two columns or more"),
    "equal names": (write_parquet(pa.table([[1], [2]], names=["a", "a"])), "More than one column is called 'a'"),
    "a billion equal cells": (
        write_parquet({f"c{i}": pa.array(np.zeros(1_000_000, bool)) for i in range(201)}),
        "Unpacked this table is too large",
    ),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_words(data: bytes, message: str) -> None:
    with pytest.raises(InvalidTable, match=message) as caught:
        read_table(data)
    assert len(str(caught.value)) < 300


def test_changed_bytes_end_in_a_table_or_a_sentence() -> None:
    rng = np.random.default_rng(0)
    sound = write_parquet(MIXED)
    refused = 0
    for _ in range(200):
        data = bytearray(sound)
        for index in rng.integers(4, len(data) - 4, size=3):
            data[index] = rng.integers(256)
        try:
            assert len(read_table(bytes(data)).columns) >= 2
        except InvalidTable:
            refused += 1
    assert 100 < refused < 200


def test_of_many_rows_a_sample_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MAX_CELLS", 2000)
    monkeypatch.setattr(parquet_file, "BATCH_CELLS", 1000)
    raw = read_table(
        write_parquet({"n": np.arange(20_000.0) + 0.5, "k": [f"word {row % 10}" for row in range(20_000)]})
    )
    assert raw.rows == 1000 and "20,000 rows of 2 columns" in raw.notes[0]
    np.testing.assert_array_equal(raw.frame["k"], [f"word {int(n) % 10}" for n in raw.frame["n"]])
    assert abs(raw.frame["n"].mean() - 10_000) < 1000


def test_one_long_text_in_every_row_costs_little() -> None:
    """50 kB of file whose cells would be 20 GB: left out before they are compared, with a note."""
    text = pa.array(["x" * 1_000_000, "y"]).dictionary_encode().take(pa.array(np.arange(20_000) % 19 // 18))
    data = write_parquet({"text": text, "n": np.arange(20_000) % 7, "m": np.arange(20_000) % 5})
    assert len(data) < 100_000
    start = time.perf_counter()
    raw = read_table(data)
    assert time.perf_counter() - start < 5
    assert list(raw.frame.columns) == ["n", "m"]
    assert raw.notes[0] == "Left out, because it holds texts of more than 500 characters: 'text'."
