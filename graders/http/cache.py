"""Answers that were given before, on disk: a resumed job or a second look pays nothing for them.

SQLite by hand, in one file that threads and processes share. diskcache would be the library, but it unpickles what it
finds in its folder and has had no release since 2023.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
from pydantic import JsonValue

MAX_BYTES = 1 << 30
TABLE = """
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, at REAL, size INTEGER, body BLOB);
CREATE INDEX IF NOT EXISTS answers_at ON answers (at);
"""
LOOK_EVERY = 500
"""Writes between two looks at the size."""


class AnswerCache:
    """By the digest of the whole request: address, key, body. Holds no key, only what they hash to."""

    def __init__(self, file: Path, max_bytes: int = MAX_BYTES) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._written = 0
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(TABLE)

    def get(self, key: bytes) -> JsonValue | None:
        """None too when the file cannot be read: then the question is asked again."""
        try:
            with self._open() as database:
                row = database.execute("SELECT body FROM answers WHERE key = ?", (key,)).fetchone()
                found: JsonValue = orjson.loads(row[0]) if row else None
                return found
        except (sqlite3.Error, orjson.JSONDecodeError):
            return None

    def put(self, key: bytes, answer: JsonValue) -> None:
        """What cannot be written is not remembered, and no harm is done."""
        body = orjson.dumps(answer)
        try:
            with self._open() as database:
                row = (key, time.time(), len(body), body)
                database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)
        except sqlite3.Error:
            return
        with self._lock:
            self._written += 1
            is_time_to_look = self._written % LOOK_EVERY == 0
        if is_time_to_look:
            self.shrink()

    def shrink(self) -> None:
        """Forget the oldest answers until a tenth of the room is free again."""
        with self._open() as database:
            size = database.execute("SELECT coalesce(sum(size), 0) FROM answers").fetchone()[0]
            if size <= self._max_bytes:
                return
            oldest = database.execute("SELECT key, size FROM answers ORDER BY at").fetchall()
            for key, bytes_ in oldest:
                if size <= 0.9 * self._max_bytes:
                    break
                database.execute("DELETE FROM answers WHERE key = ?", (key,))
                size -= bytes_

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thing. Opening one takes less than a tenth of a millisecond, a judge seconds."""
        with closing(sqlite3.connect(self._file, timeout=10)) as database, database:
            yield database


def key_of(url: str, headers: object, body: object, attempt: int = 0) -> bytes:
    """Of a whole request, its secrets included."""
    return hashlib.sha256(orjson.dumps([url, headers, body, attempt], option=orjson.OPT_SORT_KEYS)).digest()
