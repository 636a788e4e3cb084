"""Tables as the world lays them out: delimiters, quotation marks, lines around the table, and names of columns."""

from __future__ import annotations

import csv
import gzip
import io

import pytest

from xai_core.errors import InvalidTable
from xai_core.tabular.reading.cells import Cells
from xai_core.tabular.reading.csv_file import read_csv
from xai_core.tabular.reading.header import looks_like_names
from xai_core.tabular.reading.read import read_table

NAMES = ["id", "word", "number", "y"]
ROWS = [[f"r{row}", ("red", "dark green", "blue")[row % 3], f"{row / 4}", str(row % 2)] for row in range(40)]
MARKED = [[name, f"{word}, or not", number, y] for name, word, number, y in ROWS]


def write(rows: list[list[str]], **form: object) -> str:
    out = io.StringIO()
    csv.writer(out, **{"lineterminator": "\n", **form}).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def to_rows(cells: Cells) -> list[list[str]]:
    columns = [[cell.strip() for cell in column.to_pylist()] for column in cells.columns.columns]
    return [cells.columns.column_names, *map(list, zip(*columns, strict=True))]


TABLE = [NAMES, *ROWS]
TEXT = write(TABLE)
BODY = write(ROWS)
LAYOUTS = {
    "vertical lines": (write(TABLE, delimiter="|"), TABLE, ""),
    "single quotes": (write([NAMES, *MARKED], quotechar="'"), [NAMES, *MARKED], ""),
    "single quotes everywhere": (write(TABLE, quotechar="'", quoting=csv.QUOTE_ALL), TABLE, ""),
    "backslashes before quotes": (
        write(
            [NAMES, *[[name, f'say "{word}", ok', *rest] for name, word, *rest in ROWS]],
            escapechar="\\",
            doublequote=False,
        ),
        [NAMES, *[[name, f'say "{word}", ok', *rest] for name, word, *rest in ROWS]],
        "",
    ),
    "blanks before quotes": (
        'id, "word", number, y\n' + "".join(f'{a}, "{b}", {c}, {d}\n' for a, b, c, d in MARKED),
        [NAMES, *MARKED],
        "",
    ),
    "leading blanks": (TEXT.replace(",", ", "), TABLE, ""),
    "columns of blanks": (
        "id   word  number y\n" + "".join(f'  {a:5} "{b}" {c:>8} {d} \n' for a, b, c, d in ROWS),
        TABLE,
        "Blanks were read as the mark between cells.",
    ),
    "Excel's first line": ("sep=;\r\n" + write(TABLE, delimiter=";", lineterminator="\r\n"), TABLE, ""),
    "title": ("Sales of 2024\n\n" + TEXT, TABLE, "1 line above the names of the columns left out: 'Sales of 2024'."),
    "title of a spreadsheet": (
        "Sales,,,\n,,,\n" + TEXT,
        TABLE,
        "1 line above the names of the columns left out: 'Sales'.",
    ),
    "title as wide as the table": ("a, b, c, d\n\n" + TEXT, TABLE, "1 line above"),
    "comments": ("# made by a program\n# a, b, c\n" + TEXT, TABLE, "2 lines above the names of the columns left out"),
    "500 comments": (
        "# a, note\n" * 500 + TEXT,
        TABLE,
        "500 lines above the names of the columns left out: '# a  note'.",
    ),
    "names in a comment": ("# " + TEXT, TABLE, ""),
    "comment between rows": (
        TEXT.replace("r7,", "# a pause\nr7,"),
        TABLE,
        "1 of 41 rows had too many or too few cells and were left out.",
    ),
    "lines below": (TEXT + "\nSource: office\nUpdated: today\n", TABLE, "2 of 42 rows had too many"),
    "empty rows": (TEXT + ',,,\n"","","",""\n', TABLE, "2 rows without any cell were left out."),
    "sums below": (TEXT + "Total:,,195,20\n", TABLE, "The last row begins with 'Total:' and was left out"),
    "R's names of rows": ("word,number,y\n" + BODY, [["row", *NAMES[1:]], *ROWS], "the first column is called 'row'."),
    "a mark too many": (
        "id,word,number,y\n" + BODY.replace("\n", ",\n"),
        TABLE,
        "Every row ends with a mark between cells too many, which was left out.",
    ),
    "a mark too many, names too": (TEXT.replace("\n", ",\n"), TABLE, "Every row ends with a mark"),
    "equal names": (
        "a,b,a,a.1\n" + BODY,
        [["a", "b", "a.2", "a.1"], *ROWS],
        "More than one column has the same name: 'a' is called 'a.2'.",
    ),
    "end of DOS": (TEXT + "\x1a", TABLE, ""),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize(("text", "table", "note"), LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layouts(text: str, table: list[list[str]], note: str, newline: str) -> None:
    cells = read_csv(text.replace("\r\n", "\n").replace("\n", newline).encode())
    assert to_rows(cells) == table
    assert note in " ".join(cells.notes) and (note or not cells.notes)
    assert cells.rows == len(table) - 1


def test_line_ends_in_cells_stay() -> None:
    table = [NAMES, *[[name, f"{word}\nor not", *rest] for name, word, *rest in ROWS]]
    assert to_rows(read_csv(write(table).encode())) == table


NUMBERS = [[str(row), str(row * 2 % 7), str(row * 3 % 11), str(row % 5), "ab"[row % 2]] for row in range(40)]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("0,1,2,3,target", NUMBERS),
        (",0,1,2,y", [[*row[:4], str(index % 2)] for index, row in enumerate(NUMBERS)]),
        ("sample,350.5,351.0,351.5,moisture", [[f"s{row[0]}", *row[:4]] for row in NUMBERS]),
        ("400,402,404,406,408", [[f"0.{cell}3" for cell in (*row[:4], row[0])] for row in NUMBERS]),
        ("4000.1,3998.2,3996.2,3994.3,kind", NUMBERS),
        ("label,1,7,28", [row[:4] for row in NUMBERS]),
        ("country,2019,2020,2021,y", [[f"c{row[0]}", *row[:4]] for row in NUMBERS]),
        ("country,2020-01-22,2020-01-23,2020-01-24", [[f"c{row[0]}", *row[:3]] for row in NUMBERS]),
    ],
)
def test_numbers_and_dates_that_are_names(header: str, rows: list[list[str]]) -> None:
    cells = read_csv((header + "\n" + write(rows)).encode())
    names = [name or "column 1" for name in header.split(",")]
    assert to_rows(cells) == [names, *rows]


