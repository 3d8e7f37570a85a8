"""The web service as one object: `create_app(settings)`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from backend.accounts.audit_layer import Audit
from backend.comparison.cache import ComparisonCache
from backend.comparison.headlines import Headlines
from backend.comparison.race import Races
from backend.datasets.commit import Commits
from backend.edge import problems
from backend.edge.access_log import AccessLog
from backend.edge.body_cap import BodyCap
from backend.edge.boundary import Boundary
from backend.edge.compression import LEAST_BYTES, CompressMiddleware
from backend.edge.context import Context
from backend.edge.open_door import OpenDoor
from backend.edge.page import SinglePage
from backend.edge.prefix import Prefix
from backend.edge.request_times import RequestTimes
from backend.embedded import exposure
from backend.ledger.confidence import Confidences
from backend.migrations.runner import migrate
from backend.operations.monitoring import version
from backend.queue.doorbell import Doorbell
from backend.queue.reaper import Reaper
from backend.routes import PREFIX, all_routes, describe
from backend.shared.database import open_database
from backend.shared.settings import Settings
from backend.studies.watch import StudyWatch
from backend.uploads.sweeper import Senders, Sweeper

log = logging.getLogger(__name__)
PURPOSE = "What to do about the overfitting of a LoRA adapter, and whether to believe it."


def create_app(settings: Settings) -> FastAPI:
    """Bring the database up to date and make the service; raises StartupError.

    Its reaper and doorbell run while it is served (its lifespan).
    """
    migrate(settings)
    database = open_database(settings)
    doorbell = Doorbell(settings)
    app = assemble(settings)
    app.state.context = Context(settings, database)
    app.state.doorbell = doorbell
    app.state.reaper = Reaper(database, settings, doorbell.ring, queue_more=Races(database).tick)
    app.state.watch = StudyWatch(database)
    app.state.comparisons = ComparisonCache(load=Confidences(settings).records)
    app.state.headlines = Headlines(database, app.state.comparisons)
    app.state.commits = Commits()
    senders: Senders = {}
    app.state.senders = senders
    return app


def application() -> FastAPI:
    """The service as the environment sets it, for `make dev`, where uvicorn makes it anew at each change."""
    settings = Settings()
    exposure.check(settings)
    return create_app(settings)


def assemble(settings: Settings) -> FastAPI:
    """Routes, layers and schema; touches neither disk nor network."""
    app = FastAPI(
        title="Dropscope",
        version=version(),
        description=PURPOSE,
        lifespan=_lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere, which the CSP forbids
        redoc_url=None,
    )
    app.include_router(all_routes())
    problems.install(app)
    app.state.registry = CollectorRegistry()
    app.add_middleware(SinglePage, root=settings.root_path)
    app.add_middleware(Audit)
    app.add_middleware(BodyCap, max_bytes=settings.max_body_bytes, max_file_bytes=settings.max_upload_bytes)
    app.add_middleware(OpenDoor)
    app.add_middleware(CompressMiddleware, minimum_size=LEAST_BYTES)
    app.add_middleware(Boundary, allowed_hosts=settings.allowed_hosts)
    if settings.access_log:
        app.add_middleware(AccessLog)
    if settings.root_path:
        app.add_middleware(Prefix, root=settings.root_path)
    app.add_middleware(RequestTimes, registry=app.state.registry)
    made = app.openapi
    app.openapi = lambda: app.openapi_schema or describe(made())  # type: ignore[method-assign]  # FastAPI's own way
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts = app.state
    parts.reaper.start()
    sweeper = Sweeper(parts.context.database, parts.context.settings, parts.senders)
    sweeper.start()
    parts.headlines.start()
    try:
        yield
    finally:
        await parts.watch.close()
        parts.headlines.stop()
        sweeper.stop()
        parts.reaper.stop()
        parts.doorbell.close()
        parts.context.database.close()
