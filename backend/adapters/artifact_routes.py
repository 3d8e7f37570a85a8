"""Routes of artifacts: what a run left behind, by opaque id; no path is ever taken or given."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response, StreamingResponse
from sqlalchemy.orm import Session

from backend.accounts.auth import Who, while_allowed
from backend.comparison.cache import ComparisonCache, Comparisons
from backend.comparison.cache import Query as How
from backend.edge.context import App
from backend.shared.store import runs as store
from backend.shared.tables import Arm, Artifact, Run, Study

from . import artifact_files, model_card
from .schemas import ArtifactFile, ArtifactList, ArtifactOut

router = APIRouter(tags=["artifacts"])
BINARY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/runs/{run_id}/artifacts", operation_id="runs_artifacts")
def list_artifacts(run_id: str, who: Who, app: App) -> ArtifactList:
    """Artifacts of a run."""
    with app.database.read() as session:
        store.get(session, who.workspace_id, run_id)
        return ArtifactList(items=[_shown(row) for row in store.artifacts_of(session, run_id)])


@router.get(
    "/artifacts/{artifact_id}/download",
    operation_id="artifacts_download",
    response_class=StreamingResponse,
    responses={200: {"description": "A zip of the files, or the one file asked for.", **BINARY}},
)
def download(
    artifact_id: str,
    who: Who,
    app: App,
    cache: Comparisons,
    file: Annotated[
        str | None, Query(max_length=200, description="One file by name; a zip of all where unset.")
    ] = None,
) -> Response:
    """The files of an artifact: a zip made on the fly, of an adapter with a model card, or one file."""
    with app.database.read() as session:
        artifact = store.artifact(session, who.workspace_id, artifact_id)
        made = {} if file is not None or not model_card.clocks(artifact) else _papers(session, app, cache, artifact)
    folder = artifact_files.folder(app.settings.artifacts, artifact.storage_key)
    if file is not None:
        path = artifact_files.member(folder, artifact.files, file)
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)
    name = f"{artifact.kind}-{artifact.run_id}.zip"
    return StreamingResponse(
        while_allowed(artifact_files.zipped(folder, artifact.files, made), app, who),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _papers(session: Session, app: App, cache: ComparisonCache, artifact: Artifact) -> dict[str, bytes]:
    run = session.get_one(Run, artifact.run_id)
    study, arm = session.get_one(Study, run.study_id), session.get_one(Arm, run.arm_id)
    return model_card.papers(app.settings, study, arm, run, artifact, cache.get(session, study, How()))


def _shown(row: Artifact) -> ArtifactOut:
    files = [ArtifactFile(name=name, sha256=digest) for name, digest in sorted(row.files.items())]
    return ArtifactOut(
        id=row.id,
        run_id=row.run_id,
        kind=row.kind,
        step=row.step,
        clocks=model_card.clocks(row),
        files=files,
        bytes=row.bytes,
        created_at=row.created_at,
    )
