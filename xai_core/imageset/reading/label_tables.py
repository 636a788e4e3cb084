"""Labels of pictures by a table labels.csv: one row a picture or several, a column of labels or one for each label."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xai_core.errors import InvalidTable
from xai_core.imageset.reading.folder_labels import is_part
from xai_core.imageset.reading.label_texts import clean_label, fold_name
from xai_core.imageset.reading.picture_index import PictureIndex
from xai_core.text_decoding import convert_to_utf8, find_separator_line

DELIMITERS = ",;\t|"
# Rows by which the column of files is by_picture where it has no known name.
SAMPLED_ROWS = 200
# In the order in which they are looked for.
FILE_COLUMNS = tuple(
    fold_name(name)
    for name in (
        "file filename filepath path image imagename imagefile imagepath imageid img imgname imgid imgpath picture "
        "photo pictureid photoid fname name id datei dateiname bild bildname fichier nomfichier archivo fichero imagen "
        "файл имяфайла ファイル ファイル名 画像 文件 文件名 图片 图像 파일 파일명 이미지"
    ).split()
)
LABEL_COLUMNS = tuple(
    fold_name(name)
    for name in (
        "labelname classname categoryname targetname speciesname label labels class classes category categories target "
        "species breed diagnosis dx tag tags kind type groundtruth truth y classid labelid categoryid classindex "
        "labelindex klasse klassen kategorie etikett art bezeichnung diagnose classe etiquette categorie espece clase "
        "etiqueta categoria especie класс метка категория вид ラベル クラス 種類 标签 標籤 类别 類別 类 분류 라벨 "
        "레이블 클래스"
    ).split()
)
_NUMBER = re.compile(r"[-+]?[0-9.,]*(?:[eE][-+]?[0-9]+)?")
_YES = frozenset({"1", "1.0", "1.", "true", "yes", "x"})
_NO = frozenset({"0", "0.0", "0.", "false", "no", ""})
_NO_TABLE = "labels.csv could not be read: it needs two columns, file and label, saved as CSV (UTF-8)."
_NO_NAMES = (
    "labels.csv names no picture of this set. Write each file's name as it is in the set, with its folder or without."
)
_NO_LABELS = (
    "No column of labels.csv is known to be one of labels. "
    "Call it “label”, or write a column of 0 and 1 for each label."
)
_SEVERAL = (
    "labels.csv says of no picture that it has exactly one label. "
    "Only sets with one label for each picture can be used."
)


@dataclass(frozen=True)
class _Table:
    heading: Sequence[str]
    """Empty where the first line is one of values."""
    rows: Sequence[Sequence[str]]
    files: int
    """The column of files."""


def table_labels(
    data: bytes, table: str, names: Sequence[str], codes: Mapping[str, str] | None = None
) -> tuple[list[str] | None, list[str]]:
    """Return the label of each picture by a table, "" for one without, and notes; None for a table that cannot be used.

    A file may be named with folders or without, with its ending or without, in any case, where that is unambiguous.
    `codes` are names for the labels of the table. Pictures whose rows differ have no label.
    """
    pictures = PictureIndex(names, table.rpartition("/")[0])
    lines = _read_lines(data)
    if not lines or max(map(len, lines)) < 2:
        return None, [_NO_TABLE]
    content = _find_files(lines, pictures)
    if content is None:
        return None, [_NO_NAMES]
    row_labels, notes = _label_rows(content)
    if row_labels is None:
        return None, notes
    by_picture, unknown = _collect(content, row_labels, pictures)
    labels = [next(iter(by_picture[row])) if len(by_picture.get(row, ())) == 1 else "" for row in range(len(names))]
    differing = sum(len(words) > 1 for words in by_picture.values())
    if differing:
        notes.append(f"Pictures whose rows in labels.csv have different labels, so that they have none: {differing:,}.")
    if unknown:
        notes.append(f"Rows of labels.csv that name no picture of this set: {unknown:,}.")
    if not any(labels):
        return None, notes
    return _name_codes(labels, codes or {}, notes)


def read_code_names(data: bytes, is_list: bool) -> dict[str, str]:
    """Return names of codes: from a table of two columns, or from a list of names, of which the first is 0."""
    lines = _read_lines(data, "\0" if is_list else "")
    if is_list:
        return {str(code): clean_label(" ".join(line)) for code, line in enumerate(lines)}
    codes: dict[str, str] = {}
    for line in lines:
        numbers = [cell for cell in line if cell.isdecimal()]
        words = [cell for cell in line if cell and not cell.isdecimal()]
        if numbers and words:
            codes.setdefault(str(int(numbers[0])), clean_label(words[0]))
    return codes


def _read_lines(data: bytes, delimiter: str = "") -> list[list[str]]:
    """Return the cells of the lines that are not empty, without blanks around them."""
    try:
        text = convert_to_utf8(data).decode()
        named, start = find_separator_line(text)
        text = text[start:].lstrip("\r\n")
        delimiter = delimiter or named or max(DELIMITERS, key=text.partition("\n")[0].count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [cells for line in lines if any(cells := [cell.strip() for cell in line])]
    except (InvalidTable, csv.Error):
        return []


def _find_files(lines: Sequence[Sequence[str]], pictures: PictureIndex) -> _Table | None:
    """Find the column that names pictures: one of a known name, else the one that names the most."""
    columns = range(max(map(len, lines)))
    sample = [lines[0], *lines[1 :: -(-len(lines) // SAMPLED_ROWS)]]
    hits = {
        column: [column < len(line) and pictures.find(line[column]) is not None for line in sample]
        for column in columns
    }
    names = [fold_name(name) for name in lines[0]]
    known = [names.index(name) for name in FILE_COLUMNS if name in names]
    files = next((column for column in known if any(hits[column][1:])), None)
    if files is None:
        files = max(columns, key=lambda column: sum(hits[column]))
    if not any(hits[files]):
        # Beyond the sample there may still be some.
        if not known and len(columns) > 2:
            return None
        files = known[0] if known else 0
        if not any(pictures.find(line[files]) is not None for line in lines if len(line) > files):
            return None
    has_heading = not hits[files][0]
    return _Table(lines[0] if has_heading else (), lines[has_heading:], files)


def _label_rows(table: _Table) -> tuple[list[str] | None, list[str]]:
    """Return the label of each row, and notes; None where no column has labels."""
    width = max(map(len, table.rows), default=0)
    names = [fold_name(name) for name in table.heading] + [""] * (width - len(table.heading))
    others = [column for column in range(width) if column != table.files]
    known = [names.index(name) for name in LABEL_COLUMNS if name in names and names.index(name) in others]
    # A column "type" may say no more than train or test.
    known = [column for column in known if not all(map(is_part, _distinct(table.rows, column)))]
    if not known:
        binary = [column for column in others if names[column] and _is_binary(table.rows, column)]
        if len(binary) > 1:
            return _label_one_hot(table, binary)
        text = [column for column in others if not all(map(_NUMBER.fullmatch, _distinct(table.rows, column)))]
        known = others if len(others) == 1 else text if len(text) == 1 else []
    if not known:
        return None, [_NO_LABELS]
    column = known[0]
    notes = []
    if len(others) > 1 and names[column] not in LABEL_COLUMNS:
        title = f"“{table.heading[column]}”" if table.heading else f"number {column + 1}"
        notes.append(f"The column {title} of labels.csv was taken for the labels: no other has words.")
    return [clean_label(line[column]) if len(line) > column else "" for line in table.rows], notes


def _label_one_hot(table: _Table, columns: Sequence[int]) -> tuple[list[str] | None, list[str]]:
    """Take the name of the only column with a 1 for the label of a row."""
    marked = [
        [column for column in columns if len(line) > column and line[column].casefold() in _YES] for line in table.rows
    ]
    several, none = sum(len(marks) > 1 for marks in marked), sum(not marks for marks in marked)
    if several + none == len(marked):
        return None, [_SEVERAL]
    shown = ", ".join(f"“{table.heading[column]}”" for column in columns[:3]) + (" …" if len(columns) > 3 else "")
    notes = [f"The names of the columns of labels.csv with 0 and 1 are the labels: {shown}."]
    if several:
        notes.append(f"Rows of labels.csv with more than one 1, so that their pictures have no label: {several:,}.")
    if none:
        notes.append(f"Rows of labels.csv without a 1, so that their pictures have no label: {none:,}.")
    return [clean_label(table.heading[marks[0]]) if len(marks) == 1 else "" for marks in marked], notes


def _collect(table: _Table, row_labels: Sequence[str], pictures: PictureIndex) -> tuple[dict[int, set[str]], int]:
    """Return the labels of each picture, and the number of rows that name none."""
    by_picture: dict[int, set[str]] = {}
    unknown = 0
    for line, label in zip(table.rows, row_labels, strict=True):
        file = line[table.files] if len(line) > table.files else ""
        row = pictures.find(file)
        if row is not None:
            by_picture.setdefault(row, set()).update([label] if label else [])
        elif file:
            unknown += 1
    return by_picture, unknown


def _name_codes(labels: list[str], codes: Mapping[str, str], notes: list[str]) -> tuple[list[str], list[str]]:
    """Replace numbers by their names, where each has one."""
    numbers = {label for label in labels if label}
    if not codes or not all(label.isdecimal() for label in numbers):
        return labels, notes
    if not all(str(int(label)) in codes for label in numbers):
        return labels, [*notes, "The names of the labels were not used: some numbers in labels.csv have none."]
    notes.append("The numbers in labels.csv are shown by the names that another file of the set gives them.")
    return [codes[str(int(label))] if label else "" for label in labels], notes


def _is_binary(rows: Sequence[Sequence[str]], column: int) -> bool:
    words = {word.casefold() for word in _distinct(rows, column)}
    return words <= _YES | _NO and words != {""}


def _distinct(rows: Sequence[Sequence[str]], column: int) -> set[str]:
    return {line[column] for line in rows if len(line) > column}
