"""A model or an adapter as one file to take along, with its checksums and a page that says where it comes from."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

import orjson

from contracts.fault import Fault
from contracts.job import FileRef
from whetstone.accounts.models import Team
from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import find, is_whole, open_blob
from whetstone.artifacts.tar import Entry

ADAPTER_CONFIG, README, SUMS = "adapter_config.json", "README.md", "SHA256SUMS"
LARGEST_ADAPTER_CONFIG = 4 * 1024 * 1024


def package(team: Team, files: Iterable[FileRef], title: str, facts: Mapping[str, str], base: str) -> list[Entry]:
    """The entries of the archive: README.md, the files, and SHA256SUMS over all of them (`sha256sum -c`).

    Args:
        facts: what README.md says, a line each.
        base: name of the base model. PEFT reads it in an adapter's config, where the worker's folder stood.

    Raises:
        Fault: artifact.lost, when a file is not whole in the store.
    """
    given = [file for file in files if file.path != SUMS]
    taken = {file.path for file in given}
    about = Entry("README.whetstone.md" if README in taken else README, _readme(title, facts))
    entries = [about, *(_entry(team, file, base) for file in sorted(given, key=lambda file: file.path))]
    return [*entries, Entry(SUMS, _sums(entries))]


def stored(team: Team, file: FileRef) -> Blob:
    """The file's blob. Raises Fault artifact.lost when the store no longer holds all of it."""
    blob = find(team, file.sha256)
    if blob is None or not is_whole(blob):
        raise Fault("artifact.lost", path=file.path)
    return blob


def file_name(name: str, ending: str) -> str:
    """A model's name as every file system takes it: at most 80 characters before the ending."""
    safe = re.sub(r"[^\w.-]+|-{2,}", "-", name).strip("-.") or "model"
    return f"{safe if len(safe) <= 80 else f'{safe[:40]}-{safe[-39:]}'}{ending}"


def _entry(team: Team, file: FileRef, base: str) -> Entry:
    blob = stored(team, file)
    if file.path != ADAPTER_CONFIG or blob.size > LARGEST_ADAPTER_CONFIG:
        return Entry(file.path, blob)
    with open_blob(blob) as content:
        document = orjson.loads(content.read())
    document["base_model_name_or_path"] = base
    return Entry(file.path, orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _readme(title: str, facts: Mapping[str, str]) -> bytes:
    """In English: it goes where the model goes, to people whose language nobody here knows."""
    lines = [f"# {_plain(title)}", "", *(f"- {name}: {_plain(value)}" for name, value in facts.items()), ""]
    return "\n".join([*lines, f"`sha256sum -c {SUMS}` checks the files.", ""]).encode()


def _plain(text: str) -> str:
    """One line, whatever somebody called their dataset."""
    return " ".join(text.split())


def _sums(entries: Sequence[Entry]) -> bytes:
    return "".join(f"{_sha256(entry.content)}  {entry.path}\n" for entry in entries).encode()


def _sha256(content: Blob | bytes) -> str:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else content.sha256
