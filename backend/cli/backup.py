"""`dropscope backup` and `dropscope restore`: a folder with everything, made while it runs, and its way back."""

from pathlib import Path

from backend.cli.console import out
from backend.embedded import home
from backend.operations import backup
from backend.shared.errors import StartupError
from backend.shared.settings import Settings
from backend.shared.tables import now


def back_up(settings: Settings, target: Path | None) -> None:
    """Write a backup and say what it holds."""
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise StartupError(f"there is nothing to back up in {settings.home} yet")
    folder = target or settings.home / "backups" / f"{now():%Y%m%dT%H%M%S}"
    made = backup.back_up(settings, folder)
    out().print(f"{_held(made)} in {folder}", markup=False)


def bring_back(settings: Settings, folder: Path) -> None:
    """Bring a backup into the home of the settings."""
    backup.check(folder)  # before anything is made in a new home
    home.prepare(settings)
    with home.HomeLock(settings):
        brought = backup.restore(settings, folder)
    out().print(f"Restored {_held(brought)} into {settings.home}; `dropscope up` starts it", markup=False)


def _held(made: backup.Manifest) -> str:
    return f"{made.studies} studies with {made.runs} runs, {len(made.files)} files, {made.bytes / 2**20:.1f} MiB"
