"""What a model reads of a data set, by the functions that training calls: tokens, marks, what is learned or cut."""

import json
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from backend.catalogue.tokenizer import unpacked
from backend.shared.catalogue import dataset_folder, require_dataset, require_model
from backend.shared.chat import DATE, Read, TemplateRefused, Unreadable, loss_of, shown_by
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.row import Row
from backend.shared.settings import Settings
from backend.shared.specs import TrainingSpec

from .rendered_schemas import Asked, Piece, Rendered, RenderedRow, Spread

MEASURED_ROWS, MEASURED_S = 200, 4.0  # and no longer for the rows that are shown
MOST_PIECES, MOST_CHARACTERS = 2000, 20_000  # of a row that is shown
BINS = 20
MOST_CUT = 0.5


def rendered(settings: Settings, dataset_id: str, asked: Asked) -> Rendered:
    """Some rows of a data set as a model reads them, and how long the first of its rows are.

    Raises:
        InvalidInput: no such data set or model, a data set of labels, a template that is not there.
        Unavailable: the model's tokenizer is not here yet.
    """
    home = settings.shared
    facts = require_dataset(home, dataset_id, "")
    model = require_model(home, asked.model)
    if facts.task != "causal_lm":
        raise InvalidInput(
            f"{facts.id} is for {facts.task}: its texts are read as they stand, and no token is learned."
        )
    if "causal_lm" not in model.tasks:
        raise InvalidInput(f"{model.id} generates no text; choose a language model.", "/model")
    training = TrainingSpec(
        max_length=asked.max_length, template=asked.template, loss_on=asked.loss_on, truncate=asked.truncate
    )
    limit = min(asked.max_length, model.context_length)
    folder = unpacked(home, model)
    try:
        reader = shown_by(folder, _tokenizer(folder, model.id), facts.columns, training, limit)
    except TemplateRefused as error:
        raise InvalidInput(f"{model.id}: {error}", "/template") from error
    marks = reader.template.marks
    rows, end = list[RenderedRow](), time.monotonic() + MEASURED_S
    for number, row in _rows(home, facts, asked):
        if rows and time.monotonic() > end:
            break
        rows.append(_row(number, row, reader, marks))
    seen = _measured(home, facts, asked, reader)
    own = loss_of(training) if hasattr(reader, "loss_on") else "completion"
    return Rendered(
        model=model.id,
        template=reader.template.name,
        loss_on=own,
        truncate=asked.truncate,
        max_length=limit,
        rows=rows,
        measured=seen.spread(limit),
        warnings=seen.warnings(reader.template.name, limit),
    )


@lru_cache(maxsize=4)
def _loaded(file: Path, changed: int) -> Any:
    return Tokenizer.from_file(str(file))


def _tokenizer(folder: Path, model: str) -> Any:
    file = folder / "tokenizer.json"
    try:
        return _loaded(file, file.stat().st_mtime_ns)
    except Exception as error:  # the library raises nothing narrower for a file that it cannot use
        raise InvalidInput(f"The tokenizer of {model} cannot be used here; choose another model.", "/model") from error


