"""The client: one method for each thing a script does with studies; answers are the API's JSON as dictionaries."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from .errors import ApiError, ErrorItem, ServerUnreachable

Json = dict[str, Any]
_ENDED = ("succeeded", "failed", "cancelled")
_STREAM_SILENCE_S = 45.0  # the server says "alive" every 15 s
_RETRY_S = 1.0


class Dropscope:
    """A connection to one server; use it as a context manager, or call `close`.

    Methods raise ApiError where the server refuses, ServerUnreachable where nobody answers.
    """

    def __init__(self, url: str = "http://127.0.0.1:8321", token: str | None = None, timeout: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def create_study(self, spec: Mapping[str, Any], idempotency_key: str | None = None) -> Json:
        """Queue a study; the same key with the same spec gives the first answer again."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._json("POST", "/studies", json=dict(spec), headers=headers)

    def preview_study(self, spec: Mapping[str, Any]) -> Json:
        """What posting this study would do: its arms, how many runs, an estimate, every problem. Stores nothing."""
        return self._json("POST", "/studies/preview", json=dict(spec))

    def studies(self) -> list[Json]:
        """All studies that are not archived, the newest first."""
        return self._all("/studies")

    def study(self, study_id: str) -> Json:
        """A study with its arms and how many runs stand where."""
        return self._json("GET", f"/studies/{study_id}")

    def runs(self, study_id: str) -> list[Json]:
        """The runs of a study in the order they are trained in."""
        return self._all(f"/studies/{study_id}/runs")

    def run(self, run_id: str) -> Json:
        """A run with its attempts and why each ended."""
        return self._json("GET", f"/runs/{run_id}")

    def metrics(self, run_id: str, full: bool = True) -> Json:
        """The measurements of a run as columns."""
        return self._json("GET", f"/runs/{run_id}/metrics", params={"full": full})

    def comparison(self, study_id: str, **options: Any) -> Json:
        """Means, intervals, differences and answers of a study."""
        return self._json("GET", f"/studies/{study_id}/comparison", params=options)

    def export_csv(self, study_id: str) -> str:
        """Every evaluation of every run, one a line."""
        return self._send("GET", f"/studies/{study_id}/export.csv").text

    def cancel_study(self, study_id: str) -> Json:
        """Cancel all runs that have not ended."""
        return self._json("POST", f"/studies/{study_id}/cancel")

    def cancel_run(self, run_id: str) -> Json:
        """Cancel a run."""
        return self._json("POST", f"/runs/{run_id}/cancel")

    def retry_run(self, run_id: str) -> Json:
        """Queue a failed or cancelled run again."""
        return self._json("POST", f"/runs/{run_id}/retry")

    def extend_study(self, study_id: str, seeds: int | None = None, arms: list[Json] | None = None) -> Json:
        """Add seeds or arms to a study."""
        return self._json("POST", f"/studies/{study_id}/extend", json={"seeds": seeds, "arms": arms or []})

    def methods(self) -> Json:
        """Presets, cells and consistency losses."""
        return self._json("GET", "/methods")

    def models(self) -> list[Json]:
        """Base models that can be trained on there."""
        return list(self._json("GET", "/models")["items"])

    def datasets(self) -> list[Json]:
        """Data sets that can be trained on there."""
        return list(self._json("GET", "/datasets")["items"])

    def workers(self) -> Json:
        """The workers and what they do."""
        return self._json("GET", "/workers")

    def events(self, study_id: str, after: int = 0) -> Iterator[Json]:
        """Events of a study as they happen, for ever, beginning after number `after`; reconnects by itself."""
        while True:
            with contextlib.suppress(httpx.TransportError):  # the server restarts: what happened meanwhile is replayed
                for event in self._stream(study_id, after):
                    after = int(event["seq"])
                    yield event
            time.sleep(_RETRY_S)

    def wait(self, study_id: str) -> Json:
        """Return the study when all of its runs have ended."""
        study = self.study(study_id)
        events = self.events(study_id, study["event_seq"])
        while not has_ended(study):
            event = next(events)
            if event["kind"] == "run" and event["data"].get("status") in _ENDED:
                study = self.study(study_id)
        return study

    def _stream(self, study_id: str, after: int) -> Iterator[Json]:
        timeout = httpx.Timeout(10.0, read=_STREAM_SILENCE_S)
        path = f"/studies/{study_id}/stream"
        with self._http.stream("GET", path, params={"after": after}, timeout=timeout) as response:
            if response.is_error:
                response.read()
                raise _refusal(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def _all(self, path: str) -> list[Json]:
        page = self._json("GET", path, params={"limit": 200})
        items = list(page["items"])
        while page.get("next_cursor"):
            page = self._json("GET", path, params={"limit": 200, "cursor": page["next_cursor"]})
            items += page["items"]
        return items

    def _json(self, method: str, path: str, **options: Any) -> Json:
        answer: Json = self._send(method, path, **options).json()
        return answer

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise ServerUnreachable(f"no Dropscope server answers at {self.url} ({error})") from error
        if response.is_error:
            raise _refusal(response)
        return response


def has_ended(study: Json) -> bool:
    """Whether no run of a study (as `Dropscope.study` gives it) is queued or running."""
    counts = study["counts"]
    return bool(counts["queued"] + counts["running"] == 0)


def _refusal(response: httpx.Response) -> ApiError:
    try:
        problem = response.json()
        items = tuple(ErrorItem(item["pointer"], item["detail"]) for item in problem.get("errors", []))
        return ApiError(response.status_code, problem["code"], problem["detail"], items, problem.get("request_id", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(response.status_code, "http", f"the server answered {response.status_code}", (), "")
