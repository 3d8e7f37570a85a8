"""Health check of a worker's container: exit code 0 when a worker of this host said lately that it is alive."""

import sys

from sqlalchemy.exc import DBAPIError

from backend.shared.database import open_database
from backend.shared.errors import DropscopeError
from backend.shared.process import this_host
from backend.shared.settings import Settings
from backend.shared.store import workers
from backend.shared.tables import now


def main() -> int:
    """0: alive; 1: not, with a sentence on standard error."""
    try:
        settings = Settings()
        database = open_database(settings)
        try:
            with database.read() as session:
                found = [worker for worker in workers.recent(session) if worker.host == this_host()]
        finally:
            database.close()
    except DropscopeError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    except DBAPIError as error:
        sys.stderr.write(f"the database cannot be asked for workers ({error.orig}); is it set up?\n")
        return 1
    if any(workers.is_alive(worker, settings.lease_s, now()) for worker in found):
        return 0
    sys.stderr.write(f"no worker of this host was heard of within {settings.lease_s:g} s\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
