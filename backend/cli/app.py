"""The commands of one word, the nouns that have more, and the exit code.

Exit codes: 0 done; 1 the environment, or a run that failed; 2 what was asked cannot be done as written; 130 Ctrl-C.
What does a command's work is imported where the command runs: help asks for no database and no network.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.console import out, say_in_any_letters
from backend.cli.noun import Noun
from backend.shared.settings import Settings
from backend.shared.specs import Clock

app = typer.Typer(
    name="dropscope",
    help="What to do about the overfitting of a LoRA adapter, and whether to believe it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for noun, what in {
    "study": "Studies of the server that runs, here or at DROPSCOPE_URL.",
    "data": "Data sets, of this machine or of the server of DROPSCOPE_URL.",
    "model": "Models of this machine.",
    "token": "API tokens of people on this server.",
    "account": "Accounts of this server.",
}.items():
    app.add_typer(typer.Typer(), name=noun, cls=Noun, help=what, no_args_is_help=True)

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the web server; 0 picks a free one.")]
Workers = Annotated[int | None, typer.Option(min=0, help="Number of workers; by default one a GPU, or one a core.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole comparison as JSON.")]


@app.command()
def up(
    port: Port = None,
    host: Annotated[str | None, typer.Option(help="Address of the web server.")] = None,
    workers: Workers = None,
    allowed_hosts: Annotated[
        str | None, typer.Option(help="Names, with commas between, that browsers reach this server by.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page, where a person starts this.")] = True,
) -> None:
    """Start everything on this machine and serve until Ctrl-C."""
    from backend.cli import serve

    hosts = tuple(name.strip() for name in allowed_hosts.split(",")) if allowed_hosts else None
    settings = _settings(port=port, host=host, workers=workers, allowed_hosts=hosts)
    raise typer.Exit(serve.up(settings, browser=browser))


@app.command()
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study; - reads standard input.")],
    follow: Annotated[bool, typer.Option("--follow", help="Wait for the end and print the result.")] = False,
    as_json: AsJson = False,
    workers: Workers = None,
) -> None:
    """Train a study: on the server that runs, else on one that is started for it and stopped after it."""
    from backend.cli import study_file, train

    settings, spec = _settings(workers=workers), study_file.read_study(study)
    raise typer.Exit(train.train(settings, spec, follow=follow, as_json=as_json, keep_serving=False))


@app.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything when the study has ended.")] = False,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print the demo study and do nothing else.")] = False,
    as_json: AsJson = False,
    port: Port = None,
    workers: Workers = None,
) -> None:
    """Train the demo study, live in the browser, and print its result."""
    from backend.cli import study_file, train

    text = train.demo_text()
    if yaml:
        out().print(text, end="", markup=False)
        return
    settings, spec = _settings(port=port, workers=workers), study_file.parse_study(text, "the demo study")
    raise typer.Exit(train.train(settings, spec, follow=True, as_json=as_json, keep_serving=not leave))


@app.command()
def adapter(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run that has succeeded.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    merged: Annotated[bool, typer.Option("--merged", help="The whole model, adapter merged in, in fp32.")] = False,
    clock: Annotated[
        Clock | None, typer.Option(help="Of the last step, or of the best evaluation (stopped). [default: last]")
    ] = None,
) -> None:
    """Take a run's adapter home: with its model card, tokenizer and study file, or merged into its base model."""
    from backend.cli import adapters

    adapters.take(_settings(), run_id, folder, merged, clock)


@app.command()
def worker() -> None:
    """Train what is queued, on this machine, until Ctrl-C."""
    from backend.cli import serve

    serve.worker(_settings())


@app.command()
def doctor() -> None:
    """Check that this machine has what is needed, and say what to do where it has not."""
    from backend.cli.doctor import print_findings

    raise typer.Exit(print_findings(_settings()))


@app.command()
def backup(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A new folder; by default one below backups/.")
    ] = None,
) -> None:
    """Copy everything of this home into a folder; what runs goes on meanwhile."""
    from backend.cli.backup import back_up

    back_up(_settings(), folder)


@app.command()
def restore(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that `backup` wrote.")]) -> None:
    """Bring a backup into an empty home (DROPSCOPE_HOME), once every file of it has been checked."""
    from backend.cli.backup import bring_back

    bring_back(_settings(), folder)


@app.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most entries to print.")] = 50,
    action: Annotated[str | None, typer.Option(help="Only this action, for example auth_login.")] = None,
    email: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
) -> None:
    """Print who did what, the newest first."""
    from backend.accounts.audit import newest
    from backend.cli import accounts

    with accounts.writing() as session:
        user_id = accounts.person(session, email).user_id if email else None
        for line in accounts.lines(session, newest(session, limit, action, user_id)):
            out().print(line, markup=False, soft_wrap=True)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    out().print(installed("dropscope"))


def _settings(**given: object) -> Settings:
    """The settings, with what the command line gave."""
    settings = Settings()
    return settings.model_copy(update={name: value for name, value in given.items() if value is not None})


def main() -> None:
    """Entry point of the console script."""
    say_in_any_letters()
    sys.exit(answer(sys.argv[1:]))


def answer(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit code."""
    try:
        app(args=list(arguments), prog_name="dropscope")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        from backend.cli import failures  # with the client, which a command that ends well may not need

        return failures.say(error)
    return 0
