"""Talk to a Dropscope server from Python: `dropscope.Dropscope("http://127.0.0.1:8321")`."""

from .client import Dropscope
from .connection import Json
from .errors import ApiError, ServerUnreachable

__all__ = ["ApiError", "Dropscope", "Json", "ServerUnreachable"]
