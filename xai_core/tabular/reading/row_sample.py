"""Uniform sample of the rows of a stream of unknown length, in bounded memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from xai_core.arrays import Float64
from xai_core.errors import InvalidTable

MAX_UNPACKED_BYTES = 1 << 30


class RowSample:
    """At most `size` rows of all that were added: each row gets a random key, and the rows with the smallest keys stay.

    Every row has the same chance to stay, and the same seed keeps the same rows.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self.row_count = 0
        """Rows added so far."""
        self._rng = np.random.default_rng(seed)
        self._batches: list[pa.RecordBatch] = []
        self._keys: list[Float64] = []
        self._max_key = np.inf
        self._bytes = self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows.

        Raises:
            InvalidTable: the sample outgrows memory.
        """
        keys = self._rng.random(batch.num_rows)
        self.row_count += batch.num_rows
        stays = keys < self._max_key
        if not stays.all():
            batch, keys = batch.filter(pa.array(stays)), keys[stays]
        self._batches.append(batch)
        self._keys.append(keys)
        self._rows += len(keys)
        self._bytes += batch.nbytes
        # Prune only at twice the size, so that its cost is spread over many batches.
        if self._rows > 2 * self.size:
            self._prune()
        if self._bytes > MAX_UNPACKED_BYTES:
            raise InvalidTable(
                "This table takes more than 1 GB of memory once it is unpacked. Leave out its columns of long text."
            )

    def _prune(self) -> None:
        keys = np.concatenate(self._keys)
        self._max_key = np.partition(keys, self.size - 1)[self.size - 1]
        stays = keys <= self._max_key
        table = pa.Table.from_batches(self._batches).filter(pa.array(stays)).combine_chunks()
        self._batches, self._keys = table.to_batches(), [keys[stays]]
        self._rows, self._bytes = len(table), table.nbytes

    def to_table(self, schema: pa.Schema) -> pa.Table:
        """Return the sample, in the order in which its rows came."""
        if self.row_count > self.size:
            self._prune()
        return pa.Table.from_batches(self._batches, schema=schema)
