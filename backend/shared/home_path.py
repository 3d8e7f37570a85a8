"""Where a home may lie."""

import os

from backend.shared.errors import StartupError
from backend.shared.settings import Settings

LONGEST = 500  # bytes of the database's path; SQLite's own limit is 504 with its -journal


def check(settings: Settings) -> None:
    """Refuse a home whose database would have a path longer than SQLite takes; raises StartupError."""
    length = len(os.fsencode(settings.sqlite_path))
    if settings.database_url is None and length > LONGEST:
        raise StartupError(
            f"the path of the database would have {length} bytes, and SQLite takes no more than {LONGEST}; set "
            "DROPSCOPE_HOME to a shorter path"
        )
