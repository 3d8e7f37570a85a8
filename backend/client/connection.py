"""One connection to a server: JSON in and out, pages joined, streams resumed, refusals as exceptions."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from .errors import ApiError, ErrorItem, ServerUnreachable
from .loopback import is_loopback

Json = dict[str, Any]
Items = list[Json]
_STREAM_SILENCE_S = 45.0  # the server says "alive" every 15 s
_RETRY_S = 1.0


class Connection:
    """What the nouns of the client stand on. Raises ApiError where the server refuses, else ServerUnreachable."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self.http = httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers, timeout=timeout, trust_env=not is_loopback(self.url)
        )

    def json(self, method: str, path: str, **options: Any) -> Json:
        """The JSON of an answer."""
        answer: Json = self.send(method, path, **options).json()
        return answer

    def all(self, path: str, **params: Any) -> Items:
        """All items of a list, page after page."""
        page = self.json("GET", path, params={"limit": 200, **params})
        items = list(page["items"])
        while page.get("next_cursor"):
            page = self.json("GET", path, params={"limit": 200, **params, "cursor": page["next_cursor"]})
            items += page["items"]
        return items

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """An answer that is no refusal."""
        try:
            response = self.http.request(method, path, **options)
        except httpx.TransportError as error:
            raise ServerUnreachable(f"no Dropscope server answers at {self.url} ({error})") from error
        if response.is_error:
            raise refusal(response)
        return response

    @contextlib.contextmanager
    def download(self, path: str, **params: Any) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer as they come."""
        try:
            with self.http.stream("GET", path, params=params) as response:
                if response.is_error:
                    response.read()
                    raise refusal(response)
                yield response.iter_bytes()
        except httpx.TransportError as error:
            raise ServerUnreachable(f"the download from {self.url} broke off ({error})") from error

    def events(self, path: str, after: int) -> Iterator[Json]:
        """Server-sent events, for ever, beginning after number `after`; reconnects by itself."""
        while True:
            with contextlib.suppress(httpx.TransportError):  # the server restarts: what happened meanwhile is replayed
                for event in self._stream(path, after):
                    after = int(event["seq"])
                    yield event
            time.sleep(_RETRY_S)

    def _stream(self, path: str, after: int) -> Iterator[Json]:
        timeout = httpx.Timeout(10.0, read=_STREAM_SILENCE_S)
        with self.http.stream("GET", path, params={"after": after}, timeout=timeout) as response:
            if response.is_error:
                response.read()
                raise refusal(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])


def refusal(response: httpx.Response) -> ApiError:
    """An error answer as an exception."""
    try:
        problem = response.json()
        items = tuple(ErrorItem(item["pointer"], item["detail"]) for item in problem.get("errors", []))
        return ApiError(response.status_code, problem["code"], problem["detail"], items, problem.get("request_id", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(response.status_code, "http", f"the server answered {response.status_code}", (), "")
