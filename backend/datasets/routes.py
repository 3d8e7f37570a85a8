"""Routes of data sets: list, look at their rows and at what was refused, delete."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, status
from fastapi.responses import StreamingResponse

from backend.accounts.auth import Who, while_allowed
from backend.edge.answers import Responses
from backend.edge.context import App
from backend.edge.paging import Cursor, Limit, encode, number
from backend.shared.catalogue import absent_datasets, require_dataset
from backend.shared.facts import DatasetFacts

from . import service
from .rendered import rendered
from .rendered_schemas import Asked, Rendered
from .schemas import DatasetList, DatasetRows

router = APIRouter(prefix="/datasets", tags=["datasets"])
CSV: Responses = {
    200: {"description": "CSV with a header line.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("", operation_id="datasets_list")
def list_datasets(who: Who, app: App) -> DatasetList:
    """Data sets that can be trained on here."""
    with app.database.read() as session:
        found = service.listed(session, app.settings, who.workspace_id)
    return DatasetList(items=found, missing=absent_datasets())


@router.get("/{dataset_id}", operation_id="datasets_get")
def get(dataset_id: str, who: Who, app: App) -> DatasetFacts:
    """What is known of a data set."""
    return require_dataset(app.settings.shared, dataset_id)


@router.get("/{dataset_id}/rows", operation_id="datasets_rows")
def rows(
    dataset_id: str,
    who: Who,
    app: App,
    split: Annotated[Literal["train", "validation"], Query()] = "train",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DatasetRows:
    """The rows of a split as they are trained on, labels by name."""
    items, after = service.rows(app.settings, dataset_id, split, number(cursor) if cursor else 0, limit)
    return DatasetRows(items=items, next_cursor=None if after is None else encode(after))


@router.get("/{dataset_id}/rendered", operation_id="datasets_rendered")
def what_is_read(dataset_id: str, asked: Annotated[Asked, Query()], who: Who, app: App) -> Rendered:
    """What a model reads of the rows: its template's marks, the tokens that are learned, and what is cut."""
    return rendered(app.settings, dataset_id, asked)


@router.get(
    "/{dataset_id}/refused.csv", operation_id="datasets_refused", response_class=StreamingResponse, responses=CSV
)
def refused(dataset_id: str, who: Who, app: App) -> StreamingResponse:
    """Each row that was left out: its place, the column, the reason, and what it says."""
    return StreamingResponse(
        while_allowed(service.refused_csv(app.settings, dataset_id), app, who),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="refused.csv"', "Cache-Control": "no-store"},
    )


@router.delete("/{dataset_id}", operation_id="datasets_delete", status_code=status.HTTP_204_NO_CONTENT)
def delete(dataset_id: str, who: Who, app: App) -> None:
    """Delete a data set; 409 where a study that is not archived stands on it, or where it came with the product."""
    service.delete(app.database, app.settings, who.workspace_id, dataset_id)
