import hashlib
import os
from pathlib import Path

import pytest

from contracts.job import FileRef
from trainer_worker.cache import Cache, inside, place_all


class Store:
    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.data: dict[str, bytes] = {}

    def add(self, data: bytes, path: str = "file") -> FileRef:
        ref = FileRef(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        self.data[ref.sha256] = data
        return ref

    def fetch(self, ref: FileRef, to: Path) -> None:
        self.fetched.append(ref.path)
        to.write_bytes(self.data[ref.sha256])


def test_what_was_read_once_is_not_fetched_again(tmp_path: Path) -> None:
    store, cache = Store(), Cache(tmp_path / "cache", 1000)
    ref = store.add(b"weights")
    for place in ("a", "b"):
        cache.place(ref, tmp_path / place, store.fetch)
        assert (tmp_path / place).read_bytes() == b"weights"
    assert store.fetched == ["file"]


def test_the_longest_unused_goes_first_and_what_is_in_use_stays(tmp_path: Path) -> None:
    store, cache = Store(), Cache(tmp_path / "cache", 250)
    old, used, new = store.add(b"a" * 100, "old"), store.add(b"b" * 100, "used"), store.add(b"c" * 100, "new")
    cache.place(old, tmp_path / "1", store.fetch)
    cache.place(used, tmp_path / "2", store.fetch)
    for ref, moment in ((old, 1), (used, 2)):
        os.utime(tmp_path / "cache" / ref.sha256[:2] / ref.sha256, (moment, moment))
    cache.place(new, tmp_path / "3", store.fetch)
    cache.place(used, tmp_path / "4", store.fetch)
    cache.place(old, tmp_path / "5", store.fetch)
    assert store.fetched == ["old", "used", "new", "old"]
    assert (tmp_path / "1").read_bytes() == b"a" * 100


def test_a_broken_download_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 1000)

    def breaks(ref: FileRef, to: Path) -> None:
        to.write_bytes(b"half")
        raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        cache.place(Store().add(b"weights"), tmp_path / "a", breaks)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_folder_is_rebuilt_with_its_subfolders(tmp_path: Path) -> None:
    store = Store()
    refs = [store.add(b"1", "config.json"), store.add(b"2", "adapter/config.json")]
    folder = place_all(Cache(tmp_path / "cache", 1000), refs, tmp_path / "model", store.fetch)
    assert (folder / "adapter" / "config.json").read_bytes() == b"2"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\\b"])
def test_no_path_leads_out_of_its_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        inside(tmp_path, path)
