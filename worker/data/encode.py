"""Rows to token ids: texts with a label, or a prompt and its completion."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from backend.shared.chat import DATE, PROMPT_END, Reader, ReadTooSlowly, Unreadable
from backend.shared.errors import TrainingError
from backend.shared.rows.chat import two_texts
from backend.shared.rows.row import Row
from backend.shared.run_status import FailureCode
from backend.shared.specs import Task
from worker.data.rows import FlatRows

REWRITTEN = "trained on their last answer only: the template writes earlier ones otherwise once others follow"
DATED = (
    f"told by their template that today is {DATE:%d %B %Y}: the date is fixed, so that every training reads the same"
)
_CHUNK = 1024


@dataclass
class _Store:
    ids: list[Any] = field(default_factory=list)
    types: list[Any] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    trained: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    dropped: int = 0
    truncated: int = 0


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


@dataclass(frozen=True)
class Encoded:
    """Rows in tokens; how many were dropped (nothing left to learn from) and how many cut, and what else is to be told.

    `said` counts sentences about rows of conversations.
    """

    rows: FlatRows
    dropped: int
    truncated: int
    said: dict[str, int]


def encode(
    rows: Iterator[Row],
    task: Task,
    tokenizer: Any,
    max_length: int,
    context_length: int,
    reader: Reader | None = None,
) -> Encoded:
    """Tokenise rows; with a `reader`, conversations by its template.

    A row is cut to `max_length` tokens at its end (of two texts the longer one gives first). In causal LM a row is
    prompt, newline, completion and the end mark, which only an uncut row has; a row that has a text instead of these is
    learned from its first token to its end mark.
    """
    store = _Store()
    limit = min(max_length, context_length)
    for chunk in _chunks(rows):
        if reader is not None:
            _read(chunk, reader, store)
        elif task == "causal_lm" and "prompt" not in chunk[0] and "messages" not in chunk[0]:
            _whole_texts(chunk, tokenizer, limit, store)
        elif task == "causal_lm":
            _prompts(chunk, tokenizer, limit, store)
        else:
            _texts(chunk, tokenizer, limit, store)
        store.seen += len(chunk)
    return Encoded(_flatten(store, task), store.dropped, store.truncated, dict(store.said))


def _texts(chunk: list[Row], tokenizer: Any, limit: int, store: _Store) -> None:
    texts = [row["text"] for row in chunk]
    pairs = [row["text_pair"] for row in chunk] if "text_pair" in chunk[0] else None
    found = tokenizer(texts, pairs, truncation=True, max_length=limit, return_attention_mask=False)
    types = found.get("token_type_ids")
    for place, row in enumerate(chunk):
        ids = found["input_ids"][place]
        if not ids:
            store.dropped += 1
            continue
        _keep(store, store.seen + place, ids, row["label"])
        store.truncated += bool(found.encodings[place].overflowing)
        if types is not None:
            store.types.append(np.asarray(types[place], dtype=np.int32))


def _prompts(chunk: list[Row], tokenizer: Any, limit: int, store: _Store) -> None:
    texts = [two_texts(row) for row in chunk]
    prompts = tokenizer([prompt + PROMPT_END for prompt, _ in texts], add_special_tokens=False)["input_ids"]
    answers = tokenizer([completion for _, completion in texts], add_special_tokens=False)["input_ids"]
    first = _first(tokenizer)
    for place, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        begin = first + prompt
        whole = begin + answer + [tokenizer.eos_token_id]
        if len(begin) >= limit or not answer:
            store.dropped += 1
            continue
        store.truncated += len(whole) > limit
        _keep(store, store.seen + place, whole[:limit], 0)
        store.starts.append(len(begin))


def _read(chunk: list[Row], reader: Reader, store: _Store) -> None:
    for place, row in enumerate(chunk):
        try:
            found = reader.read(row)
        except ReadTooSlowly as slow:
            raise TrainingError(
                FailureCode.BAD_INPUT,
                f"{slow} A row that is left out on a slow machine only would make runs unlike, so nothing is trained; "
                "choose another `training.template`.",
            ) from slow
        except Unreadable as refused:
            store.dropped += 1
            store.said[f"left out: {refused}"] += 1
            continue
        if not found.learned:
            store.dropped += 1
            continue
        store.truncated += found.cut
        store.said[REWRITTEN] += found.rewritten
        store.said[DATED] += found.dated
        _keep(store, store.seen + place, found.ids[: found.kept].tolist(), 0)
        begins, turn = found.last_answer
        store.starts.append(begins)
        store.answers.append(turn)
        store.trained.append(found.trained[: found.kept])


def _whole_texts(chunk: list[Row], tokenizer: Any, limit: int, store: _Store) -> None:
    texts = ["\n".join(row[part] for part in ("text", "text_pair") if part in row) for row in chunk]
    first = _first(tokenizer)
    for place, text in enumerate(tokenizer(texts, add_special_tokens=False)["input_ids"]):
        whole = first + text + [tokenizer.eos_token_id]
        if not text or limit <= max(1, len(first)):
            store.dropped += 1
            continue
        store.truncated += len(whole) > limit
        _keep(store, store.seen + place, whole[:limit], 0)
        store.starts.append(len(first))


def _first(tokenizer: Any) -> list[int]:
    """What a row begins with: the mark of a beginning, of tokenizers that set one."""
    return [] if tokenizer.bos_token_id is None or not _adds_bos(tokenizer) else [tokenizer.bos_token_id]


def _adds_bos(tokenizer: Any) -> bool:
    return bool(tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id])


def _keep(store: _Store, line: int, ids: list[int], label: float) -> None:
    store.lines.append(line)
    store.ids.append(np.asarray(ids, dtype=np.int32))
    store.lengths.append(len(ids))
    store.labels.append(label)


def _flatten(store: _Store, task: Task) -> FlatRows:
    empty = [np.empty(0, dtype=np.int32)]
    return FlatRows(
        ids=np.concatenate(store.ids or empty),
        offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(store.lengths, dtype=np.int64)]),
        labels=np.asarray(store.labels, dtype=np.float32)
        if task == "regression"
        else np.asarray(store.labels, np.int64),
        types=np.concatenate(store.types) if store.types else None,
        completion_start=np.asarray(store.starts, dtype=np.int64) if task == "causal_lm" else None,
        lines=np.asarray(store.lines, dtype=np.int64),
        trained=np.concatenate(store.trained) if store.trained else None,
        answers=np.asarray(store.answers, dtype=np.int64) if store.answers else None,
    )
