"""What whoever watches over this process wants to know: can it serve, and how much of what it does."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from backend.migrations import runner
from backend.queue.doorbell import Doorbell
from backend.shared import disk
from backend.shared.database import Database
from backend.shared.errors import Unavailable
from backend.shared.run_status import AttemptEnd, RunStatus
from backend.shared.settings import Settings
from backend.shared.store import queue_figures, tallies, workers
from backend.shared.tables import now


@dataclass(frozen=True)
class Readiness:
    """Part → 'ok' or what is wrong; disk and broker are told but not needed: pages are served without them."""

    ready: bool
    checks: dict[str, str]


def version() -> str:
    """The installed version of this product."""
    try:
        return installed_version("dropscope")
    except PackageNotFoundError:
        return "0+source"


def checks(database: Database, settings: Settings, doorbell: Doorbell) -> Readiness:
    """Look at the database and its migrations, at the disks, and at how the last ring went."""
    found = {"database": "ok", "migrations": "ok"}
    try:
        current, newest = runner.versions(database)
        if current != newest:
            found["migrations"] = f"the database is at {current or 'no version'}, this program needs {newest}"
    except Unavailable as error:
        found["database"] = found["migrations"] = error.message
    ready = all(state == "ok" for state in found.values())
    found["disk"] = disk.too_full(settings) or "ok"
    found["doorbell"] = "ok" if doorbell.last_error is None else f"the last ring failed ({doorbell.last_error})"
    return Readiness(ready, found)


def exposition(session: Session, settings: Settings, doorbell: Doorbell, streams: int, reaped: int) -> bytes:
    """The queue, workers, attempts, disks, streams and rings in Prometheus' text format."""
    counts = tallies.all_counts(session)
    queue = queue_figures.figures(session)
    at = now()
    alive = sum(workers.is_alive(worker, settings.lease_s, at) for worker in workers.recent(session))
    runs = GaugeMetricFamily("dropscope_runs", "Runs by status.", labels=["status"])
    for status in RunStatus:
        runs.add_metric([status.value], counts.get(status, 0))
    attempts = CounterMetricFamily("dropscope_attempts", "Attempts at runs by why they ended.", labels=["end"])
    for end in AttemptEnd:
        attempts.add_metric([end.value], queue.attempts.get(end, 0))
    free = GaugeMetricFamily("dropscope_disk_free_bytes", "Room on the disks that are written to.", labels=["folder"])
    for name, folder in (("home", settings.home), ("shared", settings.shared)):
        free.add_metric([name], disk.free_bytes(folder))
    found: list[Metric] = [
        runs,
        attempts,
        free,
        GaugeMetricFamily("dropscope_disk_floor_bytes", "Training waits below this.", value=settings.disk_floor_bytes),
        GaugeMetricFamily("dropscope_queue_depth", "Runs that a worker could claim now.", value=queue.claimable),
        GaugeMetricFamily(
            "dropscope_queue_oldest_seconds",
            "How long the longest waiting of them has waited since it was queued or given back.",
            value=queue.oldest_s,
        ),
        GaugeMetricFamily(
            "dropscope_steps_per_second", "Training steps a second of all running runs.", value=queue.steps_per_second
        ),
        CounterMetricFamily(
            "dropscope_lease_renewals", "Leases set or renewed, over all runs there are.", value=queue.renewals
        ),
        GaugeMetricFamily("dropscope_workers", "Workers heard of within a lease.", value=alive),
        GaugeMetricFamily("dropscope_streams", "Event streams open in this process.", value=streams),
        CounterMetricFamily("dropscope_doorbell_rings", "Rings sent by this process.", value=doorbell.rung),
        CounterMetricFamily("dropscope_doorbell_failures", "Rings that failed.", value=doorbell.failed),
        CounterMetricFamily("dropscope_runs_reaped", "Runs this process took from lost workers.", value=reaped),
    ]
    registry = CollectorRegistry()
    registry.register(_Given(found))
    return generate_latest(registry)


class _Given:
    """A collector of exactly these metrics."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        """The metrics."""
        return self._found
