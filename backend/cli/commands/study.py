"""`dropscope study`: studies of the server that runs, here or at DROPSCOPE_URL."""

from pathlib import Path
from typing import Annotated

import typer

study = typer.Typer(help="Studies of the server that runs, here or at DROPSCOPE_URL.", no_args_is_help=True)
StudyId = Annotated[str, typer.Argument(metavar="STUDY_ID")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@study.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the studies, the newest first."""
    from backend.cli import studies

    studies.list_all(as_json=as_json)


@study.command("show")
def show(study_id: StudyId, as_json: AsJson = False) -> None:
    """Print the result as it stands."""
    from backend.cli import studies

    studies.show(study_id, as_json=as_json)


@study.command("wait")
def wait(study_id: StudyId, as_json: AsJson = False) -> None:
    """Wait for the end and print the result; exit code 1 where a run failed."""
    from backend.cli import studies

    raise typer.Exit(studies.wait(study_id, as_json=as_json))


@study.command("extend")
def extend(study_id: StudyId, seeds: Annotated[int, typer.Option(min=1, max=64, help="Their new number.")]) -> None:
    """Add seeds to a study."""
    from backend.cli import studies

    studies.extend(study_id, seeds)


@study.command("cancel")
def cancel(study_id: StudyId) -> None:
    """Cancel all runs that have not ended."""
    from backend.cli import studies

    studies.cancel(study_id)


@study.command("adapter")
def adapter(
    study_id: StudyId,
    arm: Annotated[str, typer.Argument(help="Label, method or id of the arm.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for it.")],
    seed: Annotated[int, typer.Option(min=0, help="Which of its runs.")] = 0,
) -> None:
    """Download a trained adapter in PEFT's format."""
    from backend.cli import studies

    studies.adapter(study_id, arm, folder, seed)
