"""Routes for whoever watches over this process: alive, ready, and numbers for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from backend.edge.answers import Out, Responses
from backend.edge.context import App, held
from backend.queue.doorbell import Bell
from backend.queue.reaper import Reaper
from backend.studies.watch import Watch

from . import monitoring

router = APIRouter(tags=["health"])
Reaping = Annotated[Reaper, held("reaper")]
PROMETHEUS: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


class Health(Out):
    """Whether this process is up, and what it can reach."""

    status: str
    version: str
    checks: dict[str, str] = Field(description="Part → 'ok' or what is wrong with it.")


@router.get("/healthz", operation_id="health_live")
def live() -> Health:
    """This process answers."""
    return Health(status="ok", version=monitoring.version(), checks={})


@router.get("/readyz", operation_id="health_ready", responses={503: {"model": Health}})
def ready(app: App, bell: Bell, response: Response) -> Health:
    """This process can reach its database, at the newest migration; the broker is reported but not needed."""
    found = monitoring.checks(app.database, app.settings, bell)
    if not found.ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Health(status="ok" if found.ready else "unready", version=monitoring.version(), checks=found.checks)


@router.get("/metrics", operation_id="metrics_prometheus", response_class=Response, responses=PROMETHEUS)
def prometheus(app: App, bell: Bell, watch: Watch, reaper: Reaping, request: Request) -> Response:
    """Runs by status, workers, rings and request times in Prometheus' text format."""
    with app.database.read() as session:
        text = monitoring.exposition(session, app.settings, bell, streams=watch.followers, reaped=reaper.reaped)
    return Response(text + generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
