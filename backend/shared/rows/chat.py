"""Conversations in rows: recognised by names of columns and by the turns in their cells, and brought to one form.

The form is a list of turns `{"role": ..., "content": ...}`; roles are system, user, assistant and tool, as in the
messages of OpenAI's interface. ShareGPT writes the same as `from` and `value`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backend.shared.rows.cell import RowRefused, check_text

Turn = dict[str, str]
COLUMNS = ("messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chat")
MARKS = ("<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "[INST]")
ROLES = ("system", "user", "assistant", "tool")
_SPELLED = {
    **{role: role for role in ROLES},
    "developer": "system",
    "human": "user",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "observation": "tool",
}
_KEYS = (("role", "content"), ("from", "value"))
MOST_TURNS, MOST_DEPTH = 1000, 4
_NOT_READ = {  # what a turn may hold besides, and what it would change if it were read
    "tool_calls": "a call of a tool",
    "function_call": "a call of a tool",
    "audio": "sound",
    "images": "pictures",
    "reasoning_content": "thoughts beside its content",
    "thinking": "thoughts beside its content",
}
_UNTRAINED = ("weight", "train", "loss", "trainable")


def chat_column(columns: Iterable[str]) -> str | None:
    """The first column whose name says that it holds conversations."""
    return next((column for column in columns if column.strip().lower() in COLUMNS), None)


def is_chat(value: Any) -> bool:
    """Whether a cell holds turns: a list of objects that say who speaks, and what."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(turn, Mapping) and any(set(keys) <= turn.keys() for keys in _KEYS) for turn in value)


def mark_of(texts: Iterable[str]) -> str | None:
    """The mark of a rendered chat that one of the texts holds as plain characters."""
    return next((mark for text in texts for mark in MARKS if mark in text), None)


def conversation(value: Any, column: str) -> list[Turn]:
    """A cell as a conversation whose turns are in order, with something to learn from.

    Raises:
        RowRefused: no list of turns, a role that is unknown or out of order, a turn that is empty or holds more than
            text, or no answer at all; the reason names the turn.
        BadCell: as `check_text` says.
    """
    found = turns(value, column)
    _in_order(found, column)
    return found


def turns(value: Any, column: str, alone: str | None = None) -> list[Turn]:
    """The turns of a cell, each checked by itself; a plain text is one turn of the role `alone`, where that is given.

    Raises:
        RowRefused, BadCell: as `conversation` does, but for the order.
    """
    if value is None:
        raise RowRefused(column, "is missing")
    if isinstance(value, str):
        if alone is not None:
            return [{"role": alone, "content": _content(value, column, 1, alone)}]
        value = _parsed(value, column)
    if not isinstance(value, list):
        raise RowRefused(column, "is no list of turns, each with a role and a content")
    if not value:
        raise RowRefused(column, "holds no turn")
    if len(value) > MOST_TURNS:
        raise RowRefused(column, f"holds more than {MOST_TURNS:,} turns")
    found = [_turn(one, column, number) for number, one in enumerate(value, start=1)]
    return [turn for turn in found if turn["content"] or turn["role"] != "system"]  # an empty system turn says nothing


def _parsed(text: str, column: str) -> Any:
    """The list that a cell of a format without lists writes as JSON."""
    check_text(text, column)
    if not text.strip():
        raise RowRefused(column, "is empty")
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise RowRefused(column, "is a text, not a list of turns") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _turn(turn: Any, column: str, number: int) -> Turn:
    if not isinstance(turn, Mapping):
        raise RowRefused(column, f"holds a turn that is no object with a role and a content: turn {number}")
    keys = next((keys for keys in _KEYS if turn.get(keys[0]) is not None), None)
    if keys is None:
        raise RowRefused(column, f"holds a turn that does not say who speaks: turn {number}")
    said = turn[keys[0]]
    role = _SPELLED.get(said.strip().lower()) if isinstance(said, str) else None
    if role is None:
        raise RowRefused(column, f"has the unknown role {str(said)[:40]!r} in turn {number}; known: {', '.join(ROLES)}")
    for key, what in _NOT_READ.items():
        if turn.get(key):
            raise RowRefused(column, f"holds {what} ({key}) in turn {number}, which is not read here")
    for key in _UNTRAINED:
        if turn.get(key) is not None and not turn[key]:
            raise RowRefused(
                column, f"says of turn {number} that it is not trained on ({key}), which is not read here turn by turn"
            )
    return {"role": role, "content": _content(turn.get(keys[1]), column, number, role)}


def _content(value: Any, column: str, number: int, role: str) -> str:
    """The text of a turn; of a list of parts their texts, joined."""
    texts = []
    for part in _parts(value):
        if isinstance(part, Mapping):
            kind = str(part.get("type", "text"))
            if kind != "text" or not isinstance(part.get("text"), str):
                raise RowRefused(column, f"holds a part of the kind {kind[:40]!r} in turn {number}; texts are read")
            part = part["text"]
        if part is None or part == "":
            continue
        if not isinstance(part, str):
            raise RowRefused(column, f"holds a content that is no text in turn {number} ({role})")
        texts.append(check_text(part, column))
    text = check_text("".join(texts), column)
    if not text.strip():
        if role == "system":
            return ""
        raise RowRefused(column, f"has an empty turn: turn {number} ({role})")
    return text


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _in_order(found: Sequence[Turn], column: str) -> None:
    before = ""
    for number, turn in enumerate(found, start=1):
        role = turn["role"]
        if role == "system" and number > 1:
            raise RowRefused(column, f"has a system turn that is not the first: turn {number}")
        if role == "tool" and before not in ("assistant", "tool"):
            raise RowRefused(column, f"has a tool's turn after none of the assistant: turn {number}")
        if role == "assistant" and before in ("", "system"):
            raise RowRefused(column, "begins with the assistant's turn; a user's comes first")
        if role == before and role == "user":
            raise RowRefused(column, f"has two user turns in a row: turn {number}")
        if role == before and role == "assistant":
            raise RowRefused(column, f"has two assistant turns in a row: turn {number}")
        before = role
    if not any(turn["role"] == "assistant" for turn in found):
        raise RowRefused(column, "has no turn of the assistant, so there is nothing to learn")


def first_of_user(found: Sequence[Turn]) -> str:
    """What the user says first."""
    return next(turn["content"] for turn in found if turn["role"] == "user")


def two_texts(row: Mapping[str, Any], place: int | None = None) -> tuple[str, str]:
    """A row's prompt and completion; of a conversation all that is said before an answer, and that answer.

    `place`: which turn is the answer; the last of the assistant unless given. Of a text alone all is the completion.
    """
    if "prompt" in row:
        return row["prompt"], row["completion"]
    if "messages" not in row:
        return "", row["text"]
    said = row["messages"]
    last = max(number for number, turn in enumerate(said) if turn["role"] == "assistant")
    last = last if place is None or place < 0 else place
    return "\n".join(turn["content"] for turn in said[:last]), said[last]["content"]


def written(value: Any) -> str:
    """A cell as a person reads it: the turns of a conversation below each other, anything else as it is."""
    if not is_chat(value):
        return str(value)
    lines = []
    for turn in value:
        who, said = next((turn[keys[0]], turn[keys[1]]) for keys in _KEYS if set(keys) <= turn.keys())
        texts = [part.get("text", part) if isinstance(part, Mapping) else part for part in _parts(said)]
        lines.append(f"{who}: {''.join(map(str, texts))}")
    return "\n".join(lines)
