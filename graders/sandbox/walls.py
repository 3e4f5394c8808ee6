"""What this host offers to hold code back, and how the program of the jail is started behind it."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

NOBODY = 65534
INSIDE = Path(__file__).parent / "inside"
LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
_START = "import sys; sys.path.insert(0, {folder!r}); from inside.program import main; sys.path.pop(0); main()"

Kind = Literal["bubblewrap", "landlock"]


class Unsafe(Exception):
    """Code that we did not write cannot be held back here, with a sentence that says why and what to do."""


@dataclass(frozen=True)
class Walls:
    """One way to hold code back, which has passed the self-test."""

    kind: Kind

    def command(self, scratch: Path, scratch_mb: int) -> list[str]:
        """What starts the program of the jail. Its scratch is `scratch`, or a file system of its own there."""
        python = [_python(), "-I", "-S", "-c", _START.format(folder=str(INSIDE.parent))]
        return [*_bubblewrap(scratch, scratch_mb), *python] if self.kind == "bubblewrap" else python

    def setup(self, scratch: Path, scratch_mb: int) -> dict[str, object]:
        """What the program needs to know of the walls that it puts up itself."""
        is_own = self.kind == "landlock"
        return {
            "user": NOBODY if os.geteuid() == 0 and (not is_own or _nobody_can_read()) else None,
            "landlock": is_own,
            "readable": [*_code(), *LIBRARIES, "/dev/urandom", "/dev/zero"],
            "packages": _packages(),
            "scratch": str(scratch),
            "scratch_bytes": scratch_mb * 1024**2 if is_own else 0,
            "environment": {"HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8"} | _ONE_THREAD,
        }


_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@cache
def walls() -> Walls:
    """The best that holds here, tried once in a process: bubblewrap, or Landlock. Both with seccomp.

    Raises:
        Unsafe: neither holds.
    """
    return first_that_hold(_offered())


def first_that_hold(kinds: Sequence[Kind]) -> Walls:
    """Of these, in their order. Raises Unsafe."""
    from graders.sandbox.attacks import holes

    found = []
    for kind in kinds:
        tried = Walls(kind)
        problem = holes(tried)
        if not problem:
            return tried
        found.append(f"{kind}: {problem}")
    why = "; ".join(found) or "this system is not Linux"
    raise Unsafe(
        f"Code cannot be held back on this machine ({why}). Install bubblewrap and allow user namespaces, "
        "or use a kernel with Landlock (5.13 or newer)."
    )


def _offered() -> Sequence[Kind]:
    if sys.platform != "linux":
        return ()
    return ("bubblewrap", "landlock") if shutil.which("bwrap") else ("landlock",)


def _bubblewrap(scratch: Path, scratch_mb: int) -> list[str]:
    """Namespaces of its own; of the files only code, read-only, and an empty scratch in memory."""
    binds = [part for path in (*_code(), *LIBRARIES) for part in ("--ro-bind-try", path, path)]
    # Left to itself, bubblewrap makes the folders above a bind for root alone.
    above = dict.fromkeys(parent for path in (*_code(), *LIBRARIES) for parent in reversed(Path(path).parents[:-1]))
    folders = [part for parent in above for part in ("--dir", str(parent))]
    # Root needs no user namespace, and gives its user up inside (see `identity`).
    who = ["--cap-drop", "ALL"]
    who += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if os.geteuid() == 0 else ["--unshare-user"]
    return [
        *("bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--clearenv", *who, *folders, *binds, "--dev", "/dev", "--remount-ro", "/dev"),
        *("--perms", "1777", "--size", str(scratch_mb * 1024**2), "--tmpfs", str(scratch), "--remount-ro", "/", "--"),
    ]


def _python() -> str:
    return os.path.realpath(sys.executable)


def _code() -> list[str]:
    """Where Python, its packages and the jail's program are."""
    return list(dict.fromkeys([sys.base_prefix, str(INSIDE), *_packages()]))


def _packages() -> list[str]:
    found = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return list(dict.fromkeys([*found, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))


def _nobody_can_read() -> bool:
    """Whether a user without rights reaches Python: not where it is installed in root's home."""
    places = [Path(path) for path in (_python(), *_code())]
    folders = {parent for place in places for parent in (place, *place.parents) if parent.is_dir()}
    return all(folder.stat().st_mode & 0o5 == 0o5 for folder in folders)
