"""All routes of the service, and how the schema describes them."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.api import (
    adapters,
    artifacts,
    catalogue,
    comparison,
    datasets,
    export,
    health,
    reports,
    runs,
    shared_view,
    shares,
    sign_in,
    stream,
    studies,
    study_changes,
    study_queue,
    team,
    tokens,
    uploads,
    workers,
)
from backend.api.auth import COOKIE, authenticated
from backend.api.clean import only_clean_address, only_clean_body
from backend.api.schemas.common import ProblemDetails
from backend.services import access

PREFIX = "/api/v1"
_NOUNS = (
    studies,
    study_changes,
    study_queue,
    stream,
    export,
    comparison,
    reports,
    runs,
    artifacts,
    catalogue,
    datasets,
    uploads,
    adapters,
    workers,
)
_TEAM = (sign_in, team, tokens, shares, shared_view)
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
    everything.include_router(api)
    everything.include_router(health.router)
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
            if operation["operationId"] in access.PUBLIC:
                operation["security"] = []
    return schema
