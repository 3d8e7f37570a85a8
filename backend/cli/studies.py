"""What `dropscope study` does, by the Python client."""

from pathlib import Path

from rich.table import Table

from backend.cli import follow as following
from backend.cli.console import err, out
from backend.cli.result_table import print_result
from backend.cli.which_server import remote
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings


def list_all(*, as_json: bool) -> None:
    """One line a study."""
    with remote(Settings()) as client:
        found = client.studies.list()
    if as_json:
        out().print_json(data=found)
        return
    shown = Table("id", "name", "model", "data set", "runs", "done", "failed", box=None)
    for one in found:
        counts = one["counts"]
        done, failed = str(counts["succeeded"]), str(counts["failed"] or "")
        shown.add_row(one["id"], one["name"], one["model"], one["dataset"], str(counts["total"]), done, failed)
    out().print(shown, markup=False)


def show(study_id: str, *, as_json: bool) -> None:
    """The result table, or the comparison as JSON."""
    with remote(Settings()) as client:
        print_result(client.studies.comparison_json(study_id), as_json=as_json)


def wait(study_id: str, *, as_json: bool) -> int:
    """The same at its end; 1 where a run failed."""
    with remote(Settings()) as client:
        study = client.studies.wait(study_id)
        print_result(client.studies.comparison_json(study_id), as_json=as_json)
        if study["counts"]["failed"]:
            following.print_failures(client, study_id)
    return 1 if study["counts"]["failed"] else 0


def extend(study_id: str, seeds: int) -> None:
    """More seeds."""
    with remote(Settings()) as client:
        counts = client.studies.extend(study_id, seeds=seeds)["counts"]
    err().print(f"{counts['queued']} of {counts['total']} runs are queued.")


def cancel(study_id: str) -> None:
    """No further run."""
    with remote(Settings()) as client:
        client.studies.cancel(study_id)
    err().print("Cancelled: queued runs have ended, running ones end at their next step.")


def adapter(study_id: str, arm: str, folder: Path, seed: int) -> None:
    """An adapter into a new folder."""
    if folder.exists():
        raise InvalidInput(f"{folder} is there already; name a new folder.")
    with remote(Settings()) as client:
        try:
            client.studies.download_adapter(study_id, folder, arm, seed)
        except LookupError as error:
            raise InvalidInput(f"{error.args[0]}.") from error
    out().print(str(folder), markup=False)
