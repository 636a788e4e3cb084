"""Own files: the columns read from them, the notes about them, and the sentence that refuses each malformed one."""

from __future__ import annotations

import csv
import io
import math
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from xai_core.errors import InvalidTable
from xai_core.tabular.data.raw_table import RawTable
from xai_core.tabular.reading import cells as cells_module, read as read_module
from xai_core.tabular.reading.read import read_table
from xai_core.tabular.reading.row_sample import RowSample

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


def count_days(*moment: int) -> float:
    return (datetime(*moment, tzinfo=timezone.utc) - LONG_AGO).total_seconds() / 86_400


def read_column(cells: list[str], delimiter: str = ",") -> tuple[RawTable, pd.Series]:
    """Read a file with these cells in one column, beside a column that is always fine."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(
        [["x", "beside"], *([cell, f"w{row % 3}"] for row, cell in enumerate(cells))]
    )
    raw = read_table(out.getvalue().encode())
    return raw, raw.frame["x"]


# Files that are read

PLAIN = "größe,colour,ok,day\n" + "".join(
    f"{row / 4},{'red' if row % 3 else 'blue'},{'yes' if row % 2 else 'no'},2024-01-{row % 28 + 1:02d}\n"
    for row in range(30)
)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_delimiters_and_line_ends_read_the_same(encoding: str, delimiter: str, newline: str) -> None:
    raw = read_table(PLAIN.replace("\n", newline).replace(",", delimiter).encode(encoding))
    assert [(c.name, c.kind) for c in raw.columns] == [
        ("größe", "numeric"),
        ("colour", "category"),
        ("ok", "boolean"),
        ("day", "date"),
    ]
    assert raw.frame["größe"].tolist() == [row / 4 for row in range(30)]
    assert raw.frame["colour"].tolist() == ["red" if row % 3 else "blue" for row in range(30)]
    assert raw.frame["ok"].tolist() == [row % 2 for row in range(30)]
    assert raw.frame["day"].tolist() == [count_days(2024, 1, row % 28 + 1) for row in range(30)]
    assert [str(kind) for kind in raw.frame.dtypes] == ["float64", "object", "float64", "float64"]
    assert (raw.rows, raw.notes, raw.default_exclusions) == (30, (), ())


@pytest.mark.parametrize(
    ("cells", "delimiter", "kind", "values"),
    [
        (["1", " -2 ", "+3.5", "1e3", ".5", "7."], ",", "numeric", [1, -2, 3.5, 1000, 0.5, 7]),
        (["1,5", "-2", "1.234,25", "1e3"], ";", "numeric", [1.5, -2, 1234.25, 1000]),
        (["1.5", "1.234", "2"], ";", "numeric", [1.5, 1.234, 2]),
        (["1,234", "5,678.5", "12"], ",", "numeric", [1234, 5678.5, 12]),
        (["0", "1", "", "1"], ",", "boolean", [0, 1, math.nan, 1]),
        (["TRUE", "false", "True"], ",", "boolean", [1, 0, 1]),
        (["Y", "n", "NA"], ",", "boolean", [1, 0, math.nan]),
        (["true", "true", "?"], ",", "boolean", [1, 1, math.nan]),
        (["f", "f", "f"], ",", "category", ["f", "f", "f"]),
        (["0", "0", "2"], ",", "numeric", [0, 0, 2]),
        (["00123", "01234", "99999"], ",", "category", ["00123", "01234", "99999"]),
        (["None", "a", "-", "n/a"], ",", "category", ["None", "a", "-", math.nan]),
        (["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0"], ",", "category", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0"]),
        (["<b>", "a\nb", 'say "hi"'], ",", "category", ["<b>", "a\nb", 'say "hi"']),
        (["２", "٣", "1_000"], ",", "category", ["２", "٣", "1_000"]),
        (["-0", "0.0", "3"], ",", "numeric", [0, 0, 3]),
    ],
)
def test_kinds_of_columns(cells: list[str], delimiter: str, kind: str, values: list[float | str]) -> None:
    raw, read = read_column(cells, delimiter)
    assert raw.column("x").kind == kind
    pd.testing.assert_series_equal(read, pd.Series(values, dtype=read.dtype), check_names=False)
    assert raw.column("x").missing == sum(value != value for value in values)


@pytest.mark.parametrize(
    ("cells", "moments"),
    [
        (["2024-01-31", "2024-02", "1969-12-31"], [(2024, 1, 31), (2024, 2, 1), (1969, 12, 31)]),
        (["2024-01-31T10:00", "2024-01-31 10:00:30Z"], [(2024, 1, 31, 10), (2024, 1, 31, 10, 0, 30)]),
        (["2024-01-31T10:00:00+02:00", "2024-01-31"], [(2024, 1, 31, 8), (2024, 1, 31)]),
        (["20240131", "19991231"], [(2024, 1, 31), (1999, 12, 31)]),
        (["0024-01-07", "9999-12-31"], [(24, 1, 7), (9999, 12, 31)]),
        (["2024/1/31", "2024/12/01"], [(2024, 1, 31), (2024, 12, 1)]),
        (["31.1.2024", "01.12.2024"], [(2024, 1, 31), (2024, 12, 1)]),
        (["31/01/2024", "01/02/2024"], [(2024, 1, 31), (2024, 2, 1)]),
        (["01/31/2024", "01/02/2024"], [(2024, 1, 31), (2024, 1, 2)]),
    ],
)
def test_forms_of_dates(cells: list[str], moments: list[tuple[int, ...]]) -> None:
    raw, read = read_column([*cells, ""])
    assert raw.column("x").kind == "date"
    np.testing.assert_allclose(read, [*(count_days(*moment) for moment in moments), math.nan], atol=1e-9)


def test_dates_that_start_with_the_day_or_the_month_stay_text() -> None:
    raw, read = read_column(["01/02/2024", "03/04/2024"])
    assert read.tolist() == ["01/02/2024", "03/04/2024"]
    assert "'x' is kept as text: its dates could start with the day or with the month" in raw.notes[0]


@pytest.mark.parametrize(
    ("cells", "kind", "note"),
    [
        (
            ["oops", *"123456789" * 3],
            "numeric",
            "Column 'x' holds numbers; 1 cell ('oops') is not, and counted as missing.",
        ),
        (
            ["inf", "1e999", *"123456789" * 5],
            "numeric",
            "Column 'x' holds numbers; 2 cells ('inf', '1e999') are not, and counted as missing.",
        ),
        (
            ["2024-02-31", *["2024-01-01", "2024-01-02"] * 10],
            "date",
            "Column 'x' holds dates; 1 cell ('2024-02-31') is not",
        ),
        (
            ["low", "high", *"1234"],
            "category",
            "Column 'x' mixes numbers and words, so its values were taken for categories; 2 cells",
        ),
    ],
)
def test_cells_unlike_the_others_are_in_a_note(cells: list[str], kind: str, note: str) -> None:
    raw, read = read_column(cells)
    assert raw.column("x").kind == kind
    assert raw.notes[0].startswith(note)
    assert read.isna().sum() == (
        0 if kind == "category" else sum(not cell[:1].isdigit() or "e" in cell or "31" in cell for cell in cells)
    )


def test_how_commas_were_read_is_in_a_note() -> None:
    assert read_column(["1,5", "2"], ";")[0].notes == ("The comma was read as the decimal mark in 'x'.",)
    assert read_column(["1,500", "2"])[0].notes == ("The comma was read as a mark between thousands in 'x'.",)


def test_notes_stay_few_however_many_columns_are_odd() -> None:
    rows = [[f"c{i}" for i in range(40)], *([["oops"] * 40] + [[str(row)] * 40 for row in (1, 3, 2) * 10])]
    notes = read_table("\n".join(map(",".join, rows)).encode()).notes
    assert len(notes) == 12 and notes[10] == "And 30 columns more with notes like these."


def test_a_quote_inside_an_unquoted_cell_is_text() -> None:
    raw = read_table(b'size,n\n5" pipe,1\n3" pipe,2\n5" pipe,4\n')
    assert raw.frame["size"].tolist() == ['5" pipe', '3" pipe', '5" pipe']


def test_empty_columns_are_left_out_and_unnamed_ones_get_a_name() -> None:
    raw = read_table(b",a,nothing,b\n0,x,,5\n1,y,NA,7\n2,x,?,6\n")
    assert list(raw.frame.columns) == ["column 1", "a", "b"]
    assert raw.notes == (
        "Columns without a name are called 'column 1'.",
        "Left out, because there is no value in any row: 'nothing'.",
    )


def test_some_ragged_rows_are_left_out_and_counted() -> None:
    raw = read_table(b"a,b\n" + b"1,x\n2,y\n" * 20 + b"3\n4,5,6\n" + b"\n7,z\n")
    assert raw.notes[0] == "2 of 43 rows had too many or too few cells and were left out."
    assert raw.frame["a"].tolist() == [1, 2] * 20 + [7]


def test_excels_own_first_line_names_the_mark() -> None:
    assert read_table(b"sep=;\r\na;b\r\n1,5;x\r\n2;y\r\n").frame["a"].tolist() == [1.5, 2]


def test_header_of_years_is_a_header() -> None:
    assert list(read_table(b"country,2019,2020\nx,1,2\ny,3,5\n").frame.columns) == ["country", "2019", "2020"]


@pytest.mark.parametrize("wrap", [lambda path: path, str, lambda path: path.read_bytes(), lambda path: path.open("rb")])
def test_sources(tmp_path: Path, wrap: object) -> None:
    path = tmp_path / "my table.csv"
    path.write_text(PLAIN, encoding="utf-8")
    source = wrap(path)  # type: ignore[operator]
    raw = read_table(source)
    assert raw.rows == 30
    assert raw.name == ("table" if isinstance(source, bytes) else "my table.csv")
    assert read_table(path, "a\n<b>").name == "a <b>"
    assert raw.sha256 == read_table(path).sha256 != read_table(PLAIN.replace("red", "rot").encode()).sha256


def test_a_file_read_before_is_read_from_its_start() -> None:
    file = io.BytesIO(PLAIN.encode())
    file.read()
    assert read_table(file).rows == 30


# Files that are refused

NO_NAMES = "The first line must name the columns"
NOT_TEXT = "cannot be read as text"
REFUSED = {
    "nothing": (b"", "This file is empty"),
    "blank lines": (b"\r\n  \n\n", "This file is empty"),
    "byte order mark": (b"\xef\xbb\xbf", "This file is empty"),
    "only a header": (b"a,b\n", "no rows below"),
    "only a header, no line end": (b"a,b", "no rows below"),
    "one column": (
        b"a\n1\n2\n",
        "two columns or more, parted by comma, semicolon, tab, vertical line. Got one column: 'a'",
    ),
    "another delimiter": (b"a^b\n1^2\n", "Got one column: 'a\\^b'"),
    "no header": (b"5.1,3.5,setosa\n4.9,3.0,setosa\n", f"{NO_NAMES}. Got values: '5.1, 3.5, setosa'"),
    "no header, whole numbers": (b"5,1\n3,2\n4,4\n", NO_NAMES),
    "no header, words": (b"p,x,s\nx,p,s\np,x,n\nx,p,n\np,x,s\n", NO_NAMES),
    "no header, dates": (b"2024-01-01,x\n2024-01-02,y\n", NO_NAMES),
    "no names": (b",\n1,2\n3,4\n", NO_NAMES),
    "long name": (b"a," + b"n" * 300 + b"\n1,2\n", "200 characters. Got one of 300"),
    "10,000 columns": (
        b",".join(b"c%d" % i for i in range(10_000)) + b"\n" + b",".join([b"1"] * 10_000) + b"\n",
        "2,000 columns",
    ),
    "zeros at the end": (b"a,b\n1,2\n\x00\x00", NOT_TEXT),
    "zeros inside": (b"a,b\n1,\x002\n" * 5, NOT_TEXT),
    "all bytes": (bytes(range(256)) * 20, NOT_TEXT),
    "noise": (np.random.default_rng(0).bytes(5000), NOT_TEXT),
    "half of UTF-16": ("a,b\n1,2\n".encode("utf-16")[:-1], NOT_TEXT),
    "Excel": (b"PK\x03\x04 and so on", "Excel or zip file"),
    "gzip": (b"\x1f\x8b\x08 and so on", "gzip"),
    "picture": (b"\x89PNG\r\n", "This is a picture"),
    "pickle": (b"\x80\x04\x95 and so on", "This is a pickle"),
    "ragged": (b"a,b\n1,2\n3\n4,5,6\n7,8\n", "as many cells as the first line has names, 2. Got 2"),
    "ragged and long": (b"a,b\n" + b"1\n" * 20_000, "Got 10,001 or more rows that do not, the first with 1"),
    "open quote": (b'a,b\n1,2\n3,"x\n' + b"4,5\n" * 30, r"A quotation mark \(\"\) is opened and never closed"),
    "open quote, early": (b'a,b\n1,2\n"3,x\n' + b"4,5\n" * 30, "is opened and never closed"),
    "open quote, long": (b'a,b\n1,2\n3,"x\n' + b"4,5\n" * 500_000, "is opened and never closed"),
    "huge line": (b"x" * 3_000_000, "The first line is longer than 256 kB"),
    "huge cell": (b"a,b\n1," + b"x" * 3_000_000 + b"\n", "A row has more than 1024 kB"),
    "one column with values": (
        b"a,b\n1,\n2,\n3,\n",
        "Two columns with values are needed, a target and a feature. Got 1",
    ),
    "JSON": (b'[{"a": 1, "b": 2}]', "no rows below"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_in_words(data: bytes, message: str) -> None:
    start = time.perf_counter()
    with pytest.raises(InvalidTable, match=message) as caught:
        read_table(data)
    text = str(caught.value)
    assert text[0].isupper() and text.endswith(".") and len(text) < 300 and "\n" not in text
    assert time.perf_counter() - start < 5


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable, match=r"'gone.csv' cannot be opened") as caught:
        read_table(tmp_path / "gone.csv")
    assert str(tmp_path) not in str(caught.value)


def test_too_many_bytes_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        bytes_read = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0
            self.bytes_read += size
            return b"a" * size

    monkeypatch.setattr(read_module, "MAX_BYTES", 3 * 1024**2)
    source = Endless()
    with pytest.raises(InvalidTable, match="larger than 3 MB"):
        read_table(source)  # type: ignore[arg-type]
    assert source.bytes_read == 3 * 1024**2 + 1
    with pytest.raises(InvalidTable, match="larger than 3 MB"):
        read_table(b"a" * (3 * 1024**2 + 1))


def test_broken_files_end_in_a_table_or_a_sentence() -> None:
    """200 times a sound file with a few bytes changed, cut, doubled or moved."""
    rng = np.random.default_rng(0)
    sound = PLAIN.encode()
    refused = 0
    for _ in range(200):
        data = bytearray(sound)
        for index in rng.integers(len(data), size=rng.integers(1, 6)):
            data[index] = (
                rng.choice(np.frombuffer(b'"\n\r,;\t\x00\xff=0a\xc3', np.uint8))
                if rng.random() < 0.7
                else rng.integers(256)
            )
        start, stop = np.sort(rng.integers(len(data), size=2))
        data = data[:start] + data[stop:] if rng.random() < 0.2 else data
        try:
            raw = read_table(bytes(data))
            assert raw.rows == len(raw.frame) and len(raw.columns) == raw.frame.shape[1] >= 2
        except InvalidTable:
            refused += 1
    assert 20 < refused < 190


# More than two million cells


def test_of_a_large_file_a_fair_sample_is_kept_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MAX_CELLS", 20_000)
    rows = 150_000
    data = ("n,kind\n" + "".join(f"{row}.5,{'a' if row % 4 else 'b'}\n" for row in range(rows))).encode()
    assert len(data) > 2**20, "more than one block"
    raw = read_table(data)
    numbers = raw.frame["n"].to_numpy()
    assert raw.rows == 10_000 and np.all(np.diff(numbers) > 0), "in the order of the file"
    assert "150,000 rows of 2 columns" in raw.notes[0] and "10,000 rows were drawn at random" in raw.notes[0]
    counts = np.bincount((numbers // (rows / 10)).astype(int), minlength=10)
    assert np.abs(counts - 1000).max() < 5 * math.sqrt(1000)
    assert abs((raw.frame["kind"] == "a").mean() - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 10_000)
    pd.testing.assert_frame_equal(read_table(data).frame, raw.frame)


def test_the_limit_is_two_million_cells() -> None:
    assert cells_module.max_rows(20) == 100_000
    rows = b"".join(b"%d,%d,x,y,0.5,7,8,9\n" % (row, row % 7) for row in range(250_001))
    raw = read_table(b"a,b,c,d,e,f,g,h\n" + rows)
    assert raw.rows == 250_000 and "250,001 rows of 8 columns, more than 2,000,000 cells" in raw.notes[0]


def test_sample_never_holds_much_more_than_it_keeps() -> None:
    sample = RowSample(size=100)
    max_rows = 0
    for start in range(0, 20_000, 50):
        sample.add(pa.record_batch({"row": pa.array(np.arange(start, start + 50))}))
        max_rows = max(max_rows, sum(map(len, sample._keys)))
    rows = sample.to_table(pa.schema([("row", pa.int64())]))["row"].to_numpy()
    assert len(rows) == len(set(rows)) == 100 and max_rows <= 2 * 100 + 50
    assert list(rows) == sorted(rows) and rows[0] < 2000 and rows[-1] > 18_000


def test_a_sample_that_outgrows_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xai_core.tabular.reading.row_sample.MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InvalidTable, match="columns of long text"):
        RowSample(size=100).add(pa.record_batch({"text": pa.array(["x" * 2000])}))
