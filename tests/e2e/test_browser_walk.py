"""A person's way through the product in a real browser, with real training behind it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chromium import Watched, chromium
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG_MS = 240_000


@pytest.fixture(scope="module")
def watched(stack: Stack) -> Iterator[Watched]:
    with chromium() as browser:
        watched = Watched(browser, stack.url)
        yield watched
        watched.close()


def test_a_study_is_queued_in_the_form_followed_live_and_read(watched: Watched, stack: Stack) -> None:
    page = watched.open("/new")
    page.get_by_label("Name", exact=True).fill("from the form")
    page.get_by_role("button", name="Change", exact=True).click()
    for label, value in (
        ("Training rows", "64"),
        ("Validation rows", "96"),
        ("Epochs", "4"),
        ("Evaluations", "4"),
        ("Longest row", "48"),
    ):
        page.get_by_role("textbox", name=label).fill(value)
    page.get_by_label("Seeds", exact=True).fill("2")
    page.get_by_role("button", name="Queue 6 runs").click()

    page.wait_for_url("**/studies/*")
    study_id = page.url.rsplit("/", 1)[1]
    page.evaluate("window.neverReloaded = true")
    expect(page.get_by_role("heading", name="from the form")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    first = _points(page)
    expect(page.get_by_text("6 of 6 done")).to_be_visible(timeout=LONG_MS)
    assert _points(page) > first, "the curves grew while the page was open"
    assert page.evaluate("window.neverReloaded") is True

    with stack.http as http:
        compared = http.get(f"/api/v1/studies/{study_id}/comparison").json()
    use = page.locator('[data-answer="use"]')
    expect(use).to_contain_text(compared["verdict"]["headline"])
    for line in compared["verdict"]["lines"]:
        expect(use).to_contain_text(line["text"])
    page.get_by_text("Does it overfit, which overfits least").click()
    for answer in compared["answers"][1:]:
        expect(page.get_by_text(answer["text"])).to_be_visible()
    best = next(arm for arm in compared["arms"] if arm["id"] == compared["ranking"][0])
    row = page.get_by_role("region", name="Results").get_by_role("row").nth(1)
    expect(row).to_contain_text(best["label"])
    expect(row).to_contain_text(f"{best['final']['validation/loss']['mean']:.3f}")


def _points(page: Page) -> int:
    """Markers drawn in the chart of losses."""
    chart = page.get_by_role("region", name=re.compile("Probe and validation loss"))
    return int(chart.locator(".points path").count())
