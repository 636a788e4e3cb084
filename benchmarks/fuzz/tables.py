"""Damaged tables: each is refused in words, or the sound rows come back with their numbers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.fuzz.cases import Case, Limits, Slot, find_common_faults
from benchmarks.fuzz.damage import DamagedFile, Rng
from benchmarks.fuzz.guarded_reader import Outcome
from xai_core.tabular import read_table

LIMITS = Limits(5.0, 500.0)
BOMB_LIMITS = Limits(10.0, 900.0)
"""200 million cells may be unpacked, batch by batch."""
_WORDS = ("red", "blue", "grün", "Ærø", "x y", "left, right", 'a "quoted" word', "n/a?", "Łódź", "ocean")
_ABSURD = (
    "1e999",
    "-inf",
    "9" * 400,
    "0x1F",
    "NaN",
    "\x00",
    "1,2,3.4.5",
    "2024-13-45",
    "١٢٣",
    "=1+1",
    "\u202e1",
    "1e-400",
)


def build_rows(rng: Rng) -> tuple[list[str], list[list[str]], list[float]]:
    """Return names, cells of 40 to 80 rows, and the numbers of the first column."""
    count = int(rng.integers(40, 80))
    numbers = np.round(rng.normal(0, 100, count), 3)
    words = rng.choice(_WORDS, count)
    sizes = rng.integers(0, 9, count)
    rows = [[f"{number:.3f}", str(word), str(size)] for number, word, size in zip(numbers, words, sizes, strict=True)]
    return ["amount", "kind", "size"], rows, [float(number) for number in numbers]


def write_rows(rows: list[list[str]], delimiter: str = ",", line_end: str = "\n") -> str:
    """Write cells as CSV; a cell with a delimiter, a quote or a line end is quoted."""
    special = {delimiter, '"', "\n", "\r"}

    def quote(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if special & set(cell) else cell

    return line_end.join(delimiter.join(map(quote, row)) for row in rows) + line_end


def _expect(numbers: list[float]) -> bytes:
    return json.dumps(numbers).encode()


def build_whole(rng: Rng) -> DamagedFile:
    """A sound table in one of the usual dialects and encodings."""
    names, rows, numbers = build_rows(rng)
    line_end = str(rng.choice(["\n", "\r\n"]))
    text = write_rows([names, *rows], str(rng.choice([",", ";", "\t"])), line_end)
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))
    return DamagedFile(text.encode(encoding), "read", _expect(numbers))


def _sound(rng: Rng) -> tuple[bytes, list[float]]:
    names, rows, numbers = build_rows(rng)
    return write_rows([names, *rows]).encode(), numbers


def cut_end(rng: Rng) -> DamagedFile:
    """Cut off the end."""
    data, _ = _sound(rng)
    return DamagedFile(data[: int(len(data) * rng.random())])


def flip_bits(rng: Rng) -> DamagedFile:
    """Flip one to twenty bits."""
    data = bytearray(_sound(rng)[0])
    for _ in range(rng.integers(1, 21)):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return DamagedFile(bytes(data))


def replace_bytes(rng: Rng) -> DamagedFile:
    """Write random bytes over a stretch."""
    data = bytearray(_sound(rng)[0])
    at, count = int(rng.integers(len(data))), int(rng.integers(1, 200))
    data[at : at + count] = rng.bytes(count)
    return DamagedFile(bytes(data))


def add_ragged_rows(rng: Rng) -> DamagedFile:
    """Give up to three rows a cell too few or three too many: all other rows stay."""
    names, rows, numbers = build_rows(rng)
    bad = set(rng.choice(np.arange(5, len(rows)), int(rng.integers(1, 4)), replace=False).tolist())
    ragged = [
        (row[:2] if rng.random() < 0.5 else [*row, "x", "y", "z"]) if place in bad else row
        for place, row in enumerate(rows)
    ]
    left = [number for place, number in enumerate(numbers) if place not in bad]
    return DamagedFile(write_rows([names, *ragged]).encode(), "read", _expect(left))


def open_quote(rng: Rng) -> DamagedFile:
    """Open a quotation mark that is never closed."""
    data, _ = _sound(rng)
    lines = data.split(b"\n")
    place = int(rng.integers(len(lines)))
    lines[place] = b'"' + lines[place]
    return DamagedFile(b"\n".join(lines))


def mix_line_ends(rng: Rng) -> DamagedFile:
    """End every line in a way of its own, with blank lines between."""
    names, rows, numbers = build_rows(rng)
    lines = write_rows([names, *rows]).split("\n")[:-1]
    ends = rng.choice(["\n", "\r\n", "\n\n", "\r\n\r\n"], len(lines))
    text = "".join(line + end for line, end in zip(lines, ends, strict=True))
    return DamagedFile(text.encode(), "read", _expect(numbers))


def write_absurd_cells(rng: Rng) -> DamagedFile:
    """Put words that look like numbers into a few cells of every column."""
    names, rows, _ = build_rows(rng)
    for _ in range(int(rng.integers(1, 30))):
        rows[int(rng.integers(len(rows)))][int(rng.integers(3))] = str(rng.choice(_ABSURD))
    return DamagedFile(write_rows([names, *rows]).encode(errors="surrogatepass"))


def mix_encodings(rng: Rng) -> DamagedFile:
    """Join pieces in different encodings."""
    names, rows, _ = build_rows(rng)
    text = write_rows([names, *rows])
    encodings = [str(rng.choice(["utf-8", "utf-16-le", "cp1252", "utf-8"])) for _ in range(3)]
    third = len(text) // 3
    pieces = (text[:third], text[third : 2 * third], text[2 * third :])
    return DamagedFile(b"".join(piece.encode(code, "replace") for piece, code in zip(pieces, encodings, strict=True)))


def write_odd_header(rng: Rng) -> DamagedFile:
    """Repeat, lengthen, empty or number the names, or have far too many of them."""
    _, rows, _ = build_rows(rng)
    header = [
        ["a", "a", "a"],
        ["", "", ""],
        ["x" * 100_000, "b", "c"],
        ["1", "2", "3"],
        ["\u200b", "\u202e", "\ufeff"],
        ["n"] * 50_000,
        ["=cmd|' /C calc'!A0", "<script>", "{{7*7}}"],
    ][int(rng.integers(7))]
    return DamagedFile(write_rows([header, *rows]).encode())


def write_huge_cell(rng: Rng) -> DamagedFile:
    """Put a cell of some megabytes into one row."""
    names, rows, _ = build_rows(rng)
    rows[int(rng.integers(len(rows)))][1] = "long " * int(rng.integers(200_000, 2_000_000))
    return DamagedFile(write_rows([names, *rows]).encode())


def write_separators_only(rng: Rng) -> DamagedFile:
    """Repeat one sign a million times."""
    return DamagedFile(str(rng.choice([",", ";", '"', "\n", "\t", " ", "\r", "0", "|"])).encode() * 1_000_000)


def write_binary(rng: Rng) -> DamagedFile:
    """Random bytes, sometimes behind the first bytes of another format."""
    start = [b"", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe", b"\xef\xbb\xbf", b"PAR1", b"\x80\x04\x95"][
        int(rng.integers(7))
    ]
    return DamagedFile(start + rng.bytes(int(rng.integers(1, 5000))))


def _write_parquet(rng: Rng) -> tuple[bytes, list[float]]:
    names, rows, numbers = build_rows(rng)
    columns = {names[0]: numbers, names[1]: [row[1] for row in rows], names[2]: [int(row[2]) for row in rows]}
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out, compression=str(rng.choice(["none", "snappy", "gzip", "zstd"])))
    return out.getvalue(), numbers


def build_parquet(rng: Rng) -> DamagedFile:
    """A sound Parquet file."""
    data, numbers = _write_parquet(rng)
    return DamagedFile(data, "read", _expect(numbers))


def damage_parquet(rng: Rng) -> DamagedFile:
    """Flip bits in, or cut, a Parquet file."""
    data = bytearray(_write_parquet(rng)[0])
    if rng.random() < 0.3:
        return DamagedFile(bytes(data[: int(len(data) * rng.random())]))
    for _ in range(rng.integers(1, 9)):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return DamagedFile(bytes(data))


def build_parquet_bomb(rng: Rng) -> DamagedFile:
    """A few kilobytes that unpack to far too many equal cells, or to one text in every row."""
    if rng.random() < 0.5:
        group, groups = pa.table({"a": np.zeros(1_000_000), "b": np.ones(1_000_000)}), 150
    else:
        words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(200_000, dtype=np.int32)), ["z" * 30_000])
        group, groups = pa.table({"a": words, "b": np.arange(200_000)}), 20
    out = io.BytesIO()
    with parquet.ParquetWriter(out, group.schema, compression="zstd") as writer:
        for _ in range(groups):
            writer.write_table(group)
    return DamagedFile(out.getvalue(), "refuse" if groups == 150 else "either")


_KINDS: dict[str, tuple[str, Callable[[Rng], DamagedFile]]] = {
    "undamaged": ("CSV", build_whole),
    "cut off": ("CSV", cut_end),
    "bits flipped": ("CSV", flip_bits),
    "bytes replaced": ("CSV", replace_bytes),
    "ragged rows": ("CSV", add_ragged_rows),
    "open quote": ("CSV", open_quote),
    "mixed line ends": ("CSV", mix_line_ends),
    "absurd cells": ("CSV", write_absurd_cells),
    "mixed encodings": ("CSV", mix_encodings),
    "odd header": ("CSV", write_odd_header),
    "huge cell": ("CSV", write_huge_cell),
    "one sign": ("CSV", write_separators_only),
    "no table": ("CSV", write_binary),
    "undamaged Parquet": ("Parquet", build_parquet),
    "damaged Parquet": ("Parquet", damage_parquet),
}


def _plan() -> Iterator[Slot]:
    for turn in range(8):
        for kind, (form, make) in _KINDS.items():
            yield Slot(kind, form, make, limits=LIMITS)
        if turn == 0:
            yield Slot("bomb", "Parquet", build_parquet_bomb, limits=BOMB_LIMITS)


PLAN = tuple(_plan())


def read(data: bytes) -> list[float]:
    """Read a table and return the numbers of its first column."""
    raw = read_table(data, "table.csv")
    first = raw.columns[0]
    return [float(number) for number in raw.frame[first.name]] if first.kind == "numeric" else []


def find_faults(case: Case, outcome: Outcome) -> list[str]:
    """List every fault of an outcome in words."""
    faults = find_common_faults(case, outcome)
    if outcome.ending == "read" and case.reference is not None:
        expected = json.loads(case.reference)
        actual = outcome.value
        if not isinstance(actual, list) or len(actual) != len(expected):
            count = len(actual) if isinstance(actual, list) else 0
            faults.append(f"was read with {count} numbers in the first column, it has {len(expected)}")
        elif not np.allclose(actual, expected, rtol=0, atol=1e-12):
            faults.append("was read with other numbers")
    return faults
