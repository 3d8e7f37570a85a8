"""`dropscope adapter RUN OUT`: a run's adapter as a folder, or merged into its base model."""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import httpx

from backend.cli.console import out
from backend.cli.which_server import address
from backend.client.kept import pick
from backend.client.loopback import is_loopback
from backend.shared.errors import InvalidInput, Unavailable
from backend.shared.settings import Settings
from backend.shared.specs import Clock


def take(settings: Settings, run_id: str, folder: Path, merged: bool, clock: Clock | None) -> None:
    """Download the adapter of a run into the new folder `folder`; merged: as a whole model.  clock: which of its two.

    Raises:
        InvalidInput: the folder is there already, or the run has no adapter.
        Unavailable: no server answers, or the base model could not be merged with.
    """
    if folder.exists():
        raise InvalidInput(f"{folder} is there already; give a new folder.")
    archive = _download(settings, run_id, clock)
    if not merged:
        _unpack(archive, folder)
        out().print(f"The adapter of {run_id} is in {folder}; its README.md says how to load it.", markup=False)
        return
    with tempfile.TemporaryDirectory() as made:
        _unpack(archive, Path(made))
        command = [sys.executable, "-P", "-m", "worker.models.merge", str(settings.shared), made, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "Merging failed.")
    out().print(f"The merged model is in {folder}; stock transformers loads it.", markup=False)


def _download(settings: Settings, run_id: str, clock: Clock | None) -> bytes:
    url = address(settings) or f"http://{settings.host}:{settings.port}"
    token = settings.token.get_secret_value() if settings.token else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=not is_loopback(url)) as http:
            listed = http.get(f"/api/v1/runs/{run_id}/artifacts")
            listed.raise_for_status()
            found = pick(listed.json()["items"], run_id, clock)
            answer = http.get(f"/api/v1/artifacts/{found}/download")
            answer.raise_for_status()
            return answer.content
    except LookupError as error:
        text = str(error.args[0])
        raise InvalidInput(f"{text[0].upper()}{text[1:]}.") from error
    except httpx.HTTPStatusError as error:
        raise InvalidInput(f"The server answered {error.response.status_code} for the run {run_id}.") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"No server answers at {url}; start one with `dropscope up`.") from error


def _unpack(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        for name in file.namelist():
            if Path(name).name != name:
                raise InvalidInput(f"The download holds the odd name {name!r}.")
        file.extractall(folder)
