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


def measure(home: Path, model_id: str, rows: list[Row]) -> Lengths | None:
    """The lengths of these rows for a model, None for no rows.

    Raises:
        InvalidInput: no such model, at `/model`.
    """
    facts = require_model(home, model_id)
    if not rows:
        return None
    file = model_location(home, model_id) / "tokenizer.json"
    texts = [_texts(row) for row in rows]
    tokens = _counted(file, texts) if file.is_file() else _estimated(texts)
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


def _texts(row: Row) -> tuple[str, ...]:
    return tuple(row[key] for key in ("text", "text_pair", "prompt", "completion") if key in row)


def _estimated(texts: list[tuple[str, ...]]) -> Any:
    return np.array([sum(len(text) for text in one) / CHARACTERS_PER_TOKEN + len(one) for one in texts])


def _counted(file: Path, texts: list[tuple[str, ...]]) -> Any:
    cut = [tuple(text[:MOST_CHARACTERS] for text in one) for one in texts]
    asked = [one[0] if len(one) == 1 else one for one in cut]
    try:
        encodings = _tokenizer(file, file.stat().st_mtime_ns).encode_batch(asked)
    except Exception as error:  # the library raises nothing narrower for a file that it cannot use
        raise InvalidInput(
            "The tokenizer of this model cannot be used here; choose another model.", "/model"
        ) from error
    found = np.array([len(encoding.ids) for encoding in encodings], dtype=float)
    whole, measured = (np.array([sum(map(len, one)) for one in some], dtype=float) for some in (texts, cut))
    return np.ceil(found * whole / np.maximum(measured, 1))


@lru_cache(maxsize=4)
def _tokenizer(file: Path, changed: int) -> Any:
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
