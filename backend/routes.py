"""All routes of the service, and how the schema describes them."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.accounts import permissions, sign_in_routes, team_routes, token_routes
from backend.accounts.auth import COOKIE, authenticated
from backend.adapters import artifact_routes
from backend.adapters import routes as adapters
from backend.catalogue import routes as catalogue
from backend.comparison import export_routes
from backend.comparison import routes as comparison
from backend.datasets import routes as datasets
from backend.datasets import upload_routes as datasets_of_uploads
from backend.edge.answers import ProblemDetails
from backend.edge.clean_text import only_clean_address, only_clean_body
from backend.figures import routes as figures
from backend.figures import run_routes as run_figures
from backend.ledger import routes as ledger
from backend.operations import routes as operations
from backend.queue import routes as workers
from backend.reports import routes as reports
from backend.runs import routes as runs
from backend.shares import public_routes as shared
from backend.shares import routes as shares
from backend.studies import routes as studies
from backend.studies import stream
from backend.uploads import routes as uploads

PREFIX = "/api/v1"
_NOUNS = (
    studies,
    stream,
    export_routes,
    comparison,
    ledger,
    figures,
    reports,
    runs,
    run_figures,
    artifact_routes,
    catalogue,
    datasets,
    uploads,
    datasets_of_uploads,
    adapters,
    workers,
)
_TEAM = (sign_in_routes, team_routes, token_routes, shares, shared)
_SENTENCES = {
    401: "Not signed in, or with a token that does not work.",
    403: "A foreign Host or Origin, or not allowed.",
    404: "No such thing.",
    409: "Not possible in the present state.",
    413: "The body is over its cap.",
    422: "The request cannot be carried out as written; every problem is named.",
    429: "Too many tries; wait the seconds in Retry-After.",
    503: "Try again after the seconds in Retry-After.",
}
_PROBLEM: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": sentence, "content": _PROBLEM} for status, sentence in _SENTENCES.items()
}


def all_routes() -> APIRouter:
    """One router with every route behind the one auth dependency."""
    order = [Depends(only_clean_address), Depends(authenticated), Depends(only_clean_body)]
    everything = APIRouter(dependencies=order, responses=PROBLEMS)
    api = APIRouter(prefix=PREFIX)
    for noun in (*_NOUNS, *_TEAM):
        api.include_router(noun.router)
    api.include_router(runs.of_study)
    everything.include_router(api)
    everything.include_router(operations.router)
    return everything


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Add what FastAPI cannot know: the form of every error (it would describe its own for 422), and who is let in."""
    schemas = schema["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemDetails.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemDetails"] = problem
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token; needed where accounts are on."},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A browser that signed in."},
    }
    schema["security"] = [{"token": []}, {"session": []}]
    for path in schema["paths"].values():
        for operation in path.values():
            if operation["operationId"] in permissions.PUBLIC:
                operation["security"] = []
    return schema
