"""How much room the disks have that training writes to, and the sentence where that is too little."""

import shutil
from pathlib import Path

from backend.shared.settings import Settings


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder."""
    return shutil.disk_usage(folder).free


def size(folder: Path) -> int:
    """Bytes of all files in a folder; 0 where it is not there."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def too_full(settings: Settings) -> str | None:
    """A sentence where the disk of the database or of the artifacts is below the floor, else None."""
    for name, folder in (("home", settings.home), ("shared", settings.shared)):
        free = free_bytes(folder)
        if free < settings.disk_floor_bytes:
            return (
                f"Training waits for disk space: {free / 2**30:.2f} GiB are free on the disk of the {name} folder, "
                f"{settings.disk_floor_bytes / 2**30:.2f} GiB are wanted. It goes on by itself once there is room."
            )
    return None
