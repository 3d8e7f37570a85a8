"""What is really sent: bytes of a first visit to home and to a study, as the browser counts them on the wire."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.chromium import DESKTOP
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
HOME_BYTES, STUDY_BYTES = 320_000, 800_000


def sent(browser: Browser, address: str, until: str) -> tuple[int, dict[str, str]]:
    """Bytes on the wire, headers included, until a selector is there, and the coding of each answer by its address."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    total = 0
    codings: dict[str, str] = {}

    def came(event: dict[str, Any]) -> None:
        nonlocal total
        total += event["encodedDataLength"]

    def answered(event: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        codings[event["response"]["url"]] = headers.get("content-encoding", "none")

    line.on("Network.loadingFinished", came)
    line.on("Network.responseReceived", answered)
    page.goto(address)
    expect(page.locator(until).first).to_be_visible()
    page.wait_for_timeout(1000)  # what still comes; the stream of events never ends
    context.close()
    return total, codings


def test_a_first_visit_is_small_on_the_wire(service: Served, browser: Browser) -> None:
    study_id = service.queue(name="on the wire", seeds=5)
    service.puppet.work()
    home, of_home = sent(browser, service.url, "main h1, main h2")
    study, of_study = sent(browser, f"{service.url}/studies/{study_id}", ".js-plotly-plot")
    assert (0 < home <= HOME_BYTES, home < study <= STUDY_BYTES) == (True, True), f"home {home:,} B, study {study:,} B"
    scripts = {url: coding for url, coding in {**of_home, **of_study}.items() if url.endswith((".js", ".css"))}
    assert any("plotly" in url for url in scripts)
    assert {coding for url, coding in scripts.items() if "/assets/" in url} <= {"br", "none"}
    assert not [url for url, coding in scripts.items() if coding == "none" and ("plotly" in url or "index" in url)]
