"""What was looked at beyond a study's plan, kept in its event stream: whoever looks, and each view once.

Whoever tries several baselines and quantities finds a false difference more often than any one of them states.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.database import Database
from backend.shared.errors import DropscopeError
from backend.shared.store import study_events
from backend.shared.tables import StudyEvent

from .statistics.records import View

MOST = 100  # views kept of one study; more say nothing new
_log = logging.getLogger(__name__)


def views(session: Session, study_id: str) -> tuple[View, ...]:
    """Return what was looked at beyond the plan, in the order of the first looks."""
    query = select(StudyEvent.data).where(StudyEvent.study_id == study_id, StudyEvent.kind == "study")
    found = (data["explored"] for data in session.scalars(query.order_by(StudyEvent.seq)) if "explored" in data)
    return tuple(dict.fromkeys((one["baseline"], one["metric"]) for one in found))


def keep(database: Database, study_id: str, view: View, known: Sequence[View]) -> bool:
    """Store a view that is new; return whether it was. A database that takes nothing now leaves it out, and says so."""
    if view in known or len(known) >= MOST:
        return False
    told = {"explored": {"baseline": view[0], "metric": view[1]}}
    try:
        with database.write() as session:
            study_events.append(session, study_id, [("study", None, told)])
    except DropscopeError as error:
        _log.warning("a look beyond the plan of %s could not be kept: %s", study_id, error)
        return False
    return True
