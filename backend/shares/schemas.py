"""Share links and what they show, as the API takes and answers them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.edge.answers import Out, RunCounts
from backend.shared.specs import Frozen, StudySpec, Task

from .service import DAYS, MOST_DAYS


class ShareCreate(Frozen):
    """A link to one study."""

    study_id: str = Field(min_length=1, max_length=100)
    mode: Literal["frozen", "live"] = Field("frozen", description="frozen: as it is now. live: goes on with the study.")
    expires_in_days: int = Field(DAYS, ge=1, le=MOST_DAYS)
    show_author: bool = Field(False, description="Show the name of the person who shares.")
    show_report: bool = Field(False, description="Show title and text of the study's report, as they are written.")


class ShareOut(Out):
    """A share link without its secret."""

    id: str
    study_id: str
    mode: Literal["frozen", "live"]
    show_author: bool
    show_report: bool
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    views: int
    last_viewed_at: datetime | None


class ShareCreated(ShareOut):
    """A share with its secret, which is shown this once."""

    secret: str
    path: str = Field(description="Address on this server to send to people.", examples=["/s/8fA…"])


class ShareList(Out):
    """Share links, the newest first."""

    items: list[ShareOut]


class SharedReport(Out):
    """What somebody wrote about the study."""

    title: str
    text_html: str = Field(description="The text as HTML: no raw HTML, no pictures, no scripts.")


class SharedStudy(Out):
    """What a share link shows of a study: no rows, logs, paths or people."""

    name: str
    mode: Literal["frozen", "live"]
    task: Task
    model: str
    dataset: str
    arms: int
    counts: RunCounts
    spec: StudySpec
    author: str | None
    report: SharedReport | None
    shared_at: datetime
    expires_at: datetime
    event_seq: int
