"""How long texts are in a model's tokens, told by its own tokenizer where its file is here, else estimated."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from tokenizers import Tokenizer

from backend.shared.catalogue.models import model_location, require_model
from backend.shared.errors import InvalidInput
from backend.shared.rows.row import Row
from backend.shared.specs import Frozen

CHARACTERS_PER_TOKEN = 4.2  # English text in WordPiece and BPE vocabularies
MOST_CHARACTERS = 20_000  # of a text that is measured; longer ones are scaled
BINS = 24
AT_ONCE = 32  # rows
Texts = tuple[tuple[str, ...], int]


class Lengths(Frozen):
    """Tokens a row, over the rows that were measured."""

    model: str
    exact: bool = Field(description="By the model's own tokenizer; false: estimated from the number of characters.")
    rows: int
    median: float
    p95: float
    longest: int
    context_length: int = Field(description="The model reads no more tokens than this.")
    edges: tuple[float, ...] = Field(description="Edges of the histogram's bins, one more than there are bins.")
    counts: tuple[int, ...]


def cut(row: Row) -> Texts:
    """The texts of a row as far as they are measured, and how long they are."""
    texts = [row[key] for key in ("text", "text_pair", "prompt", "completion") if key in row]
    if "messages" in row:
        texts = ["\n".join(turn["content"] for turn in row["messages"])]
    return tuple(text[:MOST_CHARACTERS] for text in texts), sum(map(len, texts))


def measure(home: Path, model_id: str, rows: list[Texts]) -> Lengths | None:
    """The lengths of these rows, as `cut` leaves them, for a model; None for no rows.

    Raises:
        InvalidInput: no such model, at `/model`.
    """
    facts = require_model(home, model_id)
    if not rows:
        return None
    file = model_location(home, model_id) / "tokenizer.json"
    tokens = _counted(file, rows) if file.is_file() else _estimated(rows)
    counts, edges = np.histogram(tokens, bins=min(BINS, int(tokens.max() - tokens.min()) + 1))
    return Lengths(
        model=model_id,
        exact=file.is_file(),
        rows=len(tokens),
        median=float(np.median(tokens)),
        p95=float(np.percentile(tokens, 95)),
        longest=int(tokens.max()),
        context_length=facts.context_length,
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def _estimated(rows: list[Texts]) -> Any:
    return np.array([length / CHARACTERS_PER_TOKEN + len(texts) for texts, length in rows])


def _counted(file: Path, rows: list[Texts]) -> Any:
    asked = [texts[0] if len(texts) == 1 else texts for texts, _ in rows]
    found = np.empty(len(rows))
    try:
        tokenizer = _tokenizer(file, file.stat().st_mtime_ns)
        for start in range(
            0, len(asked), AT_ONCE
        ):  # what a tokenizer says of a text is many times as large as the text
            encodings = tokenizer.encode_batch(asked[start : start + AT_ONCE])
            found[start : start + AT_ONCE] = [len(encoding.ids) for encoding in encodings]
    except Exception as error:  # the library raises nothing narrower for a file that it cannot use
        raise InvalidInput(
            "The tokenizer of this model cannot be used here; choose another model.", "/model"
        ) from error
    whole = np.array([length for _, length in rows], dtype=float)
    measured = np.array([sum(map(len, texts)) for texts, _ in rows], dtype=float)
    return np.ceil(found * whole / np.maximum(measured, 1))


@lru_cache(maxsize=4)
def _tokenizer(file: Path, changed: int) -> Any:
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
