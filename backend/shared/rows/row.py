"""One normalised row of a data set, made from the values of a file's columns.

A row has the keys `text`, `text_pair` where there are two texts, and `label`. Of text generation it is a conversation
(`messages`, its turns), or `prompt` and `completion`, and `references` where there are several right answers, or a
`text` alone, all of which is learned.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from backend.shared.rows.cell import RowRefused, check_text
from backend.shared.rows.chat import Turn, chat_column, conversation, is_chat, turns
from backend.shared.rows.labels import MISSING_WORDS, NO_LABEL_REASON
from backend.shared.specs import Frozen, Task

Row = dict[str, Any]


class ColumnMapping(Frozen):
    """Which column of a file is what: texts and a label, or for text generation one of the `SHAPES`."""

    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    prompt: str | None = None
    completion: str | None = None
    references: str | None = None
    context: str | None = Field(None, description="Put under the prompt in rows where it is not empty.")
    messages: str | None = Field(None, description="Whole conversations: lists of turns with a role and a content.")

    def named(self) -> dict[str, str]:
        """Key of the normalised row → column of the file, for the columns that are set."""
        return {key: column for key, column in self.model_dump().items() if column is not None}


REQUIRED: dict[Task, tuple[str, ...]] = {
    "classification": ("text", "label"),
    "regression": ("text", "label"),
    "causal_lm": ("prompt", "completion"),
}
SHAPES: tuple[tuple[str, ...], ...] = (("messages",), ("prompt", "completion"), ("text",))  # of text generation
OPTIONAL: dict[Task, tuple[str, ...]] = {
    "classification": ("text_pair",),
    "regression": ("text_pair",),
    "causal_lm": ("references", "context", "messages", "text"),
}
GUESSES: dict[str, tuple[str, ...]] = {
    "text": (
        "text",
        "sentence",
        "sentence1",
        "premise",
        "review",
        "content",
        "message",
        "tweet",
        "comment",
        "utterance",
    ),
    "text_pair": ("text_pair", "sentence2", "hypothesis"),
    "label": (
        "label",
        "labels",
        "class",
        "class index",
        "category",
        "target",
        "score",
        "sentiment",
        "stars",
        "rating",
        "intent",
        "y",
    ),
    "prompt": ("prompt", "question", "instruction", "input"),
    "context": ("input", "context"),
    "completion": ("completion", "answer", "output", "response", "reply"),
    "references": ("references",),
}


def guess_mapping(columns: list[str], task: Task) -> ColumnMapping:
    """The mapping that the column names suggest; keys that no name suggests stay unset."""
    lower = {column.strip().lower(): column for column in reversed(columns)}
    found = {key: next((lower[name] for name in GUESSES.get(key, ()) if name in lower), None) for key in keys_of(task)}
    if not takes_context(found.get("prompt")):
        found.pop("context", None)
    if task == "causal_lm":
        found["messages"] = chat_column(columns)
        found["text"] = next((lower[name] for name in ("text", "content") if name in lower), None)
        return ColumnMapping(**of_one_shape({key: column for key, column in found.items() if column is not None}))
    if found.get("label") and len(columns) == 2:  # what else could it be?
        found["text"] = next(column for column in columns if column != found["label"])
    return ColumnMapping(**found)


def of_one_shape(named: Mapping[str, str], given: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The columns of the one shape that rows of text generation have: that of the `given` ones, else the first whole.

    Where none is whole, prompt and completion are what is asked for.
    """
    chosen = next((shape for shape in SHAPES if any(key in given for key in shape)), None)
    chosen = chosen or next((shape for shape in SHAPES if all(key in named for key in shape)), SHAPES[1])
    others = {key for shape in SHAPES if shape != chosen for key in shape}
    if chosen != SHAPES[1]:
        others |= {"references", "context"}
    return {key: column for key, column in named.items() if key in given or key not in others}


def takes_context(prompt: str | None) -> bool:
    """Whether a prompt's column is one that a context belongs to: an instruction."""
    return prompt is not None and prompt.strip().lower() == "instruction"


def keys_of(task: Task) -> tuple[str, ...]:
    """Keys of a mapping that have a meaning for this task."""
    return REQUIRED[task] + OPTIONAL[task]


