"""What a model reads of a data set, as the API answers it."""

from typing import Literal

from pydantic import Field

from backend.edge.answers import Out
from backend.shared.specs import Frozen, LossOn, TemplateName, TrainingSpec, Truncate

_DEFAULT = TrainingSpec.model_fields


class Asked(Frozen):
    """How rows are read; what is left out is as in a study that leaves it out."""

    model: str = Field(min_length=1, max_length=200, description="Id of the model that reads.")
    split: Literal["train", "validation"] = "train"
    limit: int = Field(10, ge=1, le=50, description="Rows that are shown.")
    skip: int = Field(0, ge=0, le=5_000_000, description="Rows before the first that is shown.")
    max_length: int = Field(_DEFAULT["max_length"].default, ge=4, le=8192)
    template: TemplateName | None = None
    loss_on: LossOn | None = None
    truncate: Truncate = "end"


class Piece(Out):
    """Neighbouring tokens that are alike."""

    text: str
    tokens: int
    special: bool = Field(description="A mark of the model: one token, not text.")
    trained: bool = Field(description="The loss counts it.")
    cut: bool = Field(description="Beyond the largest length: the model does not read it.")


class RenderedRow(Out):
    """One row as the model reads it."""

    number: int = Field(description="Its line in the split, from 1.")
    pieces: list[Piece]
    tokens: int = Field(description="In all, also those that are cut.")
    kept: int
    trained: int = Field(description="Tokens that the loss counts.")
    left_out: int = Field(description="Oldest turns that were taken out.")
    notes: list[str] = Field(description="What a person should know of this row.")


class Spread(Out):
    """Tokens a row over the rows that were measured."""

    rows: int
    cut: int = Field(description="Rows of which something is cut.")
    unlearned: int = Field(description="Rows that are left out: nothing of them is learned, or they cannot be read.")
    median: float
    median_trained: float
    longest: int
    edges: list[float] = Field(description="Edges of the histogram's bins, one more than there are bins.")
    counts: list[int]


class Rendered(Out):
    """What a model reads of a data set's rows: their text with its template's marks, and what of it is learned."""

    model: str
    template: str = Field(description="model, chatml, alpaca or plain.")
    loss_on: LossOn
    truncate: Truncate
    max_length: int = Field(description="Tokens that are read: no more than the model's context.")
    rows: list[RenderedRow]
    measured: Spread
    warnings: list[str]
