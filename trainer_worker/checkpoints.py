"""Checkpoints that are whole: a manifest with checksums, written last. What has none does not exist."""

import os
from pathlib import Path

from contracts import Contract
from contracts.job import FileRef
from trainer_worker.models import file_ref, files_of

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


def check(folder: Path) -> Manifest:
    """The manifest of a whole checkpoint. Raises ValueError for any other."""
    if not (folder / MANIFEST).exists():
        raise ValueError(f"the checkpoint in {folder} has no manifest")
    manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    for ref in manifest.files:
        if not (folder / ref.path).exists() or file_ref(folder / ref.path, ref.path) != ref:
            raise ValueError(f"{ref.path} of the checkpoint of step {manifest.step} is damaged")
    return manifest


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
