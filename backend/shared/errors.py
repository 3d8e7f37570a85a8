"""Errors a person can act on.

DropscopeError
├── InvalidInput         422  what was asked cannot be done as written; carries JSON pointers
├── NotFound             404
├── Conflict             409  not in the present state
├── TooLarge             413
├── Forbidden            403
├── Unauthorized         401
├── TooManyRequests      429  wait, then try again
├── Unavailable          503  try again later
└── TrainingError             raised in a trainer; becomes the run's failure code and sentence
"""

from dataclasses import dataclass
from typing import ClassVar

from backend.shared.run_status import FailureCode


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: where (RFC 6901 pointer), and a sentence with the remedy."""

    pointer: str
    message: str


class DropscopeError(Exception):
    """Base of the errors that are shown to a person as they are."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DropscopeError):
    """The request cannot be carried out as written; nothing was stored."""

    status, code = 422, "invalid_input"

    def __init__(self, message: str, pointer: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (Problem(pointer, message),)

    @classmethod
    def of(cls, problems: list[Problem]) -> "InvalidInput":
        """One error for several problems; the first sentence leads."""
        return cls(problems[0].message, problems=tuple(problems))


class NotFound(DropscopeError):
    """No such thing, or not yours to see."""

    status, code = 404, "not_found"


class Conflict(DropscopeError):
    """Not possible in the present state; the message names that state."""

    status, code = 409, "conflict"


class TooLarge(DropscopeError):
    """The body or file is over its cap."""

    status, code = 413, "too_large"


class Forbidden(DropscopeError):
    """Known, but not allowed."""

    status, code = 403, "forbidden"


class Unauthorized(DropscopeError):
    """Who is asking is not known."""

    status, code = 401, "unauthorized"


class TooManyRequests(DropscopeError):
    """Too many tries in a short time; `retry_after_s` is how long to wait."""

    status, code = 429, "too_many_requests"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(DropscopeError):
    """Something this needs is not there right now; try again later."""

    status, code = 503, "unavailable"


class StartupError(DropscopeError):
    """The product cannot start here; the command line prints the sentence and exits with 1."""

    code = "startup"


class TrainingError(DropscopeError):
    """A run cannot go on; the sentence says what to change."""

    code = "training"

    def __init__(self, failure: FailureCode, message: str) -> None:
        super().__init__(message)
        self.failure = failure
