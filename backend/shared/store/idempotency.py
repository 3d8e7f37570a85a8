"""Which answer a creating request with a key has had, for 24 hours."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.tables import IdempotencyKey, now

KEPT_FOR = timedelta(hours=24)


def find(session: Session, user_id: str, key: str) -> IdempotencyKey | None:
    """What was answered to this key within the last 24 hours."""
    found = session.get(IdempotencyKey, (user_id, key))
    return found if found is not None and found.created_at > now() - KEPT_FOR else None


def remember(session: Write, user_id: str, key: str, body_hash: str, status: int, response: dict[str, Any]) -> None:
    """Keep an answer and forget those older than a day; a second one for the same key fails at the flush."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at <= now() - KEPT_FOR))
    session.add(
        IdempotencyKey(
            user_id=user_id, key=key, body_hash=body_hash, status=status, response=response, created_at=now()
        )
    )
    session.flush()
