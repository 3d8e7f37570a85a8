"""Data sets, their rows and what an upload would become, as the API takes and answers them."""

from pydantic import Field

from backend.edge.answers import JsonObject, Out
from backend.shared.facts import Absent, DatasetFacts
from backend.shared.rows.row import ColumnMapping, Format, Quotes
from backend.shared.specs import Frozen, Task

from .files.plan import QUOTES, SplitPlan
from .lengths import Lengths


class DatasetList(Out):
    """All data sets that can be trained on here, and built-in ones that this machine does not have."""

    items: list[DatasetFacts]
    missing: list[Absent]


class DatasetRows(Out):
    """Some rows of a split, in order."""

    items: list[JsonObject]
    next_cursor: str | None


class PreviewPlan(Frozen):
    """What is known so far of how the file is to be read; what is left out is guessed."""

    task: Task | None = None
    mapping: ColumnMapping = ColumnMapping()
    format: Format | None = None
    quotes: Quotes = Field("auto", description=QUOTES)
    split: SplitPlan = SplitPlan()
    drop_repeats: bool = False
    model: str | None = Field(None, max_length=200, description="Count lengths in this model's tokens.")


class Flaw(Frozen):
    """One thing to be changed before the file can be a data set."""

    pointer: str = Field(description="JSON pointer into the plan; '' is the file itself.")
    detail: str


class Refusal(Frozen):
    """A row that would be left out."""

    place: str
    column: str
    reason: str


class Label(Frozen):
    """A label and its rows in each split."""

    name: str
    train: int
    validation: int


class DatasetPreview(Frozen):
    """What the file would become. With `problems` it would be refused as it is."""

    format: Format
    columns: tuple[str, ...]
    task: Task
    mapping: ColumnMapping
    problems: tuple[Flaw, ...]
    read: int = Field(description="Rows that were read: kept + refused.")
    whole: bool = Field(description="Whether that is the whole file; a large one is looked at in part.")
    kept: int
    refused: int
    refusals: tuple[Refusal, ...] = Field(description="The first of them.")
    rows: dict[str, int] = Field(description="Rows in each split.")
    labels: tuple[Label, ...] = Field(description="The most frequent labels, for classification.")
    label_count: int
    label_range: tuple[float, ...] | None = Field(min_length=2, max_length=2)
    duplicates: int = Field(description="Rows that say what an earlier row says.")
    leaked: int = Field(description="Validation rows whose text (or prompt) is a training row's, too.")
    conflicting: int = Field(description="Rows that share their text with a row of another label.")
    lengths: Lengths | None
    sample: tuple[dict[str, str | None], ...] = Field(
        description="The first rows as the file has them, long cells cut."
    )
    warnings: tuple[str, ...]


class UploadPreview(PreviewPlan):
    """How the file would be read; what is left out is guessed."""

    validation_upload_id: str | None = Field(None, max_length=100, description="Another upload, of the rows held out.")
