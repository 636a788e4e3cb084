"""Find how a text is parted into cells: the delimiter, the quotation marks, and the lines above the table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from xai_core.tabular.reading.header import looks_like_names, stands_above_numbers
from xai_core.text_decoding import find_separator_line

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical line"}
# Weight of a dialect for each line above the names.
ABOVE_FACTOR = 0.9
HEAD_RECORDS = 200
# Share of the lines that must have equally many words before blanks are taken for delimiters.
MIN_BLANKS_SHARE = 0.95
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BACKSLASH_QUOTE = re.compile(r'\\"(?![,;\t|\r\n"])')


@dataclass(frozen=True)
class Dialect:
    """Marks that part and enclose cells."""

    delimiter: str
    quote: str = '"'
    escape: str = ""
    drops_blanks: bool = False
    """True where blanks stand before quotation marks: a, "b, c"."""
    joins_blanks: bool = False
    """True where any run of blanks is one delimiter."""


@dataclass(frozen=True)
class Record:
    """Cells of one row, and the place of its first letter."""

    cells: list[str]
    start: int
    is_comment: bool
    follows_gap: bool
    """True where an empty line stands above."""


@dataclass(frozen=True)
class Layout:
    """Place of a table in a text, and its shape."""

    dialect: Dialect
    header: list[str]
    width: int
    """Cells of most rows; may be one more than the header has."""
    start: int
    """Place of the first letter of the header."""
    rows: list[list[str]]
    """The first rows below the header, those with as many cells as most."""
    lines_above: tuple[str, ...]
    """Lines of text and comments above the header."""


def find_layout(head: str) -> Layout | None:
    """Return the layout of a text by its beginning in whole lines, or None if no mark parts it into columns."""
    named_delimiter, start = find_separator_line(head)
    lines = _LINE.findall(head[start:])
    dialect = _guess_dialect(lines, named_delimiter)
    records = parse_records(lines, dialect)
    width = _common_width(records)
    if width < 2:
        return None
    place = _find_header(records, width)
    header, rows = records[place], [record.cells for record in records[place + 1 :] if len(record.cells) == width]
    cells = [header.cells[0].lstrip("# "), *header.cells[1:]] if header.is_comment else header.cells
    return Layout(
        dialect,
        cells[:width] if not any(cells[width:]) else cells,
        width,
        # The mark of a comment is no part of the header.
        start + header.start + (header.is_comment and len(header.cells[0]) - len(cells[0])),
        rows,
        tuple(" ".join(record.cells) for record in records[:place]),
    )


def parse_records(lines: list[str], dialect: Dialect) -> list[Record]:
    """Return the first records that are not empty, 200 and the comments between them.

    A cell too long for the csv module ends the list.
    """
    records: list[Record] = []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    used, rows, follows_gap = 0, 0, False
    try:
        reader = csv.reader(
            _iterate_lines(lines, dialect),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            escapechar=dialect.escape or None,
            doublequote=not dialect.escape,
            skipinitialspace=dialect.drops_blanks or dialect.joins_blanks,
        )
        for cells in reader:
            is_empty = not any(cell.strip() for cell in cells)
            if not is_empty:
                records.append(Record(cells, starts[used], lines[used].lstrip().startswith("#"), follows_gap))
            follows_gap = is_empty
            used = reader.line_num
            rows += not (is_empty or records[-1].is_comment)
            if rows == HEAD_RECORDS:
                break
    except csv.Error:
        pass
    return records


def _iterate_lines(lines: list[str], dialect: Dialect) -> Iterator[str]:
    """Return lines with one line end, as the csv module takes them."""
    for line in lines:
        text = line.rstrip("\r\n") + "\n"
        yield text.strip().replace("\t", " ") + "\n" if dialect.joins_blanks else text


def _common_width(records: list[Record]) -> int:
    """Return the most frequent number of cells over one, the largest of equals, comments left out; 0 for none."""
    widths = Counter(len(record.cells) for record in records if len(record.cells) > 1 and not record.is_comment)
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _measure(lines: list[str], dialect: Dialect) -> tuple[float, int]:
    """Return the share of the records that have the common width, and that width."""
    records = [record for record in parse_records(lines, dialect) if not record.is_comment]
    width = _common_width(records)
    return sum(len(record.cells) == width for record in records) / max(len(records), 1), width


def _rate(lines: list[str], dialect: Dialect) -> float:
    """Return how well a dialect fits: many rows of one width, that width large, and names above them."""
    share, width = _measure(lines, dialect)
    if not width:
        return 0.0
    records = parse_records(lines, dialect)
    place = _find_header(records, width)
    rows = [record.cells for record in records[place + 1 :] if len(record.cells) == width]
    # Decimal commas part rows into columns too, but not the names above them.
    above = ABOVE_FACTOR**place
    return share**2 * (1 - 1 / width) * above * (1.0 if looks_like_names(records[place].cells, rows) else 0.5)


def _guess_dialect(lines: list[str], named_delimiter: str | None) -> Dialect:
    delimiters = [named_delimiter] if named_delimiter else list(DELIMITERS)
    best = max(map(Dialect, delimiters), key=lambda dialect: _rate(lines, dialect))
    if not _rate(lines, best):
        blanks = Dialect(" ", joins_blanks=True)
        return blanks if _fits_blanks(lines, blanks) else best
    text = "".join(lines)
    if any(re.match(r'[ \t]+"', cell) for record in parse_records(lines, best) for cell in record.cells):
        best = _better(lines, best, replace(best, drops_blanks=True))
    if _BACKSLASH_QUOTE.search(text):
        best = _better(lines, best, replace(best, escape="\\"))
    if "'" in text:
        single = max((Dialect(mark, "'") for mark in delimiters), key=lambda dialect: _rate(lines, dialect))
        if _pairs_apostrophes(lines, Dialect(single.delimiter)) and _better(lines, best, single) == single:
            return single
    return best


def _better(lines: list[str], dialect: Dialect, variant: Dialect) -> Dialect:
    """Return the dialect that makes rows of one width, even if that is smaller."""
    return variant if _measure(lines, variant)[0] >= _measure(lines, dialect)[0] else dialect


def _fits_blanks(lines: list[str], dialect: Dialect) -> bool:
    records = [record for record in parse_records(lines, dialect) if not record.is_comment]
    width = _common_width(records)
    # The header of R has no name for the names of the rows.
    fits = sum(len(record.cells) in (width, width - (place == 0)) for place, record in enumerate(records))
    return len(records) > 2 and width > 1 and fits >= MIN_BLANKS_SHARE * len(records)


def _pairs_apostrophes(lines: list[str], dialect: Dialect) -> bool:
    """Return whether as many cells begin with an apostrophe as end with one."""
    cells = [cell.strip() for record in parse_records(lines, dialect) for cell in record.cells]
    starts, ends = sum(cell.startswith("'") for cell in cells), sum(cell.endswith("'") for cell in cells)
    return starts == ends > 1


def _find_header(records: list[Record], width: int) -> int:
    """Return the place of the record with the names: the first one with cells like most rows that is no title.

    The header may have a name less than the rows (R's names of rows, or a mark at the end of each row).
    """
    for place, record in enumerate(records):
        later = [row for row in records[place + 1 :] if len(row.cells) == width and not row.is_comment]
        surplus = len(record.cells) - width
        if not later or abs(surplus) > 1:
            continue
        first, below = later[0].cells, [row.cells for row in later[1:]]
        names_follow = stands_above_numbers(first, below)
        if record.is_comment:
            if not surplus and not names_follow and (width > 2 or not looks_like_names(first, below)):
                return place
        elif surplus < 0:
            if width > 2 and not names_follow:
                return place
        elif not (
            _is_title(record.cells, first)
            or (names_follow and later[0].follows_gap)
            or (surplus and record.cells[-1].strip())
        ):
            return place
    return next((place for place, record in enumerate(records) if not record.is_comment), 0)


def _is_title(cells: list[str], below: list[str]) -> bool:
    """Return whether only the first cell of a line is filled, as spreadsheets save a title."""
    filled, filled_below = (sum(map(bool, map(str.strip, line))) for line in (cells, below))
    return len(cells) > 2 and filled == 1 and filled_below > 1 and bool(cells[0].strip())
