"""What a person does with one run: cancel, retry."""

from backend.accounts.principal import Principal
from backend.shared.database import Write
from backend.shared.errors import Conflict
from backend.shared.store import requests, runs, studies


def cancel(session: Write, who: Principal, run_id: str) -> None:
    """Cancel a run of this workspace; NotFound, or Conflict where it has ended."""
    runs.get(session, who.workspace_id, run_id)
    requests.cancel_run(session, run_id)


def retry(session: Write, who: Principal, run_id: str) -> None:
    """Queue a failed or cancelled run of this workspace again; NotFound, or Conflict in any other status.

    Conflict, too, where its study is archived: nobody would ever train it.
    """
    run, _ = runs.get(session, who.workspace_id, run_id)
    if studies.get(session, who.workspace_id, run.study_id).archived_at is not None:
        raise Conflict("the study of this run is archived; restore it, then retry")
    requests.retry_run(session, run_id)
