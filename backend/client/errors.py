"""What can go wrong between a program and the server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorItem:
    """One thing wrong with what was sent: JSON pointer and sentence."""

    pointer: str
    detail: str


class ServerUnreachable(Exception):
    """Nobody answers at this address."""


class ApiError(Exception):
    """The server refused; `str()` is a sentence for a person, `code` is for programs."""

    def __init__(self, status: int, code: str, detail: str, items: tuple[ErrorItem, ...], request_id: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.items, self.request_id = status, code, detail, items, request_id
