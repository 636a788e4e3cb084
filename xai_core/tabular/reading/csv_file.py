"""Read CSV: decode the text, find the table in it, name its columns, and tell what was guessed and left out."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from xai_core.errors import InvalidTable
from xai_core.formatting import printable
from xai_core.tabular.reading.cells import Cells, check_column_names
from xai_core.tabular.reading.csv_blocks import read_blocks
from xai_core.tabular.reading.dialect import DELIMITERS, Layout, find_layout
from xai_core.tabular.reading.header import check_names, looks_like_names
from xai_core.text_decoding import ENCODINGS, DecodedText, decode_table

# The header and the first rows are looked for in here.
HEAD_BYTES = 1 << 18
# Words that begin a row of sums below a table.
_TOTALS = frozenset(
    "total totals sum sums subtotal gesamt insgesamt summe totale totales suma celkem razem итого всего 合计 总计 合計 "
    "總計 総計 합계".split()
) | {"grand total", "total général", "total general"}


def read_csv(data: bytes, encoding: str | None = None) -> Cells:
    """Return every cell as text.

    Raises:
        InvalidTable: no table of text, with what is wrong and what to do.
    """
    decoded = decode_table(data, encoding)
    start, head = _find_head(decoded.utf8)
    layout = find_layout(head)
    if layout is None:
        first = head.strip().splitlines()[0].strip()
        allowed = ", ".join(DELIMITERS.values())
        raise InvalidTable(f"A table needs two columns or more, parted by {allowed}. Got one column: {first[:60]!r}.")
    if layout.lines_above and not looks_like_names(layout.header, layout.rows):
        raise InvalidTable(
            f"Most rows have {layout.width} cells, but no line of {layout.width} names stands above them. "
            f"Got {printable(layout.lines_above[-1], 60)!r}. Give each column one name."
        )
    check_names(layout.header, layout.rows)
    header, surplus = _complete_header(layout)
    names, name_notes = check_column_names(header)
    blocks = read_blocks(decoded.utf8, start + len(head[: layout.start].encode()), names, layout.dialect)
    table, surplus_notes = _check_surplus(blocks.table, surplus)
    table, total_notes = _drop_totals(table)
    return Cells(
        table,
        blocks.row_count - len(total_notes),
        (*_encoding_notes(decoded), *_layout_notes(layout), *name_notes, *surplus_notes, *blocks.notes, *total_notes),
        decimal_comma=layout.dialect.delimiter != ",",
        quoted_na=blocks.quoted_na,
        encoding=decoded.encoding,
        encoding_is_sure=decoded.is_sure,
    )


def _find_head(text: bytes) -> tuple[int, str]:
    """Return the start of the first line that is not empty, and the beginning of the text from there in whole lines."""
    start = len(text) - len(text.lstrip(b"\r\n"))
    head = text[start : start + HEAD_BYTES].decode("utf-8", "ignore")
    if not head.strip():
        raise InvalidTable("This file is empty. A table needs a first line with names, and rows below it.")
    if start + HEAD_BYTES < len(text):
        # A cut line would look like a row with too few cells.
        end = max(head.rfind("\n"), head.rfind("\r")) + 1
        if not end:
            raise InvalidTable(
                f"The first line is longer than {HEAD_BYTES // 1024} kB: this is not a table of rows and columns."
            )
        head = head[:end]
    return start, head


def _complete_header(layout: Layout) -> tuple[list[str], str]:
    """Return a name for each cell of a row, and the reason of the one that is not in the file: "", "mark" or "row"."""
    # A mark at the end of every row makes an empty last cell.
    ends_empty = not any(row[-1].strip() for row in layout.rows)
    names = layout.header[: layout.width - 1]
    if ends_empty and not any(map(str.strip, layout.header[len(names) :])):
        return [*names, f"column {layout.width}"], "mark"
    if len(layout.header) == layout.width:
        return layout.header, ""
    # R writes the names of rows without a name for their column.
    return ["row", *layout.header], "row"


def _check_surplus(table: pa.Table, surplus: str) -> tuple[pa.Table, list[str]]:
    """Return the table without the empty column that a mark at the end of each row makes, and a note."""
    if surplus == "row":
        return table, [
            f"Rows have one cell more than there are names, so the first column is called {table.column_names[0]!r}."
        ]
    if surplus == "mark" and not pc.any(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(table[-1])), 0)).as_py():
        return table.drop_columns(table.column_names[-1]), [
            "Every row ends with a mark between cells too many, which was left out."
        ]
    return table, []


def _drop_totals(table: pa.Table) -> tuple[pa.Table, list[str]]:
    """Return the table without a last row of sums, and a note: its first word is "Total" and occurs nowhere above."""
    for name in table.column_names if len(table) else []:
        word = table[name][-1].as_py().strip()
        if word:
            if (
                word.lower().strip(" :.") in _TOTALS
                and pc.count(pc.index_in(table[name], pa.array([word]))).as_py() < 2
            ):
                return table.slice(0, len(table) - 1), [
                    f"The last row begins with {word[:40]!r} and was left out: it looks like the sum of the others."
                ]
            break
    return table, []


def _encoding_notes(text: DecodedText) -> list[str]:
    words = ENCODINGS[text.encoding]
    if text.lost_letters:
        return [
            f"The letters were read as {words}; {text.lost_letters:,} of them could not be read and are shown as �."
        ]
    if text.is_sure:
        return []
    return [f"The letters were read as {words}, which is not sure. If they look wrong, choose another encoding."]


def _layout_notes(layout: Layout) -> list[str]:
    notes = []
    if layout.lines_above:
        count = len(layout.lines_above)
        lines = "1 line" if count == 1 else f"{count:,} lines"
        notes.append(
            f"{lines} above the names of the columns left out: {printable(layout.lines_above[0].strip(), 60)!r}."
        )
    if layout.dialect.joins_blanks:
        notes.append("Blanks were read as the mark between cells.")
    return notes
