"""Checkpoints that are whole: a manifest with checksums, written last. What has none does not exist.

The state of optimizer, schedule and random numbers is in torch's own form, a pickle. So a checkpoint is read only when
its every file is one that the manifest vouches for, and the trainer reads them with `weights_only=True`.
"""

import os
from pathlib import Path

from contracts import Contract
from contracts.fault import Fault
from contracts.job import FileRef
from trainer_worker.models import file_ref, files_of, paths_of

MANIFEST = "manifest.json"
# A pickle that nothing needs for resuming, and a model card that talks of somebody else's hub.
NOT_OURS = ("training_args.bin", "README.md")


class Manifest(Contract):
    step: int
    files: tuple[FileRef, ...]


def seal(folder: Path, step: int) -> tuple[FileRef, ...]:
    """Make a checkpoint whole: its files and then its manifest on the disk. Returns all of them."""
    for name in NOT_OURS:
        (folder / name).unlink(missing_ok=True)
    files = files_of(folder)
    for ref in files:
        _sync(folder / ref.path)
    manifest = folder / MANIFEST
    manifest.write_text(Manifest(step=step, files=files).model_dump_json(indent=1))
    _sync(manifest)
    _sync(folder)
    return (*files, file_ref(manifest, MANIFEST))


def check(folder: Path, step: int) -> None:
    """Returns for the whole checkpoint of that step. Raises Fault(checkpoint.damaged) for any other."""
    if detail := _damage(folder, step):
        raise Fault("checkpoint.damaged", step=step, detail=detail)


def _damage(folder: Path, step: int) -> str | None:
    if not (folder / MANIFEST).exists():
        return "it has no manifest"
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except ValueError:
        return "its manifest cannot be read"
    if manifest.step != step:
        return f"its manifest is of step {manifest.step}"
    for ref in manifest.files:
        file = folder / ref.path
        if not file.exists():
            return f"{ref.path} is missing"
        if file_ref(file, ref.path) != ref:
            return f"{ref.path} is not what its checksum says"
    known = {MANIFEST, *(ref.path for ref in manifest.files)}
    strange = next((path for path in paths_of(folder) if path not in known), None)
    return f"{strange} is not in its manifest" if strange else None


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
