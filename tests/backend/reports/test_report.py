"""A study's report over REST: written, frozen, followed, taken away as one file."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import plotly.io
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, func, select

from backend.shared.report_tables import Report
from backend.shared.settings import Settings
from backend.shared.tables import Study
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, train

HOSTILE = "<script>alert('x')</script> & שלום 🦙"
TEXT = "## What we found\n\n**HiddenKey** helps. <img src=x onerror=alert(1)> [bad](javascript:alert(1))\n"


def _save(client: TestClient, study_id: str, version: int, **changes: Any) -> Any:
    body = {"title": "What we found", "text": TEXT, "frozen": False, "version": version} | changes
    return client.put(f"{API}/studies/{study_id}/report", json=body)


def test_a_report_that_nobody_wrote_shows_the_study(client: TestClient, settings: Settings) -> None:
    made = post(client)
    found = client.get(f"{API}/studies/{made['id']}/report").json()
    assert (found["title"], found["text"], found["version"], found["frozen"]) == ("two arms", "", 0, False)
    assert found["figures"] == []
    train(inside(client).database, settings.home)
    found = client.get(f"{API}/studies/{made['id']}/report").json()
    compared = client.get(f"{API}/studies/{made['id']}/comparison").json()
    assert found["answers"] == compared["answers"]
    assert found["footnotes"] == compared["notes"]
    assert [row[0] for row in found["table"]["rows"]] == ["HiddenKey 0.1", "No dropout (baseline)"]
    assert {"losses", "gap", "ranking"} <= {figure["layout"]["meta"]["name"] for figure in found["figures"]}
    assert "minilm-l6" in found["methods_text"]
    assert "<h3>Set-up</h3>" in found["methods_html"]
    arm = next(arm for arm in compared["arms"] if not arm["is_baseline"])
    cell = found["table"]["rows"][0][found["table"]["columns"].index("Validation loss")]
    estimate = arm["final"]["validation/loss"]
    told = dict(zip(("mean", "half_width"), cell.split(" ± "), strict=False))
    assert "mean" in told
    assert ("half_width" in told) == (estimate["half_width"] is not None) == (estimate["n"] > 2)
    for name, text in told.items():
        assert float(text) == pytest.approx(estimate[name], abs=10 ** -len(text.split(".")[1]))


def test_a_report_is_saved_and_cannot_be_overwritten_unseen(client: TestClient) -> None:
    study_id = post(client)["id"]
    first = _save(client, study_id, 0)
    assert first.status_code == 200
    saved = first.json()
    assert (saved["title"], saved["text"], saved["version"]) == ("What we found", TEXT, 1)
    assert "<strong>HiddenKey</strong>" in saved["text_html"]
    assert "<img" not in saved["text_html"]
    assert "href" not in saved["text_html"]
    refused = _save(client, study_id, 0, text="other")
    assert refused.status_code == 409
    assert "somebody else" in refused.json()["detail"]
    assert client.get(f"{API}/studies/{study_id}/report").json()["text"] == TEXT
    assert _save(client, study_id, 1, text="").json()["version"] == 2


def test_a_frozen_report_stays_while_the_study_goes_on(client: TestClient, settings: Settings) -> None:
    study_id = post(client)["id"]
    database = inside(client).database
    train(database, settings.home, packs=1)
    frozen = _save(client, study_id, 0, frozen=True).json()
    assert frozen["frozen"]
    assert frozen["event_seq"] == frozen["latest_seq"]
    train(database, settings.home)
    later = client.get(f"{API}/studies/{study_id}/report").json()
    assert later["latest_seq"] > later["event_seq"] == frozen["event_seq"]
    for part in ("figures", "table", "answers", "footnotes", "methods_text", "progress"):
        assert later[part] == frozen[part], part
    edited = _save(client, study_id, 1, frozen=True, text="new words").json()
    assert (edited["event_seq"], edited["text"]) == (frozen["event_seq"], "new words")
    live = _save(client, study_id, 2).json()
    assert (live["frozen"], live["event_seq"]) == (False, live["latest_seq"])
    assert live["table"] != frozen["table"]


def test_bad_reports_are_refused_with_their_place(client: TestClient) -> None:
    study_id = post(client)["id"]
    for changes, pointer in (({"title": ""}, "/title"), ({"text": "x" * 100_001}, "/text"), ({"more": 1}, "/more")):
        answer = _save(client, study_id, 0, **changes)
        assert answer.status_code == 422
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    for path in ("report", "report.html"):
        assert client.get(f"{API}/studies/study_nowhere/{path}").status_code == 404
    assert client.put(f"{API}/studies/study_nowhere/report", json={"title": "x", "version": 0}).status_code == 404


def test_a_deleted_study_takes_its_report_along(client: TestClient) -> None:
    study_id = post(client)["id"]
    _save(client, study_id, 0)
    with inside(client).database.write() as session:
        session.execute(delete(Study).where(Study.id == study_id))
        assert session.scalar(select(func.count()).select_from(Report)) == 0


class _Reader(HTMLParser):
    """Collects scripts, tags and every address that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.scripts: list[str] = []
        self.types: list[str | None] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset", "data") or tag == "link"]
        self._inside = tag == "script"
        if self._inside:
            self.types.append(dict(attrs).get("type"))

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts.append(data)
            self._inside = False


def test_the_file_needs_nothing_else_and_lets_no_name_become_markup(
    sqlite_client: TestClient, sqlite_settings: Settings
) -> None:
    arms = [{"method": "none", "label": HOSTILE}, {"method": "hiddenkey", "rate": 0.1}]
    study_id = post(sqlite_client, name=HOSTILE, arms=arms)["id"]
    train(inside(sqlite_client).database, sqlite_settings.home)
    _save(sqlite_client, study_id, 0, title=HOSTILE, frozen=True)
    answer = sqlite_client.get(f"{API}/studies/{study_id}/report.html")
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.html"', answer.headers["Content-Disposition"])
    reader = _Reader()
    reader.feed(answer.text)
    assert reader.fetched == []
    assert reader.types == ["application/json", None, None]
    assert not {"img", "iframe", "link", "form", "object"} & set(reader.tags)
    assert "plotly.js v4" in reader.scripts[1]
    assert reader.tags.count("figure") == len(json.loads(reader.scripts[0])) >= 4
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', answer.text)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1].split("style-src")[0]


def test_a_figure_of_the_api_opens_in_a_notebook(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    study_id = post(sqlite_client)["id"]
    train(inside(sqlite_client).database, sqlite_settings.home)
    for name in ("losses", "gap", "ranking", "significance"):
        text = sqlite_client.get(f"{API}/studies/{study_id}/figures/{name}").text
        figure = plotly.io.from_json(text)
        assert len(figure.data) == len(json.loads(text)["data"]) > 0
        assert figure.layout.title.text
