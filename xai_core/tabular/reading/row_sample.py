"""Keep a fair sample of the rows of a stream whose length nobody knows, in bounded memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from xai_core.errors import InvalidTable

_UNPACKED_BYTES = 1 << 30


class RowSample:
    """At most `keep` rows of all that were added: each row gets a random key, and the rows with the smallest keys stay.

    Every row has the same chance to stay, and the same seed keeps the same rows.
    """

    def __init__(self, keep: int, seed: int = 0) -> None:
        self.keep = keep
        self.seen = 0
        self._rng = np.random.default_rng(seed)
        self._batches: list[pa.RecordBatch] = []
        self._keys: list[np.ndarray] = []
        self._worst = np.inf

    def add(self, batch: pa.RecordBatch) -> None:
        """Look at some more rows. Raises InvalidTable where what is kept outgrows memory."""
        keys = self._rng.random(batch.num_rows)
        self.seen += batch.num_rows
        chosen = keys < self._worst
        if chosen.all():
            self._batches.append(batch)
            self._keys.append(keys)
        elif chosen.any():
            self._batches.append(batch.filter(pa.array(chosen)))
            self._keys.append(keys[chosen])
        if sum(map(len, self._keys)) > 2 * self.keep:
            self._prune()
        if sum(kept.nbytes for kept in self._batches) > _UNPACKED_BYTES:
            raise InvalidTable(
                "This table takes more than 1 GB of memory once it is unpacked. Leave out its columns of long text."
            )

    def _prune(self) -> None:
        keys = np.concatenate(self._keys)
        self._worst = np.partition(keys, self.keep - 1)[self.keep - 1]
        stays = keys <= self._worst
        table = pa.Table.from_batches(self._batches).filter(pa.array(stays)).combine_chunks()
        self._batches, self._keys = table.to_batches(), [keys[stays]]

    def table(self, schema: pa.Schema) -> pa.Table:
        """The rows kept, in the order they came."""
        if self.seen > self.keep:
            self._prune()
        return pa.Table.from_batches(self._batches, schema=schema)
