"""Rows of workers as the API answers them."""

from backend.shared.store.workers import is_alive
from backend.shared.tables import Worker, now

from .schemas import WorkerOut


def worker(row: Worker, run_ids: list[str], lease_s: float) -> WorkerOut:
    """A worker, without its process id."""
    return WorkerOut(
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
