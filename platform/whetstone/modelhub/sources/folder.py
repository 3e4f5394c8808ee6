"""Models from a folder of the server, below those that the operator allows. Links that lead out are not followed."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from contracts.fault import Fault
from whetstone.modelhub.sources import Listed, Listing, Tell


class Folder:
    """One folder. Raises Fault folder.* wherever something leads out of `roots`."""

    def __init__(self, folder: str, roots: Sequence[Path]) -> None:
        self._folder = allowed(folder, roots)
        self._roots = roots

    def listing(self) -> Listing:
        """The files in it, two folders deep: no model has more."""
        paths = [*self._folder.glob("*"), *self._folder.glob("*/*")]
        files = [(path, self._inside(path)) for path in paths if path.is_file() or path.is_symlink()]
        found = {path.relative_to(self._folder).as_posix(): Listed(real.stat().st_size) for path, real in files}
        return Listing(found)

    @contextmanager
    def open(self, path: str, size: int, tell: Tell) -> Iterator[IO[bytes]]:
        """Raises Fault folder.changed when it is no longer as long as it was."""
        real = self._inside(self._folder / path)
        with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as content:
            about = os.fstat(content.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size != size:
                raise Fault("folder.changed", file=path)
            yield content

    def _inside(self, path: Path) -> Path:
        """The file itself, where links may have led to it: caches of models are made of links."""
        try:
            real = path.resolve(strict=True)
        except OSError:
            raise Fault("folder.changed", file=path.name) from None
        if not any(real.is_relative_to(root) for root in self._roots):
            raise Fault("folder.leads_out", file=path.name)
        return real


def allowed(folder: str, roots: Sequence[Path]) -> Path:
    """The folder that is meant, after all links. Raises Fault folder.off, folder.outside or folder.not_found."""
    if not roots:
        raise Fault("folder.off", field="folder")
    listed = ", ".join(map(str, roots))
    try:
        real = Path(os.path.realpath(folder)) if folder.startswith("/") else (roots[0] / folder).resolve()
    except (OSError, ValueError):
        raise Fault("folder.not_found", field="folder", folder=folder) from None
    if not any(real.is_relative_to(root) for root in roots):
        raise Fault("folder.outside", field="folder", folder=folder, roots=listed)
    if not os.path.isdir(real):  # Path.is_dir raises for names that are too long
        raise Fault("folder.not_found", field="folder", folder=folder)
    return real
