"""Rows of conversations: told from others by names of columns, by the turns in their cells, by marks in their texts.

They are recognised here, not yet rendered.
"""

from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = ("messages", "conversations", "conversation", "dialog", "dialogue", "turns", "chat")
MARKS = ("<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "[INST]")
CHAT = "holds the turns of a chat, which are not read yet; make a prompt and a completion of each as texts"
_KEYS = ({"role", "content"}, {"from", "value"})


def chat_column(columns: Iterable[str]) -> str | None:
    """The first column whose name says that it holds conversations."""
    return next((column for column in columns if column.lower() in COLUMNS), None)


def is_chat(value: Any) -> bool:
    """Whether a cell holds turns: a list of objects that say who speaks, and what."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(turn, Mapping) and any(keys <= turn.keys() for keys in _KEYS) for turn in value)


def mark_of(texts: Iterable[str]) -> str | None:
    """The mark of a rendered chat that one of the texts holds as plain characters."""
    return next((mark for text in texts for mark in MARKS if mark in text), None)
