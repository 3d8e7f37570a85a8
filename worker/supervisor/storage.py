"""Where attempts leave their files below the artifacts' root, and what of them may be deleted."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from backend.shared.settings import Settings


def attempt_folder(settings: Settings, run_id: str, fence: int) -> Path:
    """A new, empty folder for one attempt: no other attempt ever writes there."""
    folder = settings.artifacts / run_id / f"attempt-{fence}"
    shutil.rmtree(folder, ignore_errors=True)  # left by a claim of the same fence in a database that was restored
    folder.mkdir(parents=True)
    return folder


def storage_key(settings: Settings, folder: str) -> str:
    """The key of a folder: its path below the artifacts' root. Raises ValueError for a folder elsewhere."""
    return str(Path(folder).resolve().relative_to(settings.artifacts.resolve()))


def delete(settings: Settings, key: str) -> None:
    """Remove a folder that no row names any more; nothing outside the artifacts' root is ever touched."""
    folder = (settings.artifacts / key).resolve()
    if folder != settings.artifacts.resolve() and folder.is_relative_to(settings.artifacts.resolve()):
        shutil.rmtree(folder, ignore_errors=True)


def sweep(settings: Settings, run_id: str, keep: Sequence[str]) -> None:
    """After a run's end: delete what its attempts left, but for the folders `keep` (storage keys)."""
    root = settings.artifacts / run_id
    kept = [settings.artifacts / key for key in keep]
    for attempt in root.glob("attempt-*"):
        if not any(folder.is_relative_to(attempt) for folder in kept):
            shutil.rmtree(attempt, ignore_errors=True)
            continue
        for entry in attempt.iterdir():
            if entry.is_dir() and not any(folder.is_relative_to(entry) for folder in kept):
                shutil.rmtree(entry, ignore_errors=True)
