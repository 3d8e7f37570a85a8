"""Routes of adapters that runs start from: add one from two uploads or a run's artifact, list, delete."""

from pathlib import Path

from fastapi import APIRouter, Response, status

from backend.accounts import permissions
from backend.accounts.auth import Who
from backend.accounts.principal import Principal
from backend.edge.context import App, Context
from backend.shared.catalogue.adapters import CONFIG_FILE, WEIGHTS_FILE, require_adapter
from backend.shared.facts import AdapterFacts
from backend.shared.store import runs
from backend.uploads import service as uploads

from . import artifact_files, service
from .schemas import AdapterCreate, AdapterList

router = APIRouter(prefix="/adapters", tags=["adapters"])


@router.get("", operation_id="adapters_list")
def list_all(who: Who, app: App) -> AdapterList:
    """Adapters that runs can start from."""
    with app.database.read() as session:
        return AdapterList(items=service.listed(session, app.settings, who.workspace_id))


@router.post("", operation_id="adapters_create", status_code=status.HTTP_201_CREATED)
def create(wanted: AdapterCreate, who: Who, app: App, response: Response) -> AdapterFacts:
    """Check an adapter against its base model and keep it; the uploads that it was made of are used up."""
    if wanted.artifact_id is not None:
        facts = _of_artifact(app, who, wanted.artifact_id, wanted)
    else:
        facts = _of_uploads(app, who, str(wanted.config_upload_id), str(wanted.weights_upload_id), wanted)
    response.headers["Location"] = f"/api/v1/adapters/{facts.id}"
    return facts


@router.get("/{adapter_id}", operation_id="adapters_get")
def get(adapter_id: str, who: Who, app: App) -> AdapterFacts:
    """What is known of an adapter."""
    return require_adapter(app.settings.shared, adapter_id, "")


@router.delete("/{adapter_id}", operation_id="adapters_delete", status_code=status.HTTP_204_NO_CONTENT)
def delete(adapter_id: str, who: Who, app: App) -> None:
    """Delete an adapter; 409 where a study that is not archived starts from it."""
    service.delete(app.database, app.settings, who.workspace_id, adapter_id)


def _of_artifact(app: Context, who: Principal, artifact_id: str, wanted: AdapterCreate) -> AdapterFacts:
    with app.database.read() as session:
        artifact = runs.artifact(session, who.workspace_id, artifact_id)
    folder = artifact_files.folder(app.settings.artifacts, artifact.storage_key)
    config, weights = (artifact_files.member(folder, artifact.files, name) for name in (CONFIG_FILE, WEIGHTS_FILE))
    return _add(app, who, config, weights, wanted, f"run {artifact.run_id} of this server")


def _of_uploads(app: Context, who: Principal, config: str, weights: str, wanted: AdapterCreate) -> AdapterFacts:
    with app.database.read() as session:
        for upload_id in (config, weights):
            permissions.visible(session, who, "upload_id", upload_id)
        files = [uploads.require_complete(uploads.get(session, one), app.settings) for one in (config, weights)]
    with uploads.reading():
        facts = _add(app, who, files[0], files[1], wanted, "added files")
    with app.database.write() as session:
        for upload_id in (config, weights):
            uploads.delete(session, app.settings, upload_id)
    return facts


def _add(app: Context, who: Principal, config: Path, weights: Path, wanted: AdapterCreate, source: str) -> AdapterFacts:
    return service.add(
        app.database,
        app.settings,
        who,
        config,
        weights,
        model_id=wanted.model,
        adapter_id=wanted.id,
        title=wanted.title,
        source=source,
    )
