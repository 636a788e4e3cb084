"""Arrays that are written row by row, survive a kill, and are read back from disk as they are looked at.

Each is an ordinary .npy file whose header tells the final shape from the start: when the last row is there, NumPy can map it.
"""

from __future__ import annotations

import json
import os
import shutil
import tokenize
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xai_core.errors import XaiError

SPARE = 256 * 2**20
"""Bytes of the disk that stay free, for everything else that is written."""
_PROGRESS = "progress.json"


@dataclass(frozen=True)
class Columns:
    """One array of a file: what kind of number, and the shape of a row."""

    dtype: str
    row: tuple[int, ...] = ()

    def row_bytes(self) -> int:
        return int(np.dtype(self.dtype).itemsize * np.prod(self.row, dtype=np.int64))


class Unfinished:
    """Arrays of `count` rows in a folder, of which `done` are safely there. What was begun before is gone on with.

    Raises XaiError where the disk has no room for all rows; every call may raise OSError.
    """

    def __init__(self, folder: Path, count: int, columns: Mapping[str, Columns]) -> None:
        self.folder, self.count, self._columns = folder, count, columns
        folder.mkdir(parents=True, exist_ok=True)
        self.done = self._safe()
        self._check_room()
        self._first: dict[str, int] = {}
        self._files = {name: self._opened(name) for name in columns}

    def append(self, rows: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write the next rows, (n, …) of each array. They count as done once `save` was called.

        Where writing fails, some arrays have them and others do not: written once more they come to the same places.
        """
        for name, columns in self._columns.items():
            self._files[name].seek(self._first[name] + self.done * columns.row_bytes())
            self._files[name].write(np.ascontiguousarray(rows[name], dtype=columns.dtype).data)
        self.done += len(next(iter(rows.values())))

    def save(self) -> None:
        """From here the next run goes on: the rows are on the disk before the note that says so."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        part = self.folder / f"{_PROGRESS}.part"
        part.write_text(json.dumps({"done": self.done}), encoding="utf-8")
        part.replace(self.folder / _PROGRESS)

    def close(self) -> None:
        with ExitStack() as files:  # one that cannot write its last bytes leaves none of the others open
            for file in self._files.values():
                files.callback(file.close)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _header(self, name: str) -> dict[str, Any]:
        columns = self._columns[name]
        return {"descr": columns.dtype, "fortran_order": False, "shape": (self.count, *columns.row)}

    def _safe(self) -> int:
        """How many rows the note says are there, if every file has as many; else none."""
        try:
            done = int(json.loads((self.folder / _PROGRESS).read_text(encoding="utf-8"))["done"])
            enough = all(
                self._path(name).stat().st_size >= done * columns.row_bytes() for name, columns in self._columns.items()
            )
        except (OSError, ValueError, TypeError, KeyError):
            return 0
        return done if enough and 0 <= done <= self.count else 0

    def _check_room(self) -> None:
        needed = (self.count - self.done) * sum(columns.row_bytes() for columns in self._columns.values()) + SPARE
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise XaiError(
                f"The numbers of this set need {needed / 2**20:,.0f} MB on this computer's disk, and {free / 2**20:,.0f} MB are free. "
                "Make room, or choose a smaller set."
            )

    def _opened(self, name: str) -> Any:
        """The file of an array, ready for the next row; what was written after the last save is cut off."""
        path = self._path(name)
        file = path.open("r+b" if self.done else "w+b")
        np.lib.format.write_array_header_1_0(file, self._header(name))
        self._first[name] = file.tell()
        file.seek(self._first[name] + self.done * self._columns[name].row_bytes())
        file.truncate()
        return file


def loaded(file: Path, mmap_mode: Literal["r"] | None = None) -> npt.NDArray[Any]:
    """The array of a file. Raises OSError, or ValueError for anything that is wrong with what is in it."""
    try:
        found: npt.NDArray[Any] = np.load(file, mmap_mode=mmap_mode, allow_pickle=False)
    except (
        EOFError,
        SyntaxError,
        TypeError,
        LookupError,
        ArithmeticError,
        MemoryError,
        tokenize.TokenError,
    ) as error:  # its header
        raise ValueError(f"{file.name} is damaged") from error
    return found


def mapped(folder: Path, count: int, columns: Mapping[str, Columns]) -> dict[str, npt.NDArray[Any]]:
    """The finished arrays of a folder, read-only and read from disk as they are looked at. Raises OSError or ValueError if damaged."""
    found = {}
    for name, wanted in columns.items():
        array = loaded(folder / f"{name}.npy", "r")
        if array.dtype != np.dtype(wanted.dtype) or array.shape != (count, *wanted.row):
            raise ValueError(f"{name} has another shape than was written")
        found[name] = array
    return found
