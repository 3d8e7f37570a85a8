"""Ids of models and data sets: what one may look like, one made from a title, and the answer to an unknown one."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from backend.shared.errors import InvalidInput

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_FETCH = {"model": "model", "data set": "data"}  # what can come from the hub, and the command's name for it
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def check_id(value: str, pointer: str = "") -> str:
    """The id itself, if it can be a file name on any system.

    Raises:
        InvalidInput: empty, too long, or with other characters than a-z, 0-9, dot, underscore and hyphen.
    """
    if not _ID.fullmatch(value) or value.endswith(".") or ".." in value:
        raise InvalidInput(
            f"{value[:100]!r} cannot be an id: use a to z, 0 to 9, dots, underscores and hyphens, at most 100 in all.",
            pointer,
        )
    return value


def slug(title: str) -> str:
    """An id from a file name or title: `My Reviews (2).csv` gives `my-reviews-2-.csv` without its odd ends."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    cleaned = re.sub(r"[^a-z0-9._]+", "-", plain)
    return re.sub(r"\.{2,}", ".", cleaned).strip("-._")[:80].strip("-._") or "unnamed"


def is_hub_id(name: str) -> bool:
    """Whether a name has the form `owner/name` that the public hub uses."""
    return _HUB_ID.fullmatch(name) is not None


def unknown(kind: str, asked: str, known: Iterable[str], pointer: str) -> InvalidInput:
    """The error for an id that nobody knows, with the nearest known ones."""
    names = list(known)
    if kind in _FETCH and is_hub_id(asked.partition(":")[0]):
        hub_id, _, config = asked.partition(":")
        command = f"dropscope {_FETCH[kind]} fetch {hub_id}" + (f" --config {config[:60]}" if config else "")
        return InvalidInput(
            f"The hub {kind} {asked[:200]} is not on this machine; fetch it with `{command}`, which shows its licence "
            "and size first.",
            pointer,
        )
    near = difflib.get_close_matches(asked.lower(), names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names[:20])}."
    return InvalidInput(f"There is no {kind} {asked[:100]!r} here. {hint}", pointer)


def one_of(kind: str, hub_id: str, found: Sequence[str], pointer: str) -> str | None:
    """The id under which a thing of the hub is here, None where it is not.

    Raises:
        InvalidInput: it was fetched more than once.
    """
    if len(found) > 1:
        raise InvalidInput(
            f"The hub {kind} {hub_id[:200]} is here as {' and '.join(found)}; use the id of one.", pointer
        )
    return found[0] if found else None
