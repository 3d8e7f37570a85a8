"""What `dropscope doctor` says of one thing that it looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` says what to do where it is not well, `fatal` that nothing works so."""

    name: str
    well: bool
    found: str
    remedy: str = ""
    fatal: bool = True
