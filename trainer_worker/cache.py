"""Files of models and datasets that were read before, by content hash; the longest unused go first."""

import os
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from contracts.job import FileRef

Fetch = Callable[[FileRef, Path], None]


class Cache:
    """A folder of blobs, kept under a size. What an attempt uses is linked into its own folder and stays."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, ref: FileRef, at: Path, fetch: Fetch) -> None:
        """Put the file where it is wanted, from the cache or through `fetch`."""
        blob = self._folder / ref.sha256[:2] / ref.sha256
        if not blob.exists():
            self._bring(ref, blob, fetch)
        os.utime(blob)
        at.parent.mkdir(parents=True, exist_ok=True)
        _link(blob, at)

    def _bring(self, ref: FileRef, blob: Path, fetch: Fetch) -> None:
        blob.parent.mkdir(parents=True, exist_ok=True)
        self._make_room(ref.size)
        arriving = blob.with_name(f"{blob.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            fetch(ref, arriving)
            arriving.chmod(0o444)  # attempts share it by hard links
            os.replace(arriving, blob)
        finally:
            arriving.unlink(missing_ok=True)

    def _make_room(self, needed: int) -> None:
        blobs = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self._folder.glob("??/*"))
        taken = sum(size for _, size, _ in blobs)
        for _, size, path in blobs:
            if taken + needed <= self._limit:
                return
            path.unlink(missing_ok=True)
            taken -= size


def place_all(cache: Cache, refs: Iterable[FileRef], folder: Path, fetch: Fetch) -> Path:
    """Rebuild a folder (a model, a checkpoint) from its files. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for ref in refs:
        cache.place(ref, inside(folder, ref.path), fetch)
    return folder


def inside(folder: Path, path: str) -> Path:
    """The path under the folder. Raises ValueError for one that would lead out of it."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path:
        raise ValueError(f"“{path}” is not a path inside a folder")
    return folder.joinpath(*parts)


def _link(blob: Path, at: Path) -> None:
    at.unlink(missing_ok=True)
    try:
        os.link(blob, at)
    except OSError:  # another file system, or one without links
        shutil.copyfile(blob, at)
