"""`dropscope run` and `dropscope demo`: queue a study, follow it, print its result."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from backend.cli import follow as following
from backend.cli.console import err, log_to, out
from backend.cli.result_table import print_result
from backend.cli.serve import embedded, serve_on
from backend.cli.validated import validated
from backend.cli.which_server import address
from backend.cli.which_server import client as client_of
from backend.client import ApiError, Dropscope, ServerUnreachable
from backend.embedded.stack import Stop
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec

_LARGEST_FILE = 1 << 20


def demo_text() -> str:
    """The demo study as YAML."""
    return files("backend.cli").joinpath("demo.yaml").read_text(encoding="utf-8")


def read_study(path: Path) -> dict[str, Any]:
    """A study from a YAML (or JSON) file; `-` is standard input. Raises InvalidInput."""
    try:
        text = sys.stdin.read(_LARGEST_FILE + 1) if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    return parse_study(text, str(path))


def parse_study(text: str, name: str) -> dict[str, Any]:
    """A study from YAML text; `name` is what messages call it. Raises InvalidInput."""
    if len(text) > _LARGEST_FILE:
        raise InvalidInput(f"{name} is larger than 1 MiB, which no study is.")
    try:
        spec = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise InvalidInput(f"{name} is not YAML{where}: {problem}.") from error
    except RecursionError as error:
        raise InvalidInput(f"{name} is nested too deeply to be a study.") from error
    if not isinstance(spec, dict):
        raise InvalidInput(f"{name} holds no study: it must be a mapping with `name`, `model`, `dataset` and `arms`.")
    return spec


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
        log_to(None, "WARNING")
        with client_of(settings, url) as client:
            return _queue_and_follow(client, spec, stop, follow=follow, as_json=as_json)
    if not keep_serving and "port" not in settings.model_fields_set:
        settings = settings.model_copy(update={"port": 0})  # nobody needs to find it
    with embedded(settings, stop, to_file=True) as stack, client_of(settings, stack.url) as client:
        code = _queue_and_follow(client, spec, stop, follow=True, as_json=as_json, tend=stack.tend)
        if keep_serving and not stop.asked.is_set():
            err().print(f"Still serving at [bold]{stack.url}[/bold]; Ctrl-C stops it.")
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
    study = client.studies.create(spec)
    console = err()
    page = f"{client.url}/studies/{study['id']}"
    total = study["counts"]["total"]
    console.print(f"Queued [bold]{study['name']}[/bold]: {total} runs, {len(study['arms'])} arms. Live at {page}")
    if not follow:
        if as_json:
            out().print_json(data=study)
        return 0
    if not following.follow(client, study, stop.asked, tend):
        console.print("Stopped before the end. What was trained is kept; `dropscope up` goes on with the rest.")
        return 130
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
