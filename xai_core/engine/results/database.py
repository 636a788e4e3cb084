"""Results and pictures in one SQLite file that several threads and processes use at once.

A result is one row written in one transaction, so `kill -9` leaves all of it or nothing. Write-ahead logging lets
everybody read while one writes; each write is short and waits a moment for another's. What is deleted is overwritten,
and its room given back.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from xai_core.engine.results import schema as sql
from xai_core.engine.results.serialization import Packed, PackedImage, PackedShare

# Uses of results that are held in memory before they are written.
_USES = 500
# Deleted links of which it is remembered that they were deleted.
_DELETED_NOTES = 10_000


class NewerSchema(Exception):
    """The file was written by a newer version of this project."""


class StoreFull(Exception):
    """A result does not fit beside those that may not be deleted for it."""


class Database:
    """A connection that reads and one that writes, each for one thread at a time: waiting writers block no reader.

    Every call may raise sqlite3.Error or OSError; opening may raise NewerSchema, `write` and `write_share` StoreFull.
    """

    def __init__(self, file: Path, limit: int) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._limit = limit
        self._uses: dict[str, None] = {}
        self._reads, self._writes, self._noting = threading.Lock(), threading.Lock(), threading.Lock()
        self._writer = sql.connect(file)
        try:
            self._ensure_tables()
            self._reader = sql.connect(file)
        except BaseException:
            self._writer.close()
            raise

    def read(self, key: str) -> Packed | None:
        """Return the row of a result, unchecked."""
        with self._reads:
            row = self._reader.execute(sql.GET, (key,)).fetchone()
        return Packed(*row) if row else None

    def write(self, key: str, packed: Packed) -> None:
        """Keep a result and evict others for it: the least recently used first, those with a picture last."""
        with self._transaction() as db:
            sql.put(db, key, packed)
            self._evict(db, {key})

    def write_share(
        self, code: str, share: PackedShare, results: Mapping[str, Callable[[], Packed]], picture: PackedImage | None
    ) -> None:
        """Keep a short link to these results; a result that is missing is packed and kept too."""
        picture_row = (None, None) if picture is None else (picture.png, picture.sha256)
        with self._transaction() as db:
            db.execute(sql.ADD_SHARE, (code, share.about, share.sha256, *picture_row))
            for key, packed in results.items():
                if db.execute(sql.USE, (key,)).rowcount == 0:
                    sql.put(db, key, packed())
                db.execute(sql.ADD_SHARE_RESULT, (key, code))
            self._evict(db, results.keys())

    def share(self, code: str) -> PackedShare | None:
        """Return the row of a short link, unchecked; an empty one for a deleted link."""
        with self._reads:
            row = self._reader.execute(sql.SHARE, {"code": code}).fetchone()
        return PackedShare(*row) if row else None

    def shared_picture(self, code: str) -> PackedImage | None:
        """Return the picture of a short link, unchecked."""
        with self._reads:
            row = self._reader.execute(sql.SHARED_PICTURE, (code,)).fetchone()
        return PackedImage(*row) if row else None

    def delete_share(self, code: str) -> bool:
        """Delete a short link with its picture, overwritten in file and log; note that it was deleted."""
        with self._transaction() as db:
            deleted = db.execute(sql.DELETE_SHARE, (code,)).rowcount > 0
            db.execute(sql.NOTE_DELETED, (code,))
            db.execute(sql.DROP_OLD_NOTES, (_DELETED_NOTES,))
        self._empty_log()
        return deleted

    def picture(self, key: str) -> PackedImage | None:
        """Return the newest picture kept with a result by an old link, unchecked."""
        with self._reads:
            row = self._reader.execute(sql.PICTURE, (key,)).fetchone()
        return PackedImage(*row) if row else None

    def forget(self, key: str, token_sha256: bytes) -> bool:
        """Delete the picture with this token, if it is kept with this result: overwritten in file and log."""
        with self._transaction() as db:
            deleted = db.execute(sql.FORGET, (token_sha256, key)).rowcount > 0
        if deleted:
            self._empty_log()
        return deleted

    def _empty_log(self) -> None:
        """Write the log into the file and overwrite it: what was deleted must not be left in it."""
        with self._writes:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def drop(self, key: str, packed: Packed) -> None:
        """Delete a damaged row, unless somebody has written a better one meanwhile."""
        with self._transaction() as db:
            db.execute(sql.DROP, (key, packed.sha256, packed.about, packed.values))

    def touch(self, key: str) -> None:
        """Note the use of a result; it is written later, with something else."""
        with self._noting:
            self._uses.pop(key, None)
            self._uses[key] = None

    def keys(self) -> set[str]:
        """Return the keys of all results."""
        with self._reads:
            return {key for (key,) in self._reader.execute("SELECT key FROM results")}

    def bytes(self) -> int:
        """Return the size of the file, without its log of a few megabytes."""
        with self._reads:
            return sql.used_bytes(self._reader)

    def close(self) -> None:
        """Write the last uses and close the file. Later calls raise sqlite3.ProgrammingError."""
        with suppress(sqlite3.Error, UnicodeDecodeError), self._transaction() as db:
            self._write_uses(db)
        with self._reads, self._writes:
            self._reader.close()
            self._writer.close()

    def _ensure_tables(self) -> None:
        """Create the tables if there are none; a file that has them is only read: it may be locked or its disk full."""
        db = self._writer
        version = sql.pragma(db, "user_version")
        if version > sql.SCHEMA:
            raise NewerSchema
        if version == 0:
            self._create()
        elif version < sql.SCHEMA:
            self._upgrade()
        if sql.used_bytes(db) > self._limit:
            with self._transaction():
                self._evict(db, ())

    def _create(self) -> None:
        db = self._writer
        # Has no effect once WAL or a table has been written.
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        with self._transaction():
            # Else another process was quicker.
            if sql.pragma(db, "user_version") == 0:
                for table in (*sql.TABLES, *sql.SHARE_TABLES):
                    db.execute(table)
                db.execute(f"PRAGMA user_version = {sql.SCHEMA}")

    def _upgrade(self) -> None:
        """Add what schema 2 has more than schema 1."""
        with self._transaction() as db:
            if sql.pragma(db, "user_version") < sql.SCHEMA:
                for table in sql.SHARE_TABLES:
                    db.execute(table)
                db.execute(f"PRAGMA user_version = {sql.SCHEMA}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run one transaction: all of it or nothing, whatever stops it."""
        with self._writes:
            db = self._writer
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                sql.release_pages(db)
                db.execute("COMMIT")
            except BaseException:
                # A full disk has ended it already.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _evict(self, db: sqlite3.Connection, keep: Collection[str]) -> None:
        if (full := sql.used_bytes(db) > self._limit) or len(self._uses) > _USES:
            self._write_uses(db, last=keep)
        while full:
            row = db.execute(sql.OLDEST_UNLINKED).fetchone() or db.execute(sql.OLDEST).fetchone()
            if row is None:
                return
            if row[0] in keep:
                raise StoreFull
            db.execute("DELETE FROM results WHERE key = ?", row)
            full = sql.used_bytes(db) > self._limit

    def _write_uses(self, db: sqlite3.Connection, last: Iterable[str] = ()) -> None:
        with self._noting:
            uses, self._uses = self._uses, {}
        db.executemany(sql.USE, [(key,) for key in (*uses, *last)])
