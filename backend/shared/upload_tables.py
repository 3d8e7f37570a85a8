"""The table of uploads: files on their way into data sets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.tables import Table, now


class Upload(Table):
    """A file that somebody sends; its bytes lie in a file named by the id, whose length says how much has come."""

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    created_by: Mapped[str]
    name: Mapped[str] = mapped_column(String(200))
    bytes: Mapped[int | None]  # as announced; null: as many as come
    complete: Mapped[bool] = mapped_column(default=False)
    plan: Mapped[dict[str, Any] | None]  # what it was made into a data set with
    dataset_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    touched_at: Mapped[datetime] = mapped_column(default=now, index=True)
