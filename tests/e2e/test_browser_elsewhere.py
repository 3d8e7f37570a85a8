"""What it cost elsewhere, on the page: asked for in the form, told in a sentence, a picture, a table and a column."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served, served
from tests.worker.data.stored import films, store

pytestmark = pytest.mark.browser
ARMS = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("elsewhere")) as service:
        named = {"bad": "rotten", "good": "fresh"}
        rows = [(split, {**row, "label": named[row["label"]]}) for split, row in films(60, 240)]
        store(service.settings.shared, "other-reviews", "classification", rows)
        yield service


def told(service: Served, study_id: str, clock: str = "last") -> dict[str, Any]:
    query = {"clock": clock, "curves": False}
    answer = httpx.get(f"{service.url}/api/v1/studies/{study_id}/comparison", params=query, timeout=30)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def test_a_study_that_is_measured_elsewhere_says_what_it_cost(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="cost", seeds=5, arms=ARMS, also_measure=["other-reviews"])
    service.puppet.work()
    compared = told(service, study_id)
    page = watched.open(f"/studies/{study_id}")
    part = page.get_by_role("region", name="What it cost elsewhere")
    expect(part).to_contain_text(compared["elsewhere"]["sentence"])
    expect(part).to_contain_text("HiddenKey forgot less than No dropout")
    expect(part).to_contain_text("200 validation rows of other-reviews")
    expect(part.locator(".js-plotly-plot")).to_be_visible()
    arms = {arm["arm_id"]: arm for arm in compared["elsewhere"]["sets"][0]["measures"][0]["arms"]}
    rows = part.get_by_role("row")
    results = page.get_by_role("region", name="Results").get_by_role("row")
    expect(results.nth(0)).to_contain_text("Change on other-reviews")
    for place, arm_id in enumerate(compared["ranking"], 1):
        change = arms[arm_id]["last"]["change"]
        written = f"+{change['mean']:.3f} ± {change['half_width']:.3f}"
        expect(rows.nth(place + 1)).to_contain_text(written)  # below the name of the measure
        expect(results.nth(place)).to_contain_text(written)


def test_a_study_that_is_measured_nowhere_else_has_no_such_part(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="plain", seeds=3, arms=ARMS)
    service.puppet.work()
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_role("region", name="Results").get_by_role("row").nth(1)).to_be_visible()
    expect(page.get_by_role("region", name="What it cost elsewhere")).to_have_count(0)


def test_the_form_asks_what_else_is_measured(service: Served, watched: Watched) -> None:
    page = watched.open("/new")
    field = page.get_by_role("combobox", name="Also measure on")
    field.click()
    page.get_by_role("option", name="other-reviews").click()
    expect(page.get_by_role("button", name="Do not measure on other-reviews")).to_be_visible()
    rows = page.get_by_role("textbox", name="Rows of each")
    expect(rows).to_have_value("200")
    rows.fill("120")
    page.get_by_role("textbox", name="Name", exact=True).fill("asked for elsewhere")
    page.get_by_role("button", name="Queue").first.click()
    page.wait_for_url("**/studies/*")
    made = told(service, page.url.rsplit("/", 1)[1].partition("?")[0])
    assert [(one["dataset"], one["rows"]) for one in made["elsewhere"]["sets"]] == [("other-reviews", 120)]
