"""Routes of share links: make, list, take back."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from backend.accounts.auth import Who
from backend.comparison import cache as comparisons
from backend.edge.context import App
from backend.shared.team_tables import Share

from . import service
from .schemas import ShareCreate, ShareCreated, ShareList, ShareOut

router = APIRouter(prefix="/shares", tags=["shares"])


@router.post("", operation_id="shares_create", status_code=status.HTTP_201_CREATED)
def create(wanted: ShareCreate, who: Who, app: App, cache: comparisons.Comparisons, response: Response) -> ShareCreated:
    """A link to one study, for whoever has it; it is shown this once."""
    with app.database.write() as session:
        row, secret = service.create(
            session,
            who,
            wanted.study_id,
            freeze=wanted.mode == "frozen",
            days=wanted.expires_in_days,
            show_author=wanted.show_author,
            show_report=wanted.show_report,
            load=cache.records,
        )
        shown = _shown(row, wanted.mode == "frozen").model_dump()
    response.headers["Location"] = f"/api/v1/shares/{row.id}"
    return ShareCreated(**shown, secret=secret, path=f"/s/{secret}")


@router.get("", operation_id="shares_list")
def list_shares(
    who: Who, app: App, study_id: Annotated[str | None, Query(max_length=100, description="Of one study.")] = None
) -> ShareList:
    """Share links of this workspace, without their secrets."""
    with app.database.read() as session:
        found = service.listed(session, who.workspace_id, study_id)
        return ShareList(items=[_shown(row, is_frozen) for row, is_frozen in found])


@router.delete("/{share_id}", operation_id="shares_revoke", status_code=status.HTTP_204_NO_CONTENT)
def revoke(share_id: str, who: Who, app: App) -> None:
    """Take a link back: it answers 404 at once, and open streams end within ten seconds."""
    with app.database.write() as session:
        service.revoke(session, share_id)


def _shown(row: Share, is_frozen: bool) -> ShareOut:
    return ShareOut(
        id=row.id,
        study_id=row.study_id,
        mode="frozen" if is_frozen else "live",
        show_author=row.show_author,
        show_report=row.show_report,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        views=row.views,
        last_viewed_at=row.last_viewed_at,
    )
