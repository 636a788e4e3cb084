"""Messy CSV files as programs and offices write them, with the names and cells in them, or None for a refusal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

Rows = list[list[str]]
NAMES = ["id", "word", "number", "y"]
ROWS = [[f"r{row}", ("red", "green", "blue")[row % 3], f"{row / 4}", str(row % 2)] for row in range(60)]
MARKED = [[name, "green, dark" if word == "green" else word, number, y] for name, word, number, y in ROWS]
NUMBERS = [[str(row), str(row * 2 % 7), str(row * 3 % 11), str(row % 5), "ab"[row % 2]] for row in range(60)]
TABLE = [NAMES, *ROWS]


def write(rows: Rows, **form: object) -> str:
    out = io.StringIO()
    csv.writer(out, **{"lineterminator": "\n", **form}).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def replace_column(place: int, change: Callable[[str], str]) -> Rows:
    return [[change(cell) if column == place else cell for column, cell in enumerate(row)] for row in ROWS]


TEXT, BODY, MARKED_TEXT = write(TABLE), write(ROWS), write([NAMES, *MARKED])
QUOTING = replace_column(1, 'say "{}", ok'.format)
LINES = replace_column(1, "two\n{}".format)
COMMAS = replace_column(2, lambda cell: cell.replace(".", ","))
SPECTRA = [[f"s{row[0]}", f"0.{row[1]}1", f"0.{row[2]}2", f"0.{row[3]}3", row[0]] for row in NUMBERS]
FLOWERS = [[f"{5 + row % 9 / 10}", f"{3 + row % 7 / 10}", ("setosa", "virginica")[row % 2]] for row in range(60)]
LETTERS = [["px"[row % 2], "xsb"[row % 3], "ns"[row % 2]] for row in range(60)]
CITIES = [[f"n{row}", ("Ulm", "Bonn")[row % 2], ("ja", "nein")[row % 3 % 2]] for row in range(60)]
CITIES.insert(0, ["name", "city", "answer"])
PIPES = [["size", "n"], *[[f'{row % 9}" pipe', str(row)] for row in range(60)]]
_TEXTS: Mapping[str, tuple[str, Rows | None]] = {
    "comma": (MARKED_TEXT, [NAMES, *MARKED]),
    "semicolon": (write(TABLE, delimiter=";"), TABLE),
    "tab": (write(TABLE, delimiter="\t"), TABLE),
    "vertical line": (write(TABLE, delimiter="|"), TABLE),
    "line ends of old Macs": (MARKED_TEXT.replace("\n", "\r"), [NAMES, *MARKED]),
    "line ends of Windows": (MARKED_TEXT.replace("\n", "\r\n"), [NAMES, *MARKED]),
    "everything in quotes": (write([NAMES, *MARKED], quoting=csv.QUOTE_ALL), [NAMES, *MARKED]),
    "single quotes": (write([NAMES, *MARKED], quotechar="'", quoting=csv.QUOTE_ALL), [NAMES, *MARKED]),
    "single quotes where needed": (write([NAMES, *MARKED], quotechar="'"), [NAMES, *MARKED]),
    "backslashes before quotes": (write([NAMES, *QUOTING], escapechar="\\", doublequote=False), [NAMES, *QUOTING]),
    "line ends in cells": (write([NAMES, *LINES]), [NAMES, *LINES]),
    "blanks before quotes": (MARKED_TEXT.replace(",", ", ").replace(",  dark", ", dark"), [NAMES, *MARKED]),
    "leading blanks": (TEXT.replace(",", ", "), TABLE),
    "columns of blanks": ("\n".join("".join(f"{cell:9}" for cell in row) for row in TABLE), TABLE),
    "sep= line": ("sep=;\r\n" + write(TABLE, delimiter=";"), TABLE),
    "title": ("Sales of 2024\n\n" + TEXT, TABLE),
    "title of a spreadsheet": ("Sales of 2024,,,\n" + TEXT, TABLE),
    "comments above": ("# made by a program, v1\n# 2024-01-31\n" + TEXT, TABLE),
    "comment between rows": (TEXT.replace("r30,", "# pause\nr30,"), TABLE),
    "names in a comment": ("#" + TEXT, TABLE),
    "blank lines": ("\n\n" + TEXT.replace("r30,", "\nr30,") + "\n\n", TABLE),
    "empty rows": (TEXT + ",,,\n,,,\n", TABLE),
    "sums below": (TEXT + "Total,,442.5,30\n", TABLE),
    "source below": (TEXT + "\nSource: office of statistics\n", TABLE),
    "ragged rows": (TEXT.replace("r20,", "short,row\nr20,").replace("r40,", "a,b,c,d,e\nr40,"), TABLE),
    "R's names of rows": ("word,number,y\n" + BODY, [["row", *NAMES[1:]], *ROWS]),
    "a mark too many": (TEXT.splitlines()[0] + "\n" + BODY.replace("\n", ",\n"), TABLE),
    "a mark too many, names too": (TEXT.replace("\n", ",\n"), TABLE),
    "names 0, 1, 2": ("0,1,2,3,target\n" + write(NUMBERS), [["0", "1", "2", "3", "target"], *NUMBERS]),
    "names of pandas": (",0,1,2,y\n" + write(SPECTRA), [["", "0", "1", "2", "y"], *SPECTRA]),
    "names of spectra": (
        "sample,350.5,351.0,351.5,moisture\n" + write(SPECTRA),
        [["sample", "350.5", "351.0", "351.5", "moisture"], *SPECTRA],
    ),
    "names of years": ("c,2019,2020,2021,y\n" + write(SPECTRA), [["c", "2019", "2020", "2021", "y"], *SPECTRA]),
    "no names, flowers": (write(FLOWERS), None),
    "no names, letters": (write(LETTERS), None),
    "words only": (write(CITIES), CITIES),
    "decimal commas": (write([NAMES, *COMMAS], delimiter=";"), [NAMES, *COMMAS]),
    "decimal commas and tabs": (write([NAMES, *COMMAS], delimiter="\t"), [NAMES, *COMMAS]),
    "quotation marks for inches": ("\n".join(",".join(row) for row in PIPES), PIPES),
    "two columns": (write([row[:2] for row in TABLE]), [row[:2] for row in TABLE]),
    "end of DOS": (TEXT + "\x1a", TABLE),
}
MESSY_FILES: Mapping[str, tuple[bytes, Rows | None]] = {
    **{name: (text.encode(), rows) for name, (text, rows) in _TEXTS.items()},
    **{
        encoding: (("größe" + TEXT[2:]).encode(encoding), [["größe", *NAMES[1:]], *ROWS])
        for encoding in ("utf-16", "utf-8-sig", "cp1252")
    },
    "cp1251": (
        TEXT.replace("red", "Москва").replace("id", "город").encode("cp1251"),
        [["город", *NAMES[1:]], *replace_column(1, lambda cell: cell.replace("red", "Москва"))],
    ),
}
