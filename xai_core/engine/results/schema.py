"""Tables of the file of results, their statements, and the setup of a connection."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from xai_core.engine.results.serialization import Packed

SCHEMA = 2
# Timeout of a write that waits for another process, in seconds.
BUSY_S = 2.0
_LOG_BYTES = 4 * 2**20

TABLES = (
    # `used` counts uses, not seconds: a clock that is put back changes nothing.
    """CREATE TABLE results (
        key TEXT NOT NULL PRIMARY KEY,
        used INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        about BLOB NOT NULL,
        npz BLOB NOT NULL
    )""",
    "CREATE INDEX results_by_use ON results (used, key)",
    # Pictures of links made before short links; they are only read and deleted.
    """CREATE TABLE pictures (
        id INTEGER PRIMARY KEY,
        token_sha256 BLOB NOT NULL UNIQUE,
        sha256 BLOB NOT NULL,
        png BLOB NOT NULL
    )""",
    """CREATE TABLE links (
        key TEXT NOT NULL REFERENCES results ON DELETE CASCADE,
        picture INTEGER NOT NULL REFERENCES pictures ON DELETE CASCADE,
        PRIMARY KEY (key, picture)
    ) WITHOUT ROWID""",
    "CREATE INDEX links_by_picture ON links (picture)",
    """CREATE TRIGGER last_link_gone AFTER DELETE ON links
        WHEN NOT EXISTS (SELECT 1 FROM links WHERE picture = OLD.picture)
        BEGIN DELETE FROM pictures WHERE id = OLD.picture; END""",
)
# Since schema 2. A link goes with the last of its results; of a deleted one its code is left.
SHARE_TABLES = (
    """CREATE TABLE shares (
        code TEXT NOT NULL PRIMARY KEY,
        about BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        png BLOB,
        png_sha256 BLOB
    )""",
    """CREATE TABLE share_results (
        key TEXT NOT NULL REFERENCES results ON DELETE CASCADE,
        code TEXT NOT NULL REFERENCES shares ON DELETE CASCADE,
        PRIMARY KEY (key, code)
    ) WITHOUT ROWID""",
    "CREATE INDEX share_results_by_code ON share_results (code)",
    """CREATE TRIGGER last_result_gone AFTER DELETE ON share_results
        WHEN NOT EXISTS (SELECT 1 FROM share_results WHERE code = OLD.code)
        BEGIN DELETE FROM shares WHERE code = OLD.code; END""",
    "CREATE TABLE deleted_shares (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE)",
)
_NEXT_USE = "(SELECT coalesce(max(used), 0) + 1 FROM results)"
GET = "SELECT about, npz, sha256 FROM results WHERE key = ?"
PUT = f"""INSERT INTO results (key, used, sha256, about, npz) VALUES (?, {_NEXT_USE}, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
    SET used = excluded.used, sha256 = excluded.sha256, about = excluded.about, npz = excluded.npz"""
USE = f"UPDATE results SET used = {_NEXT_USE} WHERE key = ?"
DROP = "DELETE FROM results WHERE key = ? AND sha256 IS ? AND about IS ? AND npz IS ?"
OLDEST_UNLINKED = (
    "SELECT key FROM results WHERE NOT EXISTS (SELECT 1 FROM links WHERE links.key = results.key)"
    " AND NOT EXISTS (SELECT 1 FROM share_results WHERE share_results.key = results.key) ORDER BY used LIMIT 1"
)
OLDEST = "SELECT key FROM results ORDER BY used LIMIT 1"
ADD_SHARE = "INSERT INTO shares (code, about, sha256, png, png_sha256) VALUES (?, ?, ?, ?, ?)"
ADD_SHARE_RESULT = "INSERT INTO share_results (key, code) VALUES (?, ?)"
SHARE = """SELECT about, sha256 FROM shares WHERE code = :code
    UNION ALL SELECT x'', x'' FROM deleted_shares WHERE code = :code"""
SHARED_PICTURE = "SELECT png, png_sha256 FROM shares WHERE code = ? AND png IS NOT NULL"
DELETE_SHARE = "DELETE FROM shares WHERE code = ?"
NOTE_DELETED = "INSERT OR IGNORE INTO deleted_shares (code) VALUES (?)"
DROP_OLD_NOTES = "DELETE FROM deleted_shares WHERE id <= (SELECT max(id) FROM deleted_shares) - ?"
PICTURE = "SELECT png, sha256 FROM pictures WHERE id = (SELECT max(picture) FROM links WHERE key = ?)"
FORGET = "DELETE FROM pictures WHERE token_sha256 = ? AND id IN (SELECT picture FROM links WHERE key = ?)"


def connect(file: Path) -> sqlite3.Connection:
    """Open a connection in autocommit, for any one thread at a time."""
    db = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        # With WAL a power cut may undo the last write but never halves it.
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
        db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
    except BaseException:
        db.close()
        raise
    return db


def put(db: sqlite3.Connection, key: str, packed: Packed) -> None:
    """Write a result in place of an older one of this key, whose links stay."""
    db.execute(PUT, (key, packed.sha256, packed.about, packed.values))


def release_pages(db: sqlite3.Connection) -> None:
    """Return the free pages to the file system when the transaction ends."""
    for _ in range(pragma(db, "freelist_count")):
        # Python lets it take one step, which is one page.
        db.execute("PRAGMA incremental_vacuum")


def pragma(db: sqlite3.Connection, name: str) -> int:
    """Return a number that SQLite knows about the file."""
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def used_bytes(db: sqlite3.Connection) -> int:
    """Return the size of the file once its free pages are released."""
    return (pragma(db, "page_count") - pragma(db, "freelist_count")) * pragma(db, "page_size")
