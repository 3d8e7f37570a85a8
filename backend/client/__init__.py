"""Talk to a Dropscope server from Python: `dropscope.Client("http://127.0.0.1:8321")`."""

from .client import Client, Json
from .errors import ApiError, ServerUnreachable

__all__ = ["ApiError", "Client", "Json", "ServerUnreachable"]
