"""Validation examples that a run does best and worst on, as texts that a person can read."""

from typing import Any

import numpy as np

from backend.shared.specs import Task
from backend.shared.trainer_protocol import Example, Examples
from worker.data.rows import Rows
from worker.engine.losses import Tally

SHOWN = 5  # of each kind
MAX_CHARACTERS = 2000


def pick(tally: Tally, rows: Rows, tokenizer: Any, task: Task, label_names: tuple[str, ...]) -> Examples:
    """The rows with the least and the greatest loss; `tally` has judged all of `rows`."""
    numbers, losses = tally.by_example()
    order = np.argsort(losses, kind="stable")
    order = order[np.isfinite(losses[order])]

    def shown(at: int) -> Example:
        number, loss = int(numbers[at]), float(losses[at])
        ids = rows.input_ids[number]
        if rows.completion_start is not None and task == "causal_lm":
            start = int(rows.completion_start[number])
            return Example(text=_text(tokenizer, ids[:start]), label=_text(tokenizer, ids[start:]), loss=loss)
        predicted, right = tally.said_of(number)
        return Example(
            text=_text(tokenizer, ids),
            label=_name(right, label_names),
            predicted=_name(predicted, label_names),
            loss=loss,
        )

    worst = order[::-1][: min(SHOWN, len(order) - min(SHOWN, len(order) // 2))]
    return Examples(
        best=tuple(shown(int(at)) for at in order[: min(SHOWN, len(order) // 2)]),
        worst=tuple(shown(int(at)) for at in worst),
    )


def cut(text: str) -> str:
    """The text, its end left out where it is very long."""
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "…"


def _text(tokenizer: Any, ids: np.ndarray) -> str:
    return cut(str(tokenizer.decode(ids.tolist(), skip_special_tokens=True)).strip())


def _name(value: float, label_names: tuple[str, ...]) -> str:
    return label_names[int(value)] if label_names else f"{value:.4g}"
