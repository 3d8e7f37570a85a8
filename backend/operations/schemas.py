"""Health as the API answers it."""

from pydantic import Field

from backend.edge.answers import Out


class Health(Out):
    """Whether this process is up, and what it can reach."""

    status: str
    version: str
    checks: dict[str, str] = Field(description="Part → 'ok' or what is wrong with it.")
