"""Artifacts by opaque id; their storage keys stay on the server."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.errors import NotFound
from backend.shared.tables import Artifact, Run


def get(session: Session, workspace_id: str, artifact_id: str) -> Artifact:
    """An artifact of this workspace; NotFound for one of another, too."""
    query = select(Artifact).join(Run, Run.id == Artifact.run_id)
    found = session.scalar(query.where(Artifact.id == artifact_id, Run.workspace_id == workspace_id))
    if found is None:
        raise NotFound(f"there is no artifact '{artifact_id[:100]}'")
    return found


def of_run(session: Session, run_id: str) -> list[Artifact]:
    """Artifacts of a run, the oldest first."""
    return list(session.scalars(select(Artifact).where(Artifact.run_id == run_id).order_by(Artifact.id)))
