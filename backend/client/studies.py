"""Studies and their runs: queue, wait, read, take away."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from . import kept
from .connection import Connection, Items, Json
from .tables import comparison_frame

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_ENDED = ("succeeded", "failed", "cancelled")


class Spec(Protocol):
    """A study as `backend.shared.specs.StudySpec` is one: a pydantic model."""

    def model_dump(self, *, mode: str, exclude_unset: bool) -> Json:
        """As JSON."""


class Studies:
    """`client.studies`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, spec: Mapping[str, Any] | Spec, idempotency_key: str | None = None) -> Json:
        """Queue a study; the same key with the same spec gives the first answer again."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._connection.json("POST", "/studies", json=_plain(spec), headers=headers)

    def preview(self, spec: Mapping[str, Any] | Spec) -> Json:
        """What posting this study would do: its arms, how many runs, an estimate, every problem. Stores nothing."""
        return self._connection.json("POST", "/studies/preview", json=_plain(spec))

    def list(self, archived: bool = False) -> Items:
        """All studies that are not archived, or all that are, the newest first."""
        return self._connection.all("/studies", archived=archived)

    def get(self, study_id: str) -> Json:
        """A study with its arms and how many runs stand where."""
        return self._connection.json("GET", f"/studies/{study_id}")

    def extend(self, study_id: str, seeds: int | None = None, arms: Items | None = None) -> Json:
        """Add seeds (their new number) or arms to a study."""
        return self._connection.json("POST", f"/studies/{study_id}/extend", json={"seeds": seeds, "arms": arms or []})

    def cancel(self, study_id: str) -> Json:
        """Cancel all runs that have not ended."""
        return self._connection.json("POST", f"/studies/{study_id}/cancel")

    def archive(self, study_id: str) -> Json:
        """Take a study off the list."""
        return self._connection.json("POST", f"/studies/{study_id}/archive")

    def restore(self, study_id: str) -> Json:
        """Put an archived study back on the list."""
        return self._connection.json("POST", f"/studies/{study_id}/restore")

    def delete(self, study_id: str) -> None:
        """Delete an archived study for good: runs, numbers, files, report and share links."""
        self._connection.send("DELETE", f"/studies/{study_id}")

    def events(self, study_id: str, after: int = 0) -> Iterator[Json]:
        """Events as they happen, for ever, beginning after number `after`; reconnects by itself."""
        return self._connection.events(f"/studies/{study_id}/stream", after)

    def wait(self, study_id: str) -> Json:
        """Return the study when all of its runs have ended."""
        study = self.get(study_id)
        events = self.events(study_id, study["event_seq"])
        while not has_ended(study):
            event = next(events)
            if event["kind"] == "run" and event["data"].get("status") in _ENDED:
                study = self.get(study_id)
        return study

    def runs(self, study_id: str) -> Items:
        """The runs in the order they are trained in."""
        return self._connection.all(f"/studies/{study_id}/runs")

    def comparison_json(self, study_id: str, **options: Any) -> Json:
        """Means, intervals, differences and answers as the API gives them."""
        return self._connection.json("GET", f"/studies/{study_id}/comparison", params=options)

    def comparison(self, study_id: str, **options: Any) -> "pandas.DataFrame":
        """The result table, best arm first: one row an arm; needs pandas (`pip install 'dropscope[pandas]'`)."""
        return comparison_frame(self.comparison_json(study_id, **options))

    def evaluations(self, study_id: str) -> "pandas.DataFrame":
        """Every evaluation of every run, one a row; needs pandas."""
        import pandas

        return pandas.read_csv(io.StringIO(self.export_csv(study_id)))

    def export_csv(self, study_id: str) -> str:
        """Every evaluation of every run, one a line."""
        return self._connection.send("GET", f"/studies/{study_id}/export.csv").text

    def ledger(self, study_id: str, **options: Any) -> Json:
        """Calibration, agreement of seeds, ensembles and the luck of rows; clock="last"|"stopped", split, baseline."""
        return self._connection.json("GET", f"/studies/{study_id}/ledger", params=options)

    def rows(self, study_id: str) -> "pandas.DataFrame":
        """What every run says of every held-out row, at both clocks; needs pandas and pyarrow."""
        import pandas

        sent = self._connection.send("GET", f"/studies/{study_id}/ledger.parquet")
        return pandas.read_parquet(io.BytesIO(sent.content))

    def figure(self, study_id: str, name: str = "losses", **options: Any) -> "plotly.graph_objects.Figure":
        """A chart of the study's page, to be shown or changed; needs plotly."""
        return _figure(self._connection, f"/studies/{study_id}/figures/{name}", options)

    def download_adapter(
        self, study_id: str, folder: str | Path, arm: str, seed: int = 0, clock: kept.Clock | None = None
    ) -> Path:
        """The adapter of an arm (by label, method or id) and seed, in PEFT's format, in a new folder; that folder.

        Its model card, study file and environment come with it. Raises LookupError where there is no such run, or where
        it has left no adapter. clock: of the last step or of the best evaluation; see `Runs.download_adapter`.
        """
        return Runs(self._connection).download_adapter(self.run_of(study_id, arm, seed), folder, clock)

    def run_of(self, study_id: str, arm: str, seed: int = 0) -> str:
        """Id of the run of an arm (by label, method or id) with a seed; LookupError where there is none."""
        runs = [run for run in self.runs(study_id) if arm in (run["arm_id"], run["arm_label"], run["method"])]
        run = next((run for run in runs if run["seed"] == seed), None)
        if run is None:
            raise LookupError(f"there is no run of an arm {arm!r} with seed {seed} in {study_id}")
        return str(run["id"])


