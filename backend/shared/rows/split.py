"""Which rows are held out: by a keyed hash of what a row says, so that a repeat never lands on the other side."""

import hashlib
import json

import numpy as np
import numpy.typing as npt

from backend.shared.rows.row import Row


def row_key(row: Row, seed: int) -> int:
    """63 bits from the row's texts (case and spacing aside, label left out) and the seed."""
    said = {
        key: " ".join(str(value).split()).casefold() for key, value in row.items() if key not in ("label", "references")
    }
    if "prompt" in said:
        said.pop("completion", None)  # several answers to one question belong on one side
    message = json.dumps(said, sort_keys=True, ensure_ascii=True).encode()
    return int.from_bytes(hashlib.blake2b(message, digest_size=8, key=str(seed).encode()).digest(), "little") >> 1


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
