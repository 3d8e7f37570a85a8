"""The folder with a model's tokenizer; a GGUF file's is unpacked once, by a process that may import transformers."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import backend
from backend.shared.catalogue.models import model_location
from backend.shared.chat import tokenizer_folder
from backend.shared.child_process import wrapped
from backend.shared.errors import Unavailable
from backend.shared.facts import ModelFacts
from backend.shared.files import locked, new_folder

WAIT_S = 120
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def unpacked(home: Path, facts: ModelFacts) -> Path:
    """The folder with the tokenizer's files.

    Raises:
        Unavailable: it is in a GGUF file that cannot be unpacked here.
    """
    folder = tokenizer_folder(home, facts.id, facts.revision)
    if folder.is_dir():
        return folder
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("worker") is None:
        raise Unavailable(
            f"the tokenizer of {facts.id} is unpacked when a worker first trains it; ask again after that"
        )
    with locked(folder.with_suffix(".lock")):
        if not folder.is_dir():
            with new_folder(folder) as building:
                _unpack(model_location(home, facts.id), building, facts)
    return folder


def _unpack(file: Path, folder: Path, facts: ModelFacts) -> None:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(Path(backend.__file__).parents[1])}
    command = [sys.executable, "-P", "-m", "worker.models.tokenizer_files", str(file), str(folder)]
    try:
        done = subprocess.run(
            wrapped(command, when_parent_dies=signal.SIGKILL), capture_output=True, env=environment, timeout=WAIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the tokenizer of {facts.id} was not unpacked within {WAIT_S} s; ask again") from error
    if done.returncode != 0 or not (folder / "tokenizer.json").is_file():
        raise Unavailable(f"the tokenizer of {facts.id} cannot be unpacked (exit code {done.returncode})")
