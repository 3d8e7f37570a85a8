"""Every error as RFC 9457 has it: one form for validation, unknown addresses, conflicts, caps and surprises alike."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from backend.shared.errors import DropscopeError, InvalidInput, TooManyRequests, Unauthorized, Unavailable

from . import validation_errors
from .answers import ErrorItem, ProblemDetails
from .secret_addresses import shown

log = logging.getLogger(__name__)
RETRY_AFTER_S = 2
UNREADABLE = "the body is not JSON that can be read: not UTF-8, nested too deep, or with a number of too many digits"
_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    422: InvalidInput.code,
}
_SENTENCES = {
    404: "there is nothing at this address",
    405: "this address does not take that method",
}


def install(app: FastAPI) -> None:
    """Answer all errors of the app as problems."""
    app.add_exception_handler(DropscopeError, _dropscope)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)


def problem(
    scope: Any,
    status: int,
    code: str,
    detail: str,
    errors: Sequence[ErrorItem] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """One problem as a response; `scope` is the ASGI scope of the request."""
    state = scope.get("state", {})
    body = ProblemDetails(
        type=f"urn:dropscope:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=shown(scope["path"].encode("utf-8", "replace").decode()),
        code=code,
        request_id=state.get("request_id", ""),
        errors=list(errors)[: validation_errors.MOST_ITEMS],
    )
    further = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if state.get("close"):
        further["Connection"] = "close"
    return JSONResponse(
        body.model_dump(), status, headers={**further, **(headers or {})}, media_type="application/problem+json"
    )


def _dropscope(request: Request, error: Exception) -> Response:
    assert isinstance(error, DropscopeError)
    items = []
    if isinstance(error, InvalidInput):
        items = [ErrorItem(pointer=found.pointer, detail=found.message) for found in error.problems]
    if isinstance(error, Unavailable):
        log.warning("%s: %s", shown(request.url.path), error.message)
    headers = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(request.scope, error.status, error.code, error.message, items, headers)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI could not read the body at all
        return problem(request.scope, 422, "invalid_json", UNREADABLE, [ErrorItem(pointer="", detail=UNREADABLE)])
    code = _CODES.get(error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "_"))
    detail = _SENTENCES.get(error.status_code, str(error.detail))
    items = [ErrorItem(pointer="", detail=detail)] if error.status_code == 422 else []
    return problem(request.scope, error.status_code, code, detail, items, dict(error.headers or {}))


def _database(request: Request, error: Exception) -> Response:
    log.error("database error at %s", shown(request.url.path), exc_info=error)
    return problem(request.scope, 500, "internal", "something went wrong here; the log has the request_id")


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":  # then it is the only one
        reason = errors[0].get("ctx", {}).get("error", "it cannot be read")
        detail = f"the body is not JSON: {reason} at character {errors[0]['loc'][-1]}"
        return problem(request.scope, 422, "invalid_json", detail, [ErrorItem(pointer="", detail=detail)])
    items = validation_errors.items(errors, error.body)
    first = items[0]
    detail = f"{first.pointer}: {first.detail}" if first.pointer else first.detail
    return problem(request.scope, 422, InvalidInput.code, detail, items)
