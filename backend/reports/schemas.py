"""A study's report as the API takes and answers it."""

from datetime import datetime

from pydantic import Field

from backend.comparison.schema import Answer, StudyVerdict
from backend.edge.answers import Figure, Out
from backend.shared.specs import Frozen

LONGEST_TEXT = 100_000


class ReportIn(Frozen):
    """What to store."""

    title: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=LONGEST_TEXT, description="Markdown; raw HTML and pictures stay text.")
    frozen: bool = Field(default=False, description="Stay at the study as it stands now, or go on following it.")
    version: int = Field(ge=0, description="The version that was read; 409 where somebody saved since.")


class ReportTable(Out):
    """A table of texts."""

    columns: list[str]
    rows: list[list[str]]


class Definition(Out):
    """A word and what it means here."""

    term: str
    meaning: str


class ReportOut(Out):
    """Everything that the page of a report shows."""

    study_id: str
    study_name: str
    model: str
    dataset: str
    title: str
    text: str
    text_html: str = Field(description="The text as HTML: no raw HTML, no pictures, no scripts.")
    version: int = Field(description="0 where nobody has saved a report of this study.")
    frozen: bool
    frozen_at: datetime | None
    updated_at: datetime | None
    event_seq: int = Field(description="State of the study that is shown.")
    latest_seq: int = Field(description="Where the study stands now.")
    progress: str
    verdict: StudyVerdict
    answers: list[Answer]
    plan: list[str] = Field(description="The plan, how far it is, and each verdict; empty where there is none.")
    table: ReportTable
    in_time: ReportTable | None = Field(description="Every arm stopped in time; null where that is not known.")
    elsewhere: ReportTable | None = Field(description="Every arm on further data sets; null where there are none.")
    elsewhere_text: str = Field(description="What training changed there, in a sentence for each; empty likewise.")
    figures: list[Figure]
    definitions: list[Definition]
    footnotes: list[str]
    methods_text: str = Field(description="The methods section as Markdown, to copy.")
    methods_html: str
