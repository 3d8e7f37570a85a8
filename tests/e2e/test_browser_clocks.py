"""The two clocks on the page: every run at its last step, or stopped in time; the address holds which."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
ARMS = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}]


def told(service: Served, study_id: str, clock: str) -> dict[str, Any]:
    query = {"clock": clock, "curves": False}
    answer = httpx.get(f"{service.url}/api/v1/studies/{study_id}/comparison", params=query, timeout=30)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def rows(page: Page, compared: dict[str, Any], at: str) -> None:
    """The table is in the order of the ranking, with the plan's verdict and the validation loss at either clock."""
    arms = {arm["id"]: arm for arm in compared["arms"]}
    table = page.get_by_role("region", name="Results").get_by_role("row")
    for place, arm_id in enumerate(compared["ranking"], 1):
        arm = arms[arm_id]
        last, stopped = (clock["final"]["validation/loss"]["mean"] for clock in (arm, arm["stopped"]))
        cells = table.nth(place).get_by_role("cell")
        expect(cells.nth(0)).to_contain_text(arm["label"])
        expect(cells.nth(1)).to_contain_text(arm["verdict"]["title"] if arm["verdict"] else "–")
        expect(cells.nth(3)).to_contain_text(f"{last if at == 'last' else stopped:.3f} ±")
        expect(cells.nth(5)).to_contain_text(f"{stopped if at == 'last' else last:.3f} ±")


def test_table_ranking_and_significance_follow_the_clock(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="both clocks", seeds=4, arms=ARMS)
    service.puppet.work()
    page = watched.open(f"/studies/{study_id}")
    results = page.get_by_role("region", name="Results")
    expect(results.get_by_role("heading", name="At the last evaluation")).to_be_visible()
    expect(results.get_by_role("columnheader", name="Δ to the baseline stopped")).to_be_visible()
    compared = told(service, study_id, "last")
    rows(page, compared, "last")
    expect(results).to_contain_text(compared["plan"]["sentence"])
    picture = page.get_by_role("region", name="Difference to the baseline")
    base = next(arm for arm in compared["arms"] if arm["is_baseline"])
    saved = base["stopped"]["last_against_stopped"]["validation/loss"]["mean"]
    expect(picture).to_contain_text(f"No dropout: stopped in time −{saved:.4f}")
    page.get_by_text("Stopped in time", exact=True).first.click()
    expect(results.get_by_role("heading", name="Stopped in time")).to_be_visible()
    assert "clock=stopped" in page.url
    compared = told(service, study_id, "stopped")
    rows(page, compared, "stopped")
    beyond = page.get_by_role("list", name="Beyond the plan")
    expect(beyond).to_contain_text(compared["plan"]["exploratory"][0])
    page.get_by_role("tab", name="Significance").click()
    best = next(arm for arm in compared["arms"] if arm["id"] == compared["ranking"][0])
    meaning = best["stopped"]["differences"]["validation/loss"]["meaning"]
    assert meaning != best["differences"]["validation/loss"]["meaning"]
    first = page.get_by_role("tabpanel").get_by_role("row").nth(1).get_by_role("cell").first
    expect(first).to_have_attribute("title", meaning)
    page.reload()
    expect(first).to_have_attribute("title", meaning)


def test_a_study_of_before_says_that_it_has_one_clock(service: Served, watched: Watched) -> None:
    service.puppet.halves = False
    try:
        study_id = service.queue(name="of before", seeds=3, arms=ARMS)
        service.puppet.work()
    finally:
        service.puppet.halves = True
    page = watched.open(f"/studies/{study_id}")
    view = page.get_by_role("complementary", name="View")
    expect(view.get_by_text("were trained before halves of the validation rows were recorded")).to_be_visible()
    expect(view.get_by_role("radio", name="Stopped in time")).to_be_disabled()
    heads = page.get_by_role("region", name="Results").get_by_role("columnheader")
    expect(heads.filter(has_text="stopped")).to_have_count(0)


def test_an_address_that_asks_for_a_clock_that_is_not_there_shows_the_other_and_says_so(
    service: Served, browser: Browser
) -> None:
    service.puppet.halves = False
    try:
        study_id = service.queue(name="asked for in vain", seeds=3, arms=ARMS)
        service.puppet.work()
    finally:
        service.puppet.halves = True
    watched = Watched(browser, service.url)  # its console tells of the refusals, as it should
    page = watched.open(f"/studies/{study_id}?clock=stopped")
    words = "So far this study has not recorded what its runs are worth stopped in time"
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()
    expect(page.get_by_role("region", name="Results").get_by_role("row").nth(1)).to_contain_text("±")
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
    watched.page.context.close()
