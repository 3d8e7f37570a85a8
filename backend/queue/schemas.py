"""Workers as the API answers them."""

from datetime import datetime

from pydantic import Field

from backend.edge.answers import Out


class WorkerOut(Out):
    """A process that trains."""

    id: str
    host: str
    device: str
    version: str
    alive: bool
    busy: bool
    draining: bool
    runs: list[str] = Field(description="Ids of the runs it trains now.")
    tokens_per_second: float | None = Field(description="Training tokens a second, measured on its last pack.")
    started_at: datetime
    heartbeat_at: datetime


class WorkerList(Out):
    """Workers that are alive or were lately."""

    items: list[WorkerOut]
    queued_runs: int