def row_maker(
    mapping: ColumnMapping, task: Task, names: Sequence[str] | None = None
) -> Callable[[Mapping[str, Any]], Row]:
    """A function from a file's values to a normalised row, the mapping looked up once; `names` are of numbered classes.

    Labels of classification stay as they are written until all are known. What it raises:
        RowRefused: an empty text, a missing or unfitting label, a conversation that is none.
        BadCell: see `check_text`.
    """
    if mapping.messages is not None:
        column_of = mapping.messages
        return lambda values: {"messages": conversation(values.get(column_of), column_of)}
    label = _number if task == "regression" else _namer() if names is None else _of_names(names)
    ways: dict[str, Callable[[Any, str], Any]] = {"label": label, "references": _references}
    text: Callable[[Any, str], Any] = _text
    columns = tuple((key, column, ways.get(key, text)) for key, column in mapping.named().items() if key != "context")
    prompt, context, completion = mapping.prompt, mapping.context, mapping.completion

    def make(values: Mapping[str, Any]) -> Row:
        if prompt is not None and completion is not None:
            asked, answered = values.get(prompt), values.get(completion)
            if is_chat(asked) or is_chat(answered):
                return {"messages": _of_two(asked, answered, prompt, completion)}
        return {key: way(values.get(column), column) for key, column, way in columns}

    if context is None or prompt is None:
        return make
    return lambda values: make({**values, prompt: _under(values.get(prompt), values.get(context), prompt, context)})


def _of_two(prompt: Any, completion: Any, asked: str, answered: str) -> list[Turn]:
    """One conversation of a prompt and its completion, of which one at least is a list of turns."""
    found = turns(prompt, asked, "user") + turns(completion, answered, "assistant")
    return conversation(found, answered)


def _under(prompt: Any, context: Any, column: str, below: str) -> Any:
    """The prompt with its context on the next line, as LLaMA-Factory puts `input` under `instruction`."""
    if context is None or (isinstance(context, str) and not context.strip()):
        return prompt
    _text(context, below)
    if prompt is None or (isinstance(prompt, str) and not prompt.strip()):
        return context
    return f"{_text(prompt, column)}\n{context}"


def _text(value: Any, column: str) -> str:
    if value is None:
        raise RowRefused(column, "is missing")
    if not isinstance(value, str):
        _refuse_constant(value, column)
        raise RowRefused(
            column, "holds the turns of a chat; name it as messages" if is_chat(value) else "is not a text"
        )
    if not check_text(value, column).strip():
        raise RowRefused(column, "is empty")
    return value


def _references(value: Any, column: str) -> list[str]:
    if not isinstance(value, list) or not value:
        raise RowRefused(column, "is not a list of texts")
    return [_text(item, column) for item in value]


def _require_label(value: Any, column: str) -> None:
    if value is None:
        raise RowRefused(column, "is missing")
    _refuse_constant(value, column)
    if isinstance(value, str):
        said = value.strip()
        if not said:
            raise RowRefused(column, "is missing")
        if said in MISSING_WORDS:
            raise RowRefused(column, f"is missing ({said!r})")


def _refuse_constant(value: Any, column: str) -> None:
    if isinstance(value, float) and math.isnan(value):
        raise RowRefused(column, "is missing: NaN is not JSON")  # no other format hands a NaN on


def _number(value: Any, column: str) -> float:
    _require_label(value, column)
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise RowRefused(column, "is not a finite number")
    return number


def _namer() -> Callable[[Any, str], str]:
    """`_name` that remembers what it said of labels; few texts stand for many rows."""
    known: dict[str, str] = {}

    def name(value: Any, column: str) -> str:
        if type(value) is not str:
            return _name(value, column)
        found = known.get(value)
        if found is None:
            found = _name(value, column)
            if len(known) < _REMEMBERED and len(value) <= MAX_LABEL:
                known[value] = found
        return found

    return name


def _of_names(names: Sequence[str]) -> Callable[[Any, str], str]:
    def name(value: Any, column: str) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            if value == -1:
                raise RowRefused(column, NO_LABEL_REASON)
            if not 0 <= value < len(names):
                raise RowRefused(column, f"is no number of one of the {len(names):,} classes that the file names")
            return _short(names[value], column)  # also one called None: it is named as a class
        return _name(value, column)

    return name


def _name(value: Any, column: str) -> str:
    _require_label(value, column)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int):
        raise RowRefused(column, "is neither a text nor a whole number")
    return _short(str(value), column)


def _short(label: str, column: str) -> str:
    name = check_text(label, column).strip()
    if len(name) > MAX_LABEL:
        raise RowRefused(column, f"is longer than {MAX_LABEL} characters; is this the label column?")
    return name


MAX_LABEL, _REMEMBERED = 200, 4096
Format = Literal["csv", "tsv", "jsonl", "parquet"]
Quotes = Literal["auto", "quoted", "plain"]
