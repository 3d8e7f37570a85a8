"""The commands, and what becomes of an error: a sentence on standard error and an exit code, never a traceback.

Exit codes: 0 done; 1 the environment, or a run that failed; 2 what was asked cannot be done as written; 130 Ctrl-C.
"""

import contextlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from backend.cli.commands import account, data
from backend.cli.commands import study as study_commands
from backend.cli.console import err, out
from backend.client import ApiError, ServerUnreachable
from backend.shared.errors import DropscopeError, InvalidInput
from backend.shared.settings import Settings

app = typer.Typer(
    name="dropscope",
    help="Which dropout keeps a LoRA adapter from overfitting, and is the difference real?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
model = typer.Typer(help="Models of this machine.", no_args_is_help=True)
app.add_typer(study_commands.study, name="study")
app.add_typer(data.data, name="data")
app.add_typer(model, name="model")
app.add_typer(account.token, name="token")
app.add_typer(account.account, name="account")

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
    from backend.cli import train

    raise typer.Exit(train.run(_settings(workers=workers), study, follow=follow, as_json=as_json))


@app.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything when the study has ended.")] = False,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print the demo study and do nothing else.")] = False,
    as_json: AsJson = False,
    port: Port = None,
    workers: Workers = None,
) -> None:
    """Train the demo study, live in the browser, and print its result."""
    from backend.cli import train

    if yaml:
        out().print(train.demo_text(), end="", markup=False)
        return
    raise typer.Exit(train.demo(_settings(port=port, workers=workers), leave=leave, as_json=as_json))


@app.command()
def adapter(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of a run that has succeeded.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    merged: Annotated[bool, typer.Option("--merged", help="The whole model, adapter merged in, in fp32.")] = False,
) -> None:
    """Take a run's adapter home: with its model card, tokenizer and study file, or merged into its base model."""
    from backend.cli import adapters
    from backend.embedded import home

    settings = _settings()
    running = home.find_running(settings) if settings.url is None else None
    url = settings.url or (running.url if running else f"http://{settings.host}:{settings.port}")
    adapters.take(settings, url, run_id, folder, merged)


@app.command()
def worker() -> None:
    """Train what is queued, on this machine, until Ctrl-C."""
    from backend.cli import serve

    serve.worker(_settings())


@app.command()
def doctor() -> None:
    """Check that this machine has what is needed, and say what to do where it has not."""
    from backend.cli import doctor as checks

    raise typer.Exit(checks.doctor(_settings()))


@app.command()
def backup(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A new folder; by default one below backups/.")
    ] = None,
) -> None:
    """Copy everything of this home into a folder; what runs goes on meanwhile."""
    from backend.cli import backup as backup_commands

    backup_commands.back_up(_settings(), folder)


@app.command()
def restore(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that `backup` wrote.")]) -> None:
    """Bring a backup into an empty home (DROPSCOPE_HOME), once every file of it has been checked."""
    from backend.cli import backup as backup_commands

    backup_commands.restore(_settings(), folder)


@app.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most entries to print.")] = 50,
    action: Annotated[str | None, typer.Option(help="Only this action, for example auth_login.")] = None,
    email: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
) -> None:
    """Print who did what, the newest first."""
    from backend.cli import accounts

    accounts.audit_list(limit, action, email)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    out().print(installed("dropscope"))


@model.command("add")
def model_add(
    folder: Annotated[Path, typer.Argument(help="A folder with config.json, tokenizer.json and safetensors.")],
    name: Annotated[str | None, typer.Option(help="Id of the model; by default the folder's name.")] = None,
) -> None:
    """Register a model folder of this machine."""
    from backend.cli import models

    models.add_model(_settings(), folder, name)


@model.command("fetch")
def model_fetch(
    hub_id: Annotated[str, typer.Argument(help="Its name on the model hub: owner/name.")],
    revision: Annotated[str | None, typer.Option(help="Commit, branch or tag; pinned to its commit.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before fetching.")] = False,
) -> None:
    """Fetch a model from the hub (safetensors only, nothing of it is run) and register it."""
    from backend.cli import models

    models.fetch_model(_settings(), hub_id, revision, yes)


@model.command("add-adapter")
def model_add_adapter(
    folder: Annotated[Path, typer.Argument(help="A folder that PEFT saved: adapter_config.json and safetensors.")],
    base: Annotated[str | None, typer.Option("--model", help="Its base model; by default as its config says.")] = None,
    name: Annotated[str | None, typer.Option(help="Id of the adapter; by default the folder's name.")] = None,
) -> None:
    """Add a LoRA adapter that runs start from: here, or on the server of DROPSCOPE_URL."""
    from backend.cli import models

    models.add_adapter(_settings(), folder, base, name)


def _settings(**given: object) -> Settings:
    """The settings, with what the command line gave."""
    settings = Settings()
    return settings.model_copy(update={name: value for name, value in given.items() if value is not None})


def main() -> None:
    """Entry point of the console script."""
    sys.exit(answer(sys.argv[1:]))


def answer(arguments: Sequence[str]) -> int:
    """Do what the arguments say; return the exit code."""
    try:
        app(args=list(arguments), prog_name="dropscope")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KeyboardInterrupt:
        return 130
    except InvalidInput as error:
        return _say([f"{_where(p.pointer)}{p.message}" for p in error.problems], 2)
    except ApiError as error:
        sentences = [f"{_where(item.pointer)}{item.detail}" for item in error.items] or [error.detail]
        return _say(sentences, 2 if error.status < 500 else 1)
    except ValidationError as error:
        found = error.errors()
        return _say([f"DROPSCOPE_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in found], 1)
    except (DropscopeError, ServerUnreachable) as error:
        return _say([str(error)], 1)
    except Exception as error:
        return _say([f"something went wrong that should not ({type(error).__name__}: {error}){_kept()}"], 1)
    return 0


def _kept() -> str:
    """Keep the traceback of an error of ours in a file; a person gets a sentence."""
    with contextlib.suppress(OSError, ValidationError):
        file = Settings().home / "logs" / "errors.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as log:
            log.write(traceback.format_exc())
        return f"; {file} has the details"
    return ""


def _where(pointer: str) -> str:
    return f"{pointer.lstrip('/').replace('/', '.')}: " if pointer else ""


def _say(sentences: list[str], code: int) -> int:
    console = err()
    for sentence in sentences:
        console.print(f"dropscope: {sentence}", markup=False, style="red" if console.is_terminal else None)
    return code