@pytest.mark.parametrize(
    "rows",
    [
        [["5.1", "3.5", "1.4", "setosa"], ["4.9", "3.0", "1.4", "setosa"], ["6.3", "3.3", "6.0", "virginica"]],
        [["1", "2", "3", "a"], ["3", "1", "2", "b"], ["2", "2", "1", "a"]],
        [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]],
        [["s0", "5", "2", "7"], ["s1", "4", "9", "1"]],
        [["2024-01-01", "1.5"], ["2024-01-02", "1.7"]],
        [["p", "x", "s"], ["x", "p", "s"], ["p", "x", "n"], ["x", "p", "n"]],
    ],
)
def test_a_first_line_of_values_is_refused(rows: list[list[str]]) -> None:
    assert not looks_like_names(rows[0], rows[1:])
    with pytest.raises(InvalidTable, match="The first line must name the columns"):
        read_csv(write(rows).encode())


def test_fewer_cells_than_names_are_refused_for_what_they_are() -> None:
    with pytest.raises(InvalidTable, match=r"Most rows have 3 cells, but no line of 3 names .* Got 'a b c d'"):
        read_csv(b"a,b,c,d\n1,2,3\n4,5,6\n7,8,9\n")


@pytest.mark.parametrize("line", ["Total,,9,1", "Sum,,9,1"])
def test_a_total_that_occurs_above_is_a_category(line: str) -> None:
    word = line.partition(",")[0]
    cells = read_csv((TEXT + f"{word},,1,1\n" + line + "\n").encode())
    assert cells.rows == len(ROWS) + 2 and not cells.notes


def test_apostrophes_are_no_quotation_marks() -> None:
    table = [["name", "n"], *[["O'Neill", "1"], ["'t Hooft", "2"], ["d'Arc", "3"], ["rock 'n' roll", "4"]] * 5]
    assert to_rows(read_csv(write(table).encode())) == table


def test_words_and_commas_in_cells_are_no_other_dialect() -> None:
    table = [["text", "n"], *[[f"some words, and; more| {row}", str(row)] for row in range(20)]]
    assert to_rows(read_csv(write(table).encode())) == table
    decimals = [["a", "b"], *[[f"{row},5", f"{row},25"] for row in range(20)]]
    for mark in ";\t|":
        assert to_rows(read_csv(write(decimals, delimiter=mark).encode())) == decimals


def test_sentences_are_no_table() -> None:
    with pytest.raises(InvalidTable, match="Got one column: 'This is a text'"):
        read_csv(b"This is a text\nof a few lines\nthat is not one\nby any means at all\n")


def test_a_quoted_na_is_known() -> None:
    cells = read_csv(b'"continent","gdp","life"\n' + b'"NA",NA,1\n"EU",2,NA\n"NA",3,4\n')
    assert cells.quoted_na == {"continent"}
    assert to_rows(cells)[1:] == [["NA", "NA", "1"], ["EU", "2", "NA"], ["NA", "3", "4"]]
    assert read_csv(b"continent,gdp\nNA,1\nEU,2\n").quoted_na == frozenset()


def test_packed_tables_are_read_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = read_table(gzip.compress(TEXT.encode()))
    assert raw.rows == len(ROWS) and raw.encoding == "utf-8"
    with pytest.raises(InvalidTable, match=r"packed file \(gzip\) is damaged"):
        read_table(gzip.compress(TEXT.encode())[:-12])
    monkeypatch.setattr("xai_core.tabular.reading.read.MAX_BYTES", 10_000)
    with pytest.raises(InvalidTable, match="larger than"):
        read_table(gzip.compress(b"a,b\n" * 5_000))


def test_the_encoding_is_told_and_can_be_given() -> None:
    text = "город,доход,ответ\n" + "".join(
        f"{('Москва', 'Казань')[row % 2]},{row},{('да', 'нет')[row % 3 == 0]}\n" for row in range(60)
    )
    raw = read_table(text.encode("cp1251"))
    assert (raw.encoding, raw.encoding_is_sure, raw.columns[0].name) == ("windows-1251", True, "город")
    assert not any("letters" in note for note in raw.notes)
    wrong = read_table(text.encode("cp1251"), encoding="windows-1252")
    assert wrong.encoding_is_sure and wrong.columns[0].name == "ãîðîä"
    unsure = read_table("имя,n\nЯ,1\nОн,2\nЯ,3\n".encode("mac-cyrillic"))
    assert not unsure.encoding_is_sure and "which is not sure" in " ".join(unsure.notes)
