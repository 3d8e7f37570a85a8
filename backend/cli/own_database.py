"""The database of this home, for commands that need no server; what they do, its owner does."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from backend.accounts.principal import Principal
from backend.embedded import home
from backend.migrations.runner import migrate
from backend.shared.database import Database, open_database
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE

OWNER = Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, brought up to date."""
    home.prepare(settings)
    migrate(settings)
    with closing(open_database(settings)) as database:
        yield database
