"""Which platform, and the key to it: from the environment, else as `whetstone login` left it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import typer

from whetstone_cli.ends import refuse


@dataclass(frozen=True)
class Place:
    url: str
    key: str


def config_file() -> Path:
    return Path(typer.get_app_dir("whetstone")) / "login.json"


def place() -> Place:
    """Raises Ended when nobody has logged in."""
    kept = _kept()
    url = os.environ.get("WHETSTONE_URL") or kept.get("url", "")
    key = os.environ.get("WHETSTONE_API_KEY") or (kept.get("key", "") if url == kept.get("url") else "")
    if not url or not key:
        missing = "WHETSTONE_API_KEY" if url else "WHETSTONE_URL and WHETSTONE_API_KEY"
        raise refuse("You are not logged in.", f"Run `whetstone login`, or set {missing}.")
    return Place(url.rstrip("/"), key)


def keep(found: Place) -> Path:
    """Write it where nobody else can read it, even for a moment."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"url": found.url, "key": found.key}, file)
    new.replace(path)
    return path


def _kept() -> dict[str, str]:
    path = config_file()
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise refuse(f"{path} cannot be read: {error}.", "Run `whetstone login` again.") from None
    return {name: str(found[name]) for name in ("url", "key") if name in found} if isinstance(found, dict) else {}
