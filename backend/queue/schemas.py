"""Workers as the API answers them."""

from datetime import datetime

from pydantic import Field

from backend.edge.answers import Out
from backend.shared.store.workers import is_alive
from backend.shared.tables import Worker, now


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

    @classmethod
    def of(cls, row: Worker, run_ids: list[str], lease_s: float) -> "WorkerOut":
        """A worker, without its process id."""
        return cls(
            id=row.id,
            host=row.host,
            device=row.device,
            version=row.version,
            alive=is_alive(row, lease_s, now()),
            busy=row.claim_id is not None and row.stopped_at is None,
            draining=row.draining,
            runs=run_ids,
            tokens_per_second=row.tokens_per_second,
            started_at=row.started_at,
            heartbeat_at=row.heartbeat_at,
        )


class WorkerList(Out):
    """Workers that are alive or were lately."""

    items: list[WorkerOut]
    queued_runs: int
