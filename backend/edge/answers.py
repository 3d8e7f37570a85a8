"""What several answers share: the base of all answers, pages, counts and problems."""

import re
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
JsonObject = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]  # what FastAPI takes to describe answers


def file_name(name: str, otherwise: str) -> str:
    """Return a name as a file's stem of a-z, 0-9 and hyphens, at most 60; `otherwise` where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or otherwise


class Out(BaseModel):
    """Base of what the API answers; a number that is not finite is written as null."""

    model_config = ConfigDict(from_attributes=True, ser_json_inf_nan="null")


class Page(Out, Generic[Item]):
    """One page of a list in a stable order; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None = None


class RunCounts(Out):
    """Runs by status."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class ErrorItem(Out):
    """One thing wrong with a request."""

    pointer: str = Field(description="JSON pointer into the body; '' is the whole body.", examples=["/arms/2/rate"])
    detail: str


class ProblemDetails(Out):
    """An error as RFC 9457 has it, sent as application/problem+json."""

    type: str = Field(examples=["urn:dropscope:problem:invalid_input"])
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(description="Stable name of the error, for programs.", examples=["invalid_input"])
    request_id: str
    errors: list[ErrorItem] = []


class Figure(Out):
    """A Plotly figure; numbers are typed arrays ({"dtype", "bdata"}), which plotly.js reads as they are."""

    model_config = ConfigDict(extra="allow")

    data: list[JsonObject]
    layout: JsonObject
