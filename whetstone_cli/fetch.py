"""One file of a model: loaded to its end however often the connection breaks, and checked before it gets its name."""

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from whetstone_cli.api import Api, Json, Passing
from whetstone_cli.ends import Ended, Exit, refuse

TRIES = 8
CHUNK = 1 << 20
Progress = Callable[[int], None]


def fetch(api: Api, model: str, file: Json, folder: Path, progress: Progress) -> None:
    """Raises Ended when it could not be had whole; what came of it stays, for the next time."""
    path = _inside(folder, file["path"])
    if _is_whole(path, file):
        return progress(file["size"])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    trying = Retrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential_jitter(multiplier=0.5, max=20.0),
        retry=retry_if_exception_type(Passing),
        reraise=True,
    )
    try:
        trying(_go_on, api, f"/api/v1/models/{quote(model)}/files/{quote(file['path'])}", part, file, progress)
    except Passing as error:
        raise Ended(
            Exit.UNKNOWN, f"{file['path']}: {error}.", "The same command goes on where this one ended."
        ) from None
    part.replace(path)


def _go_on(api: Api, address: str, part: Path, file: Json, progress: Progress) -> None:
    """Raises Passing when it is not whole yet."""
    there = part.stat().st_size if part.exists() else 0
    if there < file["size"]:
        with api.body(address, Range=f"bytes={there}-") as answer, part.open("ab") as target:
            if answer.status_code != 206:  # the whole file: a proxy may know nothing of ranges
                target.truncate(0)
            for chunk in answer.iter_bytes(CHUNK):
                target.write(chunk)
                progress(target.tell())
    if part.stat().st_size < file["size"]:
        raise Passing("the connection broke off")
    if not _is_whole(part, file):
        part.unlink()
        raise Passing("what came is not what the platform has by its SHA-256")


def _is_whole(path: Path, file: Json) -> bool:
    if not path.is_file() or path.stat().st_size != file["size"]:
        return False
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    return bool(found == file["sha256"])


def _inside(folder: Path, path: str) -> Path:
    """No server names a file outside the folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise refuse(f"The platform named a file “{path}”, which lies outside of the model.")
    return folder.joinpath(*pure.parts)
