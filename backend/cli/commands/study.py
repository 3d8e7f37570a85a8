"""`dropscope study`: studies of the server that runs, by the Python client."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from backend.cli.console import err, out
from backend.cli.which_server import remote
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.specs import Clock

study = typer.Typer()
StudyId = Annotated[str, typer.Argument(metavar="STUDY_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@study.command("list")
def list_all(
    as_json: AsJson = False,
    archived: Annotated[bool, typer.Option("--archived", help="Archived studies instead of the others.")] = False,
) -> None:
    """List the studies, the newest first."""
    with remote(Settings()) as client:
        found = client.studies.list(archived)
    if as_json:
        out().print_json(data=found)
        return
    shown = Table("id", "name", "model", "data set", "runs", "done", "failed", box=None)
    for one in found:
        counts = one["counts"]
        done, failed = str(counts["succeeded"]), str(counts["failed"] or "")
        shown.add_row(one["id"], one["name"], one["model"], one["dataset"], str(counts["total"]), done, failed)
    out().print(shown, markup=False)


@study.command()
def show(study_id: StudyId, as_json: AsJson = False) -> None:
    """Print the result as it stands."""
    from backend.cli.result_table import print_result

    with remote(Settings()) as client:
        print_result(client.studies.comparison_json(study_id), as_json=as_json)


@study.command()
def wait(study_id: StudyId, as_json: AsJson = False) -> None:
    """Wait for the end and print the result; exit code 1 where a run failed."""
    from backend.cli.follow import print_failures
    from backend.cli.result_table import print_result

    with remote(Settings()) as client:
        ended = client.studies.wait(study_id)
        print_result(client.studies.comparison_json(study_id), as_json=as_json)
        if ended["counts"]["failed"]:
            print_failures(client, study_id)
            raise typer.Exit(1)


@study.command()
def extend(
    study_id: StudyId,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=64, help="Their new number; that of the plan's next look where left out.")
    ] = None,
) -> None:
    """Add seeds to a study, up to the next look of its plan or to a number."""
    with remote(Settings()) as client:
        if seeds is None:
            seeds = next_look(client.studies.comparison_json(study_id))
        counts = client.studies.extend(study_id, seeds=seeds)["counts"]
        plan = client.studies.comparison_json(study_id).get("plan")
    err().print(f"{counts['queued']} of {counts['total']} runs are queued.")
    if plan is not None:
        for line in (plan["standing"], *plan["exploratory"]):
            err().print(line, markup=False)


def next_look(comparison: dict[str, Any]) -> int:
    """The seeds of the next look; raises InvalidInput where the study has no plan, or none is left."""
    plan = comparison.get("plan")
    if plan is None:
        raise InvalidInput("this study has no plan that says how many seeds are next; say it with --seeds")
    if plan["next_look"] is None:
        raise InvalidInput(
            f"all looks of the plan are drawn, the last one at {plan['seeds']} seeds; more are exploratory and change "
            "no verdict: say how many with --seeds"
        )
    return int(plan["next_look"])


@study.command()
def cancel(study_id: StudyId) -> None:
    """Cancel all runs that have not ended."""
    with remote(Settings()) as client:
        client.studies.cancel(study_id)
    err().print("Cancelled: queued runs have ended, running ones end at their next step.")


@study.command()
def archive(study_id: StudyId) -> None:
    """Take a study off the list; `restore` puts it back, `delete` ends it."""
    with remote(Settings()) as client:
        name = client.studies.archive(study_id)["name"]
    err().print(f"Archived: {name}.", markup=False)


@study.command()
def restore(study_id: StudyId) -> None:
    """Put an archived study back on the list."""
    with remote(Settings()) as client:
        name = client.studies.restore(study_id)["name"]
    err().print(f"Back on the list: {name}.", markup=False)


@study.command()
def delete(
    study_id: StudyId, yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False
) -> None:
    """Delete an archived study for good: runs, numbers, files, report and share links."""
    with remote(Settings()) as client:
        found = client.studies.get(study_id)
        if found["archived_at"] is not None and not yes:
            runs = found["counts"]["total"]
            err().print(f"{found['name']}: {runs} runs, with all numbers, adapters and share links.", markup=False)
            typer.confirm("Delete it for good?", abort=True, err=True)
        client.studies.delete(study_id)
    err().print("Deleted. Backups that were made before still hold it.")


@study.command()
def adapter(
    study_id: StudyId,
    arm: Annotated[str, typer.Argument(help="Label, method or id of the arm.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for it.")],
    seed: Annotated[int, typer.Option(min=0, help="Which of its runs.")] = 0,
    merged: Annotated[bool, typer.Option("--merged", help="The whole model, adapter merged in, in fp32.")] = False,
    clock: Annotated[
        Clock | None, typer.Option(help="Of the last step, or of the best evaluation (stopped). [default: last]")
    ] = None,
) -> None:
    """Take a trained adapter home, as `dropscope adapter RUN` does: the run is the arm's."""
    from backend.cli.adapters import take

    settings = Settings()
    with remote(settings) as client:
        try:
            run_id = client.studies.run_of(study_id, arm, seed)
        except LookupError as error:
            raise InvalidInput(f"{error.args[0]}.") from error
    take(settings, run_id, folder, merged, clock)
