"""Which rows are held out: by a keyed hash of what a row says, so that a repeat never lands on the other side."""

import hashlib
from functools import lru_cache
from json.encoder import encode_basestring_ascii

import numpy as np
import numpy.typing as npt

from backend.shared.rows.chat import Turn, first_of_user
from backend.shared.rows.row import Row

_NOT_SAID = ("label", "references")


def row_key(row: Row, seed: int, *, whole: bool = False) -> int:
    """63 bits from the row's texts (case and spacing aside, label left out) and the seed.

    Of a prompt with its completion only the prompt counts, and of a conversation what the user says first, unless
    `whole`: several answers to one question belong on one side.
    """
    if "messages" in row:
        return _digest(_conversation(row["messages"], whole), seed)
    parts = [f'"{name}": {encode_basestring_ascii(_plain(row[name]))}' for name in _said(tuple(row), whole)]
    return _digest("{" + ", ".join(parts) + "}", seed)  # as json.dumps writes it, in a fifth of its time


def _conversation(turns: list[Turn], whole: bool) -> str:
    said = turns if whole else [{"role": "prompt", "content": first_of_user(turns)}]
    return "{" + ", ".join(f'"{one["role"]}": {encode_basestring_ascii(_plain(one["content"]))}' for one in said) + "}"


@lru_cache
def _said(keys: tuple[str, ...], whole: bool) -> list[str]:
    return sorted(key for key in keys if key not in _NOT_SAID and (whole or key != "completion"))


def group_key(group: str, seed: int) -> int:
    """63 bits from the name of a group of rows and the seed."""
    return _digest(_plain(group), seed)


def _plain(text: object) -> str:
    said = str(text)
    if said.isprintable() and "  " not in said:  # then single blanks are all its white space: the same, sooner
        return said.strip().casefold()
    return " ".join(said.split()).casefold()


def _digest(message: str, seed: int) -> int:
    hashed = _keyed(seed).copy()
    hashed.update(message.encode())
    return int.from_bytes(hashed.digest(), "little") >> 1


@lru_cache
def _keyed(seed: int) -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=8, key=str(seed).encode())


def held_out(keys: npt.NDArray[np.int64], classes: npt.NDArray[np.int64], ratio: float) -> npt.NDArray[np.bool_]:
    """True for the rows of the validation split: about `ratio` of each class, those with the least keys.

    `keys` and `classes` have one entry a row. At least one distinct key of a class with two or more stays on each side.
    """
    chosen = np.zeros(len(keys), dtype=bool)
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        distinct = np.unique(keys[rows])
        if len(distinct) < 2:
            continue
        cut = min(max(round(ratio * len(distinct)), 1), len(distinct) - 1)
        chosen[rows] = keys[rows] < distinct[cut]
    return chosen
