"""The table of reports: what somebody wrote about a study, and the records that it was frozen at."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.tables import Table, now


class Report(Table):
    """A study's report; `version` rises with every save, so that two people cannot overwrite each other unseen."""

    __tablename__ = "reports"
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)  # Markdown
    version: Mapped[int] = mapped_column(default=1)
    frozen: Mapped[bytes | None] = mapped_column(LargeBinary)  # compressed JSON of the records; null: live
    frozen_at: Mapped[datetime | None]
    updated_by: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(default=now)