def _rows(home: Path, facts: DatasetFacts, asked: Asked) -> Iterator[tuple[int, Row]]:
    with (dataset_folder(home, facts.id) / f"{asked.split}.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for number, line in islice(enumerate(lines, start=1), asked.skip, asked.skip + asked.limit):
            yield number, json.loads(line)


def _row(number: int, row: Row, reader: Any, marks: frozenset[str]) -> RenderedRow:
    try:
        read = reader.read(row)
    except Unreadable as refused:
        return RenderedRow(number=number, pieces=[], tokens=0, kept=0, trained=0, left_out=0, notes=[str(refused)])
    return RenderedRow(
        number=number,
        pieces=_pieces(read, marks),
        tokens=len(read.ids),
        kept=read.kept,
        trained=read.learned,
        left_out=read.left_out,
        notes=_notes(row, read),
    )


def _notes(row: Row, read: Read) -> list[str]:
    told = []
    if not read.learned:
        told.append("Nothing of this row is learned, so it is left out.")
    if read.rewritten:
        told.append("Only the last answer is learned: the template writes earlier ones otherwise once others follow.")
    if read.left_out:
        told.append(f"The {read.left_out} oldest turns are taken out.")
    if "messages" in row and row["messages"][-1]["role"] != "assistant":
        told.append("It ends with no turn of the assistant: what follows the last answer is not learned.")
    return told


def _pieces(read: Read, marks: frozenset[str]) -> list[Piece]:
    """Tokens as pieces of text; the characters between two tokens belong to the later one."""
    found: list[Piece] = []
    at = 0
    for place, (start, end) in enumerate(read.offsets.tolist()):
        text = read.text[at : max(end, at)]
        special = read.text[start:end] in marks
        kind = {"special": special, "trained": bool(read.trained[place]), "cut": place >= read.kept}
        last = found[-1] if found else None
        at = max(end, at)
        alike = last is not None and not special and all(getattr(last, key) == value for key, value in kind.items())
        if alike and last is not None:
            found[-1] = last.model_copy(update={"text": last.text + text, "tokens": last.tokens + 1})
        elif len(found) < MOST_PIECES and at < MOST_CHARACTERS:
            found.append(Piece(text=text, tokens=1, **kind))
        else:
            break
    return found


class _Measured:
    """What the first rows of a split come to."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.trained: list[int] = []
        self.cut = self.unlearned = self.unanswered = self.refused = self.rewritten = 0
        self.dated = False
        self.why = ""

    def spread(self, limit: int) -> Spread:
        """Its histogram."""
        tokens = np.array(self.tokens or [0])
        counts, edges = np.histogram(tokens, bins=min(BINS, int(tokens.max() - tokens.min()) + 1))
        return Spread(
            rows=len(self.tokens) + self.refused,
            cut=self.cut,
            unlearned=self.unlearned + self.refused,
            median=float(np.median(tokens)),
            median_trained=float(np.median(self.trained or [0])),
            longest=int(tokens.max()),
            edges=edges.tolist(),
            counts=counts.tolist() if self.tokens else [0] * len(counts),
        )

    def warnings(self, template: str, limit: int) -> list[str]:
        """The gravest first."""
        rows, told = len(self.tokens) + self.refused, []
        if self.refused:
            told.append(f"{_of(self.refused, rows)} cannot be read so and are left out. {self.why}")
        if self.unlearned:
            told.append(
                f"Of {_of(self.unlearned, rows)} nothing is learned: they are cut before an answer ends or begins."
            )
        if rows and self.cut > MOST_CUT * rows:
            told.append(f"{_of(self.cut, rows)} are longer than {limit:,} tokens; raise the largest length.")
        if self.rewritten:
            told.append(
                f"In {_of(self.rewritten, rows)} only the last answer is learned: the template writes earlier ones "
                "otherwise once others follow."
            )
        if self.unanswered:
            told.append(f"{_of(self.unanswered, rows)} end with no turn of the assistant.")
        if self.dated:
            told.append(f"The template asks for today's date; it is told {DATE:%d %B %Y}, whenever it is trained.")
        if template == "chatml":
            told.append(
                "The model has no such marks of its own: they are read as text, letter by letter where unknown."
            )
        return told


def _of(many: int, rows: int) -> str:
    return f"{many:,} of {rows:,} rows"


def _measured(home: Path, facts: DatasetFacts, asked: Asked, reader: Any) -> _Measured:
    seen, end = _Measured(), time.monotonic() + MEASURED_S
    first = asked.model_copy(update={"skip": 0, "limit": MEASURED_ROWS})
    for _, row in _rows(home, facts, first):
        if time.monotonic() > end:
            break
        try:
            read = reader.read(row)
        except Unreadable as refused:
            seen.refused, seen.why = seen.refused + 1, str(refused)
            continue
        seen.tokens.append(len(read.ids))
        seen.trained.append(read.learned)
        seen.cut += read.cut
        seen.unlearned += not read.learned
        seen.rewritten += read.rewritten
        seen.dated |= read.dated
        seen.unanswered += "messages" in row and row["messages"][-1]["role"] != "assistant"
    return seen
