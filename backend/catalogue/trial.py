"""A model tried before it is registered: read and passed once by a process of its own, which never outlives its time.

That process (`worker.model_trial`) holds torch and the product's loader; here stands only what it is asked and answers.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import backend
from backend.shared.child_process import wrapped
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts

WAIT_S = 600
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
UNTRIED = (
    "The model could not be tried where the command ran (torch is not installed there): the first run will show "
    "whether it can be trained on."
)


def tried(folder: Path, facts: ModelFacts) -> ModelFacts:
    """The facts with the tasks that the model can be trained for, and with what should be known of it.

    Raises:
        InvalidInput: it cannot be trained for any task; the sentence says why.
    """
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("worker") is None:
        return facts.model_copy(update={"warnings": (*facts.warnings, UNTRIED)})
    return judged(facts, told(folder, facts))


def judged(facts: ModelFacts, answer: Mapping[str, Any]) -> ModelFacts:
    """The facts as the trial leaves them.

    Raises:
        InvalidInput: it went well for no task.
    """
    done, refused = answer["tasks"], answer["refused"]
    if not done:
        raise InvalidInput(next(iter(refused.values())))
    tasks = tuple(task for task in facts.tasks if task in done or (task == "regression" and "classification" in done))
    notes = [f"It cannot be trained for {task.replace('_', ' ')} here: {why}" for task, why in refused.items()]
    return facts.model_copy(update={"tasks": tasks, "warnings": (*facts.warnings, *answer["notes"], *notes)})


def told(folder: Path, facts: ModelFacts) -> dict[str, Any]:
    """What the process that tries a model answers.

    Raises:
        InvalidInput: it did not come to an answer.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment |= dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"), "1")
    environment |= {"TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = str(Path(backend.__file__).parents[1])
    command = [sys.executable, "-P", "-m", "worker.model_trial", str(folder.resolve())]
    try:
        done = subprocess.run(
            wrapped(command, when_parent_dies=signal.SIGKILL),
            input=facts.model_dump_json(),
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=WAIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput(_endless(WAIT_S)) from error
    if done.returncode == -signal.SIGXCPU:
        raise InvalidInput(_endless(None))
    try:
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        last = " ".join((done.stderr.strip().splitlines() or ["no word"])[-1].split())[:200]
        raise InvalidInput(
            f"The model could not be read: the process that tried it ended (exit code {done.returncode}: {last}). Its "
            "settings, its tokenizer or its weights are not sound, or memory ran out."
        ) from error
    return found


def _endless(seconds: int | None) -> str:
    after = f" after {seconds} s" if seconds else ""
    return (
        f"Reading the model did not come to an end{after}; its settings or its tokenizer are not sound, or this "
        "machine is too busy: try again when it is not."
    )
