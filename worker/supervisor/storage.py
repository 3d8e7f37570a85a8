"""Where attempts leave their files below the artifacts' root, how much room the disk has, and what may be deleted."""

import shutil
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


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder."""
    return shutil.disk_usage(folder).free


def too_full(settings: Settings) -> str | None:
    """A sentence where the disk of the database or of the artifacts is below the floor, else None."""
    for folder in (settings.home, settings.shared):
        free = free_bytes(folder)
        if free < settings.disk_floor_bytes:
            return (
                f"Training waits for disk space: {free / 2**30:.2f} GiB are free in {folder}, "
                f"{settings.disk_floor_bytes / 2**30:.2f} GiB are wanted. It goes on by itself once there is room."
            )
    return None


def delete(settings: Settings, key: str) -> None:
    """Remove a folder that no row names any more; nothing outside the artifacts' root is ever touched."""
    folder = (settings.artifacts / key).resolve()
    if folder != settings.artifacts.resolve() and folder.is_relative_to(settings.artifacts.resolve()):
        shutil.rmtree(folder, ignore_errors=True)


def sweep(settings: Settings, run_id: str, keep: str | None) -> None:
    """After a run's end: delete what its attempts left, but for the folder `keep` (a storage key)."""
    root = settings.artifacts / run_id
    kept = settings.artifacts / keep if keep else None
    for attempt in root.glob("attempt-*"):
        if kept is None or not kept.is_relative_to(attempt):
            shutil.rmtree(attempt, ignore_errors=True)
            continue
        for entry in attempt.iterdir():
            if entry.is_dir() and not kept.is_relative_to(entry):
                shutil.rmtree(entry, ignore_errors=True)
