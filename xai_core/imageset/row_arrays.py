"""Arrays that are written row by row, survive a kill, and are mapped from disk when they are finished.

Each is an ordinary .npy file whose header tells the final shape from the start: once the last row is there, NumPy maps
it.
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

# Free on the disk at all times, for everything else that is written.
SPARE_BYTES = 256 * 2**20
_PROGRESS = "progress.json"


@dataclass(frozen=True)
class ArraySpec:
    """Element type of an array, and the shape of a row."""

    dtype: str
    row: tuple[int, ...] = ()

    def row_bytes(self) -> int:
        return int(np.dtype(self.dtype).itemsize * np.prod(self.row, dtype=np.int64))


class ResumableArrays:
    """Arrays of `count` rows in a folder, of which `done` are safely on disk: an earlier beginning is continued.

    Raises XaiError where the disk has no room for all rows; every call may raise OSError.
    """

    def __init__(self, folder: Path, count: int, specs: Mapping[str, ArraySpec]) -> None:
        self.folder, self.count, self._specs = folder, count, specs
        folder.mkdir(parents=True, exist_ok=True)
        self.done = self._count_safe_rows()
        self._check_free_space()
        self._data_start: dict[str, int] = {}
        self._files = {name: self._open(name) for name in specs}

    def append(self, rows: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write the next rows, (n, …) of each array. They count as done once `save` was called.

        Where writing fails, some arrays have them and others do not: written once more they come to the same places.
        """
        for name, spec in self._specs.items():
            self._files[name].seek(self._data_start[name] + self.done * spec.row_bytes())
            self._files[name].write(np.ascontiguousarray(rows[name], dtype=spec.dtype).data)
        self.done += len(next(iter(rows.values())))

    def save(self) -> None:
        """Let the next run continue from here: the rows are on disk before the note that says so."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        part = self.folder / f"{_PROGRESS}.part"
        part.write_text(json.dumps({"done": self.done}), encoding="utf-8")
        part.replace(self.folder / _PROGRESS)

    def close(self) -> None:
        # A file that cannot write its last bytes leaves none of the others open.
        with ExitStack() as files:
            for file in self._files.values():
                files.callback(file.close)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def _count_safe_rows(self) -> int:
        """Return the rows that the note says are there, if every file has as many; else none."""
        try:
            done = int(json.loads((self.folder / _PROGRESS).read_text(encoding="utf-8"))["done"])
            enough = all(
                self._path(name).stat().st_size >= done * spec.row_bytes() for name, spec in self._specs.items()
            )
        except (OSError, ValueError, TypeError, KeyError):
            return 0
        return done if enough and 0 <= done <= self.count else 0

    def _check_free_space(self) -> None:
        needed = (self.count - self.done) * sum(spec.row_bytes() for spec in self._specs.values()) + SPARE_BYTES
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise XaiError(
                f"The numbers of this set need {needed / 2**20:,.0f} MB on this computer's disk, "
                f"and {free / 2**20:,.0f} MB are free. Make room, or choose a smaller set."
            )

    def _open(self, name: str) -> Any:
        """Open the file of an array at the next row; what was written after the last save is cut off."""
        spec, path = self._specs[name], self._path(name)
        file = path.open("r+b" if self.done else "w+b")
        header = {"descr": spec.dtype, "fortran_order": False, "shape": (self.count, *spec.row)}
        np.lib.format.write_array_header_1_0(file, header)
        self._data_start[name] = file.tell()
        file.seek(self._data_start[name] + self.done * spec.row_bytes())
        file.truncate()
        return file


def load_array(file: Path, mmap_mode: Literal["r"] | None = None) -> npt.NDArray[Any]:
    """Return the array of a file. Raises OSError, or ValueError for anything that is wrong with its contents."""
    try:
        array: npt.NDArray[Any] = np.load(file, mmap_mode=mmap_mode, allow_pickle=False)
    except (
        # All of them come from a damaged header.
        EOFError,
        SyntaxError,
        TypeError,
        LookupError,
        ArithmeticError,
        MemoryError,
        tokenize.TokenError,
    ) as error:
        raise ValueError(f"{file.name} is damaged") from error
    return array


def map_arrays(folder: Path, count: int, specs: Mapping[str, ArraySpec]) -> dict[str, npt.NDArray[Any]]:
    """Return the finished arrays of a folder, mapped read-only. Raises OSError or ValueError if damaged."""
    arrays = {}
    for name, spec in specs.items():
        array = load_array(folder / f"{name}.npy", "r")
        if array.dtype != np.dtype(spec.dtype) or array.shape != (count, *spec.row):
            raise ValueError(f"{name} has another shape than was written")
        arrays[name] = array
    return arrays
