"""What whoever watches over this process wants to know: can it serve, and how much of what it does."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from backend.dispatch import Doorbell
from backend.migrations import runner
from backend.shared.database import Database
from backend.shared.errors import Unavailable
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.store import tallies, worker_list
from backend.shared.tables import now


@dataclass(frozen=True)
class Readiness:
    """Part → 'ok' or what is wrong; the broker is told but not needed, since the database is the queue."""

    ready: bool
    checks: dict[str, str]


def version() -> str:
    """The installed version of this product."""
    try:
        return installed_version("dropscope")
    except PackageNotFoundError:
        return "0+source"


def checks(database: Database, doorbell: Doorbell) -> Readiness:
    """Look at the database and its migrations, and at how the last ring went."""
    found = {"database": "ok", "migrations": "ok"}
    try:
        current, newest = runner.versions(database)
        if current != newest:
            found["migrations"] = f"the database is at {current or 'no version'}, this program needs {newest}"
    except Unavailable as error:
        found["database"] = found["migrations"] = error.message
    ready = all(state == "ok" for state in found.values())
    found["doorbell"] = "ok" if doorbell.last_error is None else f"the last ring failed ({doorbell.last_error})"
    return Readiness(ready, found)


def exposition(session: Session, settings: Settings, doorbell: Doorbell, streams: int, reaped: int) -> bytes:
    """Runs, workers, streams and rings in Prometheus' text format."""
    counts = tallies.all_counts(session)
    at = now()
    alive = sum(worker_list.is_alive(worker, settings.lease_s, at) for worker in worker_list.recent(session))
    runs = GaugeMetricFamily("dropscope_runs", "Runs by status.", labels=["status"])
    for status in RunStatus:
        runs.add_metric([status.value], counts.get(status, 0))
    found: list[Metric] = [
        runs,
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
