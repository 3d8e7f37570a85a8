"""`dropscope run` and `dropscope demo`: queue a study, follow it, print its result."""

from importlib.resources import files
from typing import Any

from rich.markup import escape

from backend.cli import follow as following
from backend.cli.console import err, log_to, out
from backend.cli.result_table import print_result
from backend.cli.serve import embedded, serve_on
from backend.cli.validated import validated
from backend.cli.which_server import address
from backend.cli.which_server import client as client_of
from backend.client import ApiError, Dropscope, ServerUnreachable
from backend.embedded.stack import Stop
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec


def demo_text() -> str:
    """The demo study as YAML."""
    return files("backend.cli").joinpath("demo.yaml").read_text(encoding="utf-8")


def train(settings: Settings, spec: dict[str, Any], *, follow: bool, as_json: bool, keep_serving: bool) -> int:
    """Train a study where a server runs, else on one of its own that is kept on demand; return the exit code.

    Raises:
        InvalidInput: no server would take the study; none is started for it.
    """
    validated(StudySpec, spec)
    stop = Stop()
    stop.install()
    url = address(settings)
    if url is not None:
        log_to(None, "WARNING", aloud=True)
        with client_of(settings, url) as client:
            return _queue_and_follow(client, spec, stop, follow=follow, as_json=as_json)
    if not keep_serving and "port" not in settings.model_fields_set:
        settings = settings.model_copy(update={"port": 0})  # nobody needs to find it
    with embedded(settings, stop, aloud=False) as stack, client_of(settings, stack.url) as client:
        code = _queue_and_follow(client, spec, stop, follow=True, as_json=as_json, tend=stack.tend)
        if keep_serving and not stop.asked.is_set():
            err().print(f"Still serving at [bold]{stack.url}[/bold]; Ctrl-C stops it.", markup=True)
            serve_on(stack, stop)
        return code


def _queue_and_follow(
    client: Dropscope,
    spec: dict[str, Any],
    stop: Stop,
    *,
    follow: bool,
    as_json: bool,
    tend: following.Tend = following.nothing_to_tend,
) -> int:
    console = err()
    preview = client.studies.preview(spec)
    study = client.studies.create(spec)
    for warning in preview["warnings"]:
        console.print(f"Warning: {warning['pointer']}: {warning['detail']}.", markup=False)
    page = f"{client.url}/studies/{study['id']}"
    total = study["counts"]["total"]
    name = escape(study["name"])
    console.print(f"Queued [bold]{name}[/bold]: {total} runs, {len(study['arms'])} arms. Live at {page}", markup=True)
    if preview["plan"] is not None:
        console.print(preview["plan"]["sentence"], markup=False)
    if not follow:
        if as_json:
            out().print_json(data=study)
        return 0
    going: dict[str, Any] | None = study
    while going is not None:
        if not following.follow(client, going, stop.asked, tend):
            console.print("Stopped before the end. What was trained is kept; `dropscope up` goes on with the rest.")
            return 130
        going = following.next_of_race(client, study["id"], stop.asked)
    try:
        comparison = client.studies.comparison_json(study["id"])
    except (ApiError, ServerUnreachable) as error:
        console.print(f"dropscope: the study has ended, but its result cannot be read: {error}", markup=False)
        return 1
    print_result(comparison, as_json=as_json)
    counts = client.studies.get(study["id"])["counts"]
    if counts["failed"]:
        following.print_failures(client, study["id"])
    return 1 if counts["failed"] else 0
