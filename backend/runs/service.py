"""What a person does with one run: cancel, retry."""

from backend.accounts.principal import Principal
from backend.shared.database import Write
from backend.shared.store import requests, runs


def cancel(session: Write, who: Principal, run_id: str) -> None:
    """Cancel a run of this workspace; NotFound, or Conflict where it has ended."""
    runs.get(session, who.workspace_id, run_id)
    requests.cancel_run(session, run_id)


def retry(session: Write, who: Principal, run_id: str) -> None:
    """Queue a failed or cancelled run of this workspace again; NotFound, or Conflict in any other status."""
    runs.get(session, who.workspace_id, run_id)
    requests.retry_run(session, run_id)
