"""What to say of a hub model that is not on this machine: what the hub has under its name, or that it cannot be asked.

The hub is asked only when somebody names a model of it, once in a while, one question at a time, and never waited for
longer than a person would.
"""

import threading
import time

from backend.shared.errors import DropscopeError, InvalidInput

from . import hub

ASK_S, KEPT_S = 4.0, 60.0
MOST_KEPT = 200
_one_at_a_time = threading.Lock()
_kept: dict[str, tuple[float, str]] = {}  # hub id → when it was asked, and the answer
_away = 0.0  # when the hub was last found not to answer


def said_of(hub_id: str) -> str | None:
    """A sentence about a model of the hub; None where the hub is being asked about another one just now."""
    global _away
    now = time.monotonic()
    if hub_id in _kept and now - _kept[hub_id][0] < KEPT_S:
        return _kept[hub_id][1]
    if _away and now - _away < KEPT_S:
        return hub.UNREACHABLE["model"]
    if not _one_at_a_time.acquire(blocking=False):
        return None
    try:
        said = _asked(hub_id)
        if said is None:
            _away = time.monotonic()
            return hub.UNREACHABLE["model"]
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[hub_id] = (time.monotonic(), said)
        return said
    finally:
        _one_at_a_time.release()


def forget() -> None:
    """Ask anew next time."""
    global _away
    _kept.clear()
    _away = 0.0


def _asked(hub_id: str) -> str | None:
    """The hub's answer as a sentence; None where it did not answer in time."""
    found: list[str] = []

    def ask() -> None:
        try:
            offer = hub.look(hub_id)
        except InvalidInput as error:
            found.append(error.message)
        except DropscopeError:
            return
        else:
            command = f"dropscope model fetch {hub_id} --revision {offer.commit}"
            found.append(
                f"{hub_id} is on the hub, not on this machine: commit {offer.commit[:12]}, licence {offer.licence}, "
                f"{offer.bytes / 1e6:,.1f} MB. Fetch it with `{command}`."
            )

    thread = threading.Thread(target=ask, name="hub", daemon=True)
    thread.start()
    thread.join(ASK_S)
    return found[0] if found else None