class Runs:
    """`client.runs`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, run_id: str) -> Json:
        """A run with its attempts and why each ended."""
        return self._connection.json("GET", f"/runs/{run_id}")

    def metrics(self, run_id: str, full: bool = True) -> Json:
        """The measurements as columns."""
        return self._connection.json("GET", f"/runs/{run_id}/metrics", params={"full": full})

    def figure(self, run_id: str, name: str = "losses") -> "plotly.graph_objects.Figure":
        """A chart of the run's page (losses, gap, kl, learning_rate, gradient_norm, speed); needs plotly."""
        return _figure(self._connection, f"/runs/{run_id}/figures/{name}", {})

    def cancel(self, run_id: str) -> Json:
        """Cancel a run."""
        return self._connection.json("POST", f"/runs/{run_id}/cancel")

    def retry(self, run_id: str) -> Json:
        """Queue a failed or cancelled run again."""
        return self._connection.json("POST", f"/runs/{run_id}/retry")

    def artifacts(self, run_id: str) -> Items:
        """What the run left behind."""
        found: Items = self._connection.json("GET", f"/runs/{run_id}/artifacts")["items"]
        return found

    def download_adapter(self, run_id: str, folder: str | Path, clock: kept.Clock | None = None) -> Path:
        """The run's adapter in PEFT's format, in a new folder; that folder. LookupError where there is none yet.

        clock: "last" for that of the last step, "stopped" for that of the best evaluation; by default the last one,
        or the one there is.
        """
        found = kept.pick(self.artifacts(run_id), run_id, clock)
        target = Path(folder)
        target.mkdir(parents=True)
        with self._connection.download(f"/artifacts/{found}/download") as pieces:
            packed = io.BytesIO(b"".join(pieces))
        with zipfile.ZipFile(packed) as archive:
            for name in archive.namelist():
                if Path(name).name != name:
                    raise ValueError(f"the server names a file {name!r}, which is no plain name")
                (target / name).write_bytes(archive.read(name))
        return target


def has_ended(study: Json) -> bool:
    """Whether no run of a study (as `Studies.get` gives it) is queued or running."""
    counts = study["counts"]
    return bool(counts["queued"] + counts["running"] == 0)


def _plain(spec: Mapping[str, Any] | Spec) -> Json:
    return dict(spec) if isinstance(spec, Mapping) else spec.model_dump(mode="json", exclude_unset=True)


def _figure(connection: Connection, path: str, options: dict[str, Any]) -> "plotly.graph_objects.Figure":
    import plotly.io

    found = connection.send("GET", path, params=options).json()
    return plotly.io.from_json(json.dumps({"data": found["data"], "layout": found["layout"]}), skip_invalid=True)
