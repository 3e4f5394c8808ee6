"""A backup as a file: one tar, its entries in this order, and whether all of them are what was put in.

about.json          which version of Whetstone wrote it
database.jsonl      every row
artifacts.jsonl     every stored file: place, sha256, size
artifacts/…         the files themselves, where they were asked for
end.json            the hashes of all entries before. A tar that was cut off lacks it
"""

import hashlib
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, cast

import orjson

FORMAT = 2
ABOUT, ROWS, INDEX, FILES, END = "about.json", "database.jsonl", "artifacts.jsonl", "artifacts/", "end.json"
CHUNK = 1024 * 1024
UNREADABLE = (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError)
"""What the standard library says of a tar, packed or not, that is torn."""


class CannotRestore(Exception):
    """The backup does not go in here, for a reason that the message says. Nothing was changed."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Summed:
    """A file that knows the hash of what was read from it."""

    def __init__(self, content: Readable) -> None:
        self._content = content
        self._digest = hashlib.sha256()

    def read(self, size: int = CHUNK, /) -> bytes:
        chunk = self._content.read(size)
        self._digest.update(chunk)
        return chunk

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def sha256_of(content: Readable) -> str:
    summed = Summed(content)
    while summed.read():
        pass
    return summed.sha256


class Writer:
    """Writes one entry after the other. What broke off is recognised: its last entry is written on success alone."""

    def __init__(self, target: Path) -> None:
        self._tar = tarfile.open(target, "w")  # noqa: SIM115 - a context itself
        self._written: dict[str, str] = {}

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._tar:
            if kind is None:
                self.add_text(END, orjson.dumps(self._written))

    def add_text(self, name: str, text: bytes) -> None:
        self.add(name, BytesIO(text), len(text))

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as content:
            self.add(name, content, path.stat().st_size)

    def add(self, name: str, content: Readable, size: int) -> str:
        """Returns the hash of what was written."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        summed = Summed(content)
        self._tar.addfile(entry, cast(IO[bytes], summed))
        self._written[name] = summed.sha256
        return summed.sha256


@dataclass(frozen=True)
class Archive:
    """A backup of which every byte was read and found to be what was written."""

    migrations: list[str]
    """What its database's schema was made by."""
    index: list[dict[str, Any]]  # Any: place and sha256 are texts, size is a number
    _tar: tarfile.TarFile
    _written: dict[str, str]

    def rows(self) -> Iterator[Any]:  # Any: a row as Django's serializer writes it
        return _lines(self._tar, ROWS)

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Place and content of each file that was whole when it was backed up."""
        for file in self.index:
            if self._written.get(name := FILES + file["place"]) == file["sha256"]:
                yield file["place"], _content(self._tar, self._tar.getmember(name))


@contextmanager
def opened(source: Path) -> Iterator[Archive]:
    """Raises CannotRestore when the file is no backup, of another version, or not whole."""
    try:
        tar = tarfile.open(source)  # noqa: SIM115 - closed below
    except UNREADABLE as error:
        raise CannotRestore(f"{source} cannot be read as a backup: {error}.") from None
    with tar:
        yield _read_through(tar, source)


def _read_through(tar: tarfile.TarFile, source: Path) -> Archive:
    try:
        about, written = _about(tar, source), _read_all(tar)
        return Archive(about["migrations"], list(_lines(tar, INDEX)), tar, written)
    except (*UNREADABLE, ValueError, KeyError, TypeError) as error:  # whatever a flipped bit makes of JSON
        raise CannotRestore(f"{source} is damaged: {error}. Nothing was changed. Take another backup.") from None


def _about(tar: tarfile.TarFile, source: Path) -> dict[str, Any]:  # Any: as about.json was written
    first = tar.next()
    about = next(_lines(tar, ABOUT)) if first and first.name == ABOUT else None
    if not isinstance(about, dict) or "format" not in about:
        raise CannotRestore(f"{source} is no backup of Whetstone.")
    if about["format"] != FORMAT:
        raise CannotRestore("The backup is of another version of Whetstone. Restore it with that one, then upgrade.")
    return about


def _read_all(tar: tarfile.TarFile) -> dict[str, str]:
    """The hash of every entry. Raises ReadError when one is not as it was written: `tarfile` itself ends in silence
    where a header cannot be read."""
    found = {entry.name: sha256_of(_content(tar, entry)) for entry in tar}
    if found.pop(END, None) is None:
        raise tarfile.ReadError("its end is missing")
    written: dict[str, str] = next(_lines(tar, END))
    if wrong := [name for name in {**written, **found} if written.get(name) != found.get(name)]:
        raise tarfile.ReadError(f"{wrong[0]} is not what was written")
    return written


def _lines(tar: tarfile.TarFile, name: str) -> Iterator[Any]:
    with _content(tar, tar.getmember(name)) as file:
        for line in file:
            yield orjson.loads(line)


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(entry)
    if content is None:
        raise tarfile.ReadError(f"{entry.name} is no file")
    return content
