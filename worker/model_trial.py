"""Whether a model folder can be trained on: `python -m worker.model_trial FOLDER`, its facts as JSON on standard input.

The model is read by the product's own loader and two short texts go through the engine's form, in this process alone,
which has limits of memory, time and disk. One line of JSON on standard output says for which tasks that went well, and
for which others why not. Weights of many gigabytes are not read: names and shapes are compared.
"""

import json
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

READ_PARAMETERS = 600_000_000  # of larger models only names and shapes are compared; in fp32 this takes 2.4 GB
MEMORY_BYTES, BYTES_A_PARAMETER = 3 << 30, 12
PROCESSOR_S, FILE_BYTES = 240, 256 << 20
_TEXTS = ("The first of two short texts, with a number: 42.", "And a second one!")


def main(arguments: Sequence[str]) -> int:
    """Try; return the exit code, which is 0 also where the answer is no."""
    given = json.loads(sys.stdin.read())
    _limit(int(given["parameters"]))
    answer = os.dup(1)
    os.dup2(2, 1)  # a stray print of a library is no answer
    told = try_model(Path(arguments[0]), given)
    with os.fdopen(answer, "w") as out:
        out.write(json.dumps(told) + "\n")
    return 0


def _limit(parameters: int) -> None:
    memory = MEMORY_BYTES + BYTES_A_PARAMETER * min(parameters, READ_PARAMETERS)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, PROCESSOR_S),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
    ):
        resource.setrlimit(what, (most, most))


def try_model(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The tasks that went well, the sentences about the others, and what a person should know.

    given: the model's facts as JSON.
    """
    import torch

    from backend.shared.facts import ModelFacts

    torch.set_num_threads(1)
    facts = ModelFacts.model_validate(given)
    tasks: list[str] = []
    refused: dict[str, str] = {}
    notes: list[str] = []
    for task in facts.tasks:
        if task == "regression":  # the same model as for classes, with one output
            continue
        try:
            notes = _once(folder, facts, task)
            tasks.append(task)
        except Exception as error:
            refused[task] = _sentence(error)
    return {"tasks": tasks, "refused": refused, "notes": notes}


def _once(folder: Path, facts: Any, task: Any) -> list[str]:
    """Read the model for a task and, where it is small enough, pass two texts through it; what to know of it."""
    import torch
    from transformer_dropout.hf.families import is_decoder

    from worker.engine.batches import Reading
    from worker.engine.single.passes import Host
    from worker.models.base import read_base
    from worker.models.targets import target_linears

    outputs = 2 if task == "classification" else 1
    base = read_base(folder, facts, task, outputs, "fp32", "meta")  # costs no memory, whatever the settings say
    small = facts.parameters <= READ_PARAMETERS
    if small:
        base = read_base(folder, facts, task, outputs, "fp32")
    rows = _rows(base, facts, task)
    targets = [name for name, _ in target_linears(base, facts.default_target_modules)]
    pad = base.config.pad_token_id
    host = Host(
        base.model, Reading(task, is_decoder(base.config), pad if isinstance(pad, int) else 0), targets, base.head
    )
    if small:
        with torch.no_grad():
            _pass(host, base, rows)
    return list(base.notes)


def _rows(base: Any, facts: Any, task: Any) -> Any:
    from backend.shared.errors import InvalidInput
    from worker.data.encode import encode

    texts = ({"text": text, "prompt": text, "completion": text, "label": i} for i, text in enumerate(_TEXTS))
    flat = encode(texts, task, base.tokenizer, 64, facts.context_length).rows
    if len(flat) < len(_TEXTS):
        raise InvalidInput("The tokenizer makes no tokens of an ordinary text; it is not the model's.")
    return flat


def _pass(host: Any, base: Any, flat: Any) -> None:
    import numpy as np
    import torch

    from backend.shared.errors import InvalidInput
    from worker.engine.batches import make_batch

    rows = flat.take(np.arange(len(flat)))
    batch = make_batch(rows, np.arange(len(rows)), host.reading)
    head = {name: base.model.get_parameter(name) for name in base.head}
    logits = host.logits(host.features(batch, None, None), head, None)
    if not bool(torch.isfinite(logits).all()):
        raise InvalidInput(
            "The model's answer to an ordinary text is not a finite number: its weights are damaged, or were trained "
            "to be scaled in a way that transformers does not know."
        )


def _sentence(error: Exception) -> str:
    from transformer_dropout import DropoutError

    from backend.shared.errors import DropscopeError

    if isinstance(error, DropscopeError | DropoutError):
        return error.message
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return "Reading it takes more memory than its weights account for; its settings or its tokenizer are not sound."
    first = " ".join(str(error).split())[:200]
    return f"transformers cannot read this model ({type(error).__name__}: {first})."


if __name__ == "__main__":
    _code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(_code)  # an orderly end would spend a second on taking torch apart
