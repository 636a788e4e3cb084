"""`python -m benchmarks.tables.reading`: our reading of CSV files against DuckDB's, and of encodings against
charset-normalizer's: files read right, CPU time and peak memory.

Neither is among the requirements: `pip install "duckdb>=2,<3" "charset-normalizer>=3.5,<4"` first.
"""

from __future__ import annotations

import csv
import io
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.tables.messy_files import MESSY_FILES, Rows
from tests.text_decoding.corpus import CASES, write_table
from xai_core.errors import InvalidTable
from xai_core.tabular.reading.csv_file import read_csv
from xai_core.text_decoding import decode_text

SEEDS, ROUNDS, LARGE_MB = 5, 5, 200
_OPTIONS = {
    "DuckDB": "all_varchar=true",
    "DuckDB, lenient": "all_varchar=true, strict_mode=false, ignore_errors=true",
    "DuckDB, lenient, comments": "all_varchar=true, strict_mode=false, ignore_errors=true, comment='#'",
}
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "1GB",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
# Row-wise peers of a file: our cells, and DuckDB's with a sample of as many rows as ours.
_LARGE_PEERS = {
    "ours": "",
    "DuckDB, cells": _OPTIONS["DuckDB, lenient"],
    "DuckDB, types": "strict_mode=false, ignore_errors=true",
}


def read_ours(data: bytes) -> Rows | None:
    """Return the names and the cells, or None for a refusal."""
    try:
        table = read_csv(data).columns
    except InvalidTable:
        return None
    return [table.column_names, *map(list, zip(*(column.to_pylist() for column in table.columns), strict=True))]


def build_duckdb_reader(options: str) -> Callable[[bytes], Rows | None]:
    """Return DuckDB's reader of one file, which may open nothing but this file."""
    import duckdb

    folder = Path(tempfile.mkdtemp())
    path = folder / "table.csv"
    connection = duckdb.connect(config=_SETTINGS)
    connection.execute(f"SET allowed_directories=['{folder}']")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")

    def read(data: bytes) -> Rows | None:
        try:
            # DuckDB reads UTF-8, UTF-16 and Latin-1 only.
            path.write_bytes(decode_text(data).utf8)
            relation = connection.sql(f"SELECT * FROM read_csv('{path}', {options})")
            return [relation.columns, *map(list, relation.fetchall())]
        except duckdb.Error:
            return None
        finally:
            path.unlink()

    return read


def is_right(result: Rows | None, expected: Rows | None) -> bool:
    """Return whether names and cells agree but for blanks around them, and the names of unnamed columns."""
    if result is None or expected is None:
        return result is expected
    names, *rows = [[str(cell or "").strip() for cell in row] for row in result]
    return [[re.sub(r"^column ?\d+$", "", name) for name in names], *rows] == expected


def report_files() -> None:
    readers = {"ours": read_ours, **{name: build_duckdb_reader(options) for name, options in _OPTIONS.items()}}
    results = {
        name: {title: is_right(read(data), rows) for title, (data, rows) in MESSY_FILES.items()}
        for name, read in readers.items()
    }
    print(f"| reader | right of {len(MESSY_FILES)} | not right |\n|---|---:|---|")
    for name, by_title in results.items():
        print(f"| {name} | {sum(by_title.values())} | {', '.join(t for t, right in by_title.items() if not right)} |")


def report_encodings() -> None:
    from charset_normalizer import from_bytes

    print("| different words | tables | ours right | ours sure | sure but wrong | charset-normalizer right |")
    print("|---:|---:|---:|---:|---:|---:|")
    for words in (4, 6, 12, 30):
        counts = np.zeros(5, dtype=int)
        for language, encoding in CASES:
            for seed in range(SEEDS):
                text = write_table(language, seed, words=words)
                data = text.encode(encoding)
                result, peer = decode_text(data), from_bytes(data).best()
                right = result.utf8.decode() == text
                counts += [1, right, result.is_sure, result.is_sure and not right, str(peer) == text]
        print(f"| {words} | {' | '.join(map(str, counts))} |")


def write_large(path: Path) -> None:
    """Write 200 MB of 20 columns: fractions, whole numbers, words in part in quotation marks, and a date."""
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue", "dark, red", "yellow"])
    block = io.StringIO()
    writer = csv.writer(block, lineterminator="\n")
    for _ in range(10_000):
        fractions, numbers = rng.normal(size=10).round(6), rng.integers(0, 10_000, 5)
        writer.writerow([*fractions, *numbers, *rng.choice(words, 4), f"2024-01-{rng.integers(1, 29):02d}"])
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(f"c{place}" for place in range(20)) + "\n")
        while file.tell() < (LARGE_MB - 2) << 20:
            file.write(block.getvalue())


def measure_once(peer: str, path: str) -> None:
    """Print CPU seconds and the growth of the peak memory, MB, of one reading in this process."""
    if peer == "ours":
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        read_csv(Path(path).read_bytes())
    else:
        import duckdb

        connection = duckdb.connect(config=_SETTINGS)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        query = (
            f"SELECT * FROM read_csv('{path}', {_LARGE_PEERS[peer]}) USING SAMPLE reservoir(100000 ROWS) REPEATABLE(0)"
        )
        connection.sql(query).to_arrow_table()
    seconds = time.process_time() - start
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def report_large() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        write_large(path)
        rounds: Mapping[str, list[list[float]]] = {peer: [] for peer in _LARGE_PEERS}
        for _ in range(ROUNDS):
            for peer, measured in rounds.items():
                command = [sys.executable, "-m", __spec__.name if __spec__ else "", peer, str(path)]
                answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                measured.append([float(word) for word in answer.split()])
    print("| reader | CPU, s | to ours | extra MB |\n|---|---:|---:|---:|")
    for peer, measured in rounds.items():
        ratio = median(mine[0] / ours[0] for mine, ours in zip(measured, rounds["ours"], strict=True))
        seconds, memory = (median(row[column] for row in measured) for column in (0, 1))
        print(f"| {peer} | {seconds:.2f} | {ratio:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure_once(*sys.argv[1:])
    else:
        report_files()
        report_encodings()
        report_large()
