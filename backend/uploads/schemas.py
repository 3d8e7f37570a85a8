"""Uploads and the rows of data sets as the API takes and answers them."""

from datetime import datetime

from pydantic import Field

from backend.edge.answers import Out
from backend.shared.specs import Frozen


class UploadCreate(Frozen):
    """A file to be sent."""

    name: str = Field(min_length=1, max_length=200, description="Its name; the ending says the format.")
    bytes: int | None = Field(None, ge=1, le=2**50, description="Its size; unset: as many as one request brings.")


class UploadOut(Out):
    """A file on its way; go on at offset `received` where it was cut off."""

    id: str
    name: str
    bytes: int | None
    received: int
    complete: bool
    dataset_id: str | None = Field(description="The data set that was made of it.")
    created_at: datetime
