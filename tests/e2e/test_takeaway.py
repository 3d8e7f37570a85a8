"""What a person takes away from a study: the report they write, its one file, and every chart as a drawing."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import plotly.io
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.axe import violations
from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
TEXT = """## What we asked

**Which dropout** keeps this adapter from overfitting?

| method | verdict |
|--------|---------|
| HiddenKey | use it |

<script>alert(1)</script> ![far away](http://elsewhere.example/x.png)
"""


@pytest.fixture
def study_id(service: Served) -> str:
    made = service.queue(name="<b>to take away</b> שלום", seeds=3)
    service.puppet.work(failed=frozenset({3}))
    return made


def report_of(service: Served, study_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{service.url}/api/v1/studies/{study_id}/report").json()
    return found


def cells(page: Page) -> list[list[str]]:
    """The table of results as it stands on the page."""
    rows = page.get_by_role("region", name="Results of all arms").locator("tbody tr")
    return [row.locator("th, td").all_inner_texts() for row in rows.all()]


def write(page: Page, title: str, text: str) -> None:
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()


def test_a_report_is_written_frozen_and_stays(service: Served, browser: Browser, study_id: str) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}")
    page.get_by_role("link", name="Report").click()
    write(page, "What to use", TEXT)
    prose = page.get_by_role("heading", name="What we asked").locator("..")
    expect(prose.get_by_role("cell", name="use it")).to_be_visible()
    expect(prose).to_contain_text("<script>alert(1)</script>")
    assert prose.locator("img, script").count() == 0
    expect(page.get_by_text("live: follows the study")).to_be_visible()
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("frozen", exact=False).first).to_be_visible()
    frozen = report_of(service, study_id)
    httpx.post(f"{service.url}/api/v1/studies/{study_id}/extend", json={"seeds": 4}).raise_for_status()
    service.puppet.work()
    page.reload()
    expect(page.get_by_role("heading", level=1, name="What to use")).to_be_visible()
    later = report_of(service, study_id)
    assert later["table"] == frozen["table"]
    assert cells(page) == later["table"]["rows"]
    page.get_by_role("button", name="Make it live").click()
    expect(page.get_by_text("live: follows the study")).to_be_visible()
    live = report_of(service, study_id)
    assert cells(page) == live["table"]["rows"] != frozen["table"]["rows"]
    watched.close()


def test_a_live_report_follows_the_study(service: Served, browser: Browser) -> None:
    study_id = service.queue(name="goes on", seeds=2)
    service.puppet.work(packs=1)
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}/report")
    expect(page.get_by_text("8 of 16 runs ended")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    service.puppet.work()
    expect(page.get_by_text("16 of 16 runs ended.")).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True
    watched.close()


def test_two_people_cannot_overwrite_each_other(service: Served, browser: Browser, study_id: str) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}/report")
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Text", exact=True).fill("mine")
    body = {"title": "theirs", "text": "theirs", "version": 0}
    httpx.put(f"{service.url}/api/v1/studies/{study_id}/report", json=body).raise_for_status()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("somebody else saved this report")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value("mine")
    assert report_of(service, study_id)["text"] == "theirs"
    assert [text for text in watched.complaints if "409" not in text] == []
    page.context.close()


def test_the_file_works_by_a_double_click_without_a_network(
    service: Served, browser: Browser, study_id: str, tmp_path: Path
) -> None:
    body = {"title": "To hand on", "text": TEXT, "frozen": True, "version": 0}
    httpx.put(f"{service.url}/api/v1/studies/{study_id}/report", json=body).raise_for_status()
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}/report")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download HTML").click()
    assert saved.value.suggested_filename == "to-hand-on.html"
    file = tmp_path / "report.html"
    saved.value.save_as(file)
    watched.close()
    alone = Watched(browser, f"file://{file}", offline=True)
    page = alone.open("")
    figures = report_of(service, study_id)["figures"]
    expect(page.locator("figure .js-plotly-plot")).to_have_count(len(figures))
    expect(page.locator("figure .js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.locator(".facts").first).to_contain_text("<b>to take away</b>")
    assert [figure["layout"]["meta"]["alt"] for figure in figures] == page.locator("figcaption").all_inner_texts()
    expect(page.get_by_role("columnheader", name="Validation loss")).to_be_visible()
    expect(page.get_by_text("Footnotes on the statistics")).to_be_visible()
    alone.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_accessible_while_it_is_written(
    service: Served, browser: Browser, study_id: str, scheme: str
) -> None:
    watched = Watched(browser, service.url, color_scheme=scheme, reduced_motion="reduce")
    page = watched.open(f"/studies/{study_id}/report")
    write(page, "Read by everybody", TEXT)
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("button", name="Make it live")).to_be_visible()
    page.get_by_role("button", name="Edit title and text").click()
    page.get_by_role("button", name="Make it live").click()
    expect(page.get_by_role("button", name="Freeze")).to_be_visible()
    found = violations(page)
    assert [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found] == []
    page.get_by_label("Text", exact=True).fill("shorter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Edit title and text")).to_be_visible()
    assert report_of(service, study_id)["text"] == "shorter"
    watched.close()


def test_paper_is_light_whatever_the_screen_is(service: Served, browser: Browser, study_id: str) -> None:
    watched = Watched(browser, service.url, color_scheme="dark")
    page = watched.open(f"/studies/{study_id}/report")
    page.locator(".main-svg text").first.wait_for()
    background = "getComputedStyle(document.body).backgroundColor"
    text = "getComputedStyle(document.querySelector('.main-svg text')).fill"
    assert page.evaluate(background) != "rgb(255, 255, 255)"
    page.emulate_media(media="print")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    assert page.evaluate(text) == "rgb(26, 32, 44)"
    expect(page.get_by_role("button", name="Freeze")).to_be_hidden()
    watched.close()


def test_every_chart_is_saved_as_a_drawing_and_as_plotly_json(service: Served, browser: Browser, study_id: str) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}/report")
    page.locator(".main-svg").first.wait_for(state="attached")
    labels = [menu.get_attribute("aria-label") for menu in page.get_by_role("button", name="Save: ").all()]
    assert len(labels) >= 6
    for label in labels:
        button, menu = page.get_by_role("button", name=label), page.get_by_role("menu", name=label)
        button.click()
        with page.expect_download() as drawing:
            menu.get_by_role("menuitem", name="SVG").click()
        root = ElementTree.parse(drawing.value.path()).getroot()
        assert root.tag.endswith("svg")
        assert len(list(root.iter())) > 50
        button.click()
        with page.expect_download() as saved:
            menu.get_by_role("menuitem", name="Plotly JSON").click()
        text = saved.value.path().read_text()
        assert len(plotly.io.from_json(text).data) == len(json.loads(text)["data"]) > 0
    watched.close()
