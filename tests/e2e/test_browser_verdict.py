"""What follows from the verdict, in a real browser: the adapter, the code, the next study; and the rows behind it."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.backend.ledger.keep import keep
from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
THREE = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}]


@pytest.fixture(scope="module")
def study_id(service: Served) -> str:
    made = service.queue(name="to follow", seeds=3, arms=THREE)
    service.puppet.work()
    return made


def next_steps(page: Page) -> dict[str, bool]:
    """The buttons under the verdict, and whether they can be used."""
    buttons = page.get_by_role("group", name="Next").get_by_role("button")
    expect(buttons.nth(3)).to_be_visible()
    return {one.inner_text(): one.get_attribute("aria-disabled") is None for one in buttons.all()}


def test_what_follows_from_the_verdict_works(service: Served, browser: Browser, study_id: str) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}")
    verdict = httpx.get(f"{service.url}/api/v1/studies/{study_id}/comparison").json()["verdict"]
    assert next_steps(page)["Get the adapter of No dropout"]
    page.get_by_role("button", name="Get the adapter").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(verdict["take"]["rule"])
    expect(dialog.get_by_role("status")).to_contain_text("Its files are not on this server any more")  # a puppet ran
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy as PEFT code").click()
    expect(page.get_by_role("dialog")).to_contain_text("get_peft_model(base, config)")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Repeat stopped there").click()
    page.wait_for_url("**/new?*")
    expect(page.get_by_label("Name", exact=True)).to_have_value("to follow (stopped in time)")
    watched.close()


def test_a_share_link_says_why_nothing_follows_there(service: Served, browser: Browser, study_id: str) -> None:
    made = httpx.post(f"{service.url}/api/v1/shares", json={"study_id": study_id, "mode": "frozen"}).json()
    watched = Watched(browser, service.url)
    page = watched.open(made["path"])
    steps = next_steps(page)
    assert len(steps) == 4
    assert not any(steps.values())
    page.get_by_role("button", name="Get the adapter").hover()
    expect(page.get_by_role("tooltip")).to_contain_text("A share link shows what was found")
    watched.close()


def test_rows_say_why_there_are_none_and_else_what_every_arm_says(
    service: Served, browser: Browser, study_id: str
) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}?tab=rows")
    expect(page.get_by_text("made before runs kept what they say of each row")).to_be_visible()
    kept = service.queue(name="with ledgers", seeds=3, arms=THREE)
    service.puppet.work()
    keep(service.database, Path(service.settings.home), kept)
    page = watched.open(f"/studies/{kept}?tab=rows")
    table = page.get_by_role("group", name="Answers and confidence")
    expect(table.get_by_role("row")).to_have_count(1 + len(THREE))
    clock = httpx.get(f"{service.url}/api/v1/studies/{kept}/comparison").json()["verdict"]["clock"]
    ledger = httpx.get(f"{service.url}/api/v1/studies/{kept}/ledger?clock={clock}").json()
    first = table.get_by_role("row").nth(1)
    expect(first).to_contain_text(f"{ledger['arms'][0]['calibration']['brier']:.3f}")
    rows = page.get_by_role("region", name="Disputed rows").get_by_role("article")
    expect(rows).to_have_count(10)
    expect(rows.first).to_contain_text("of 3 right")
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(20)
    expect(page.get_by_role("link", name="Parquet of every row")).to_be_visible()
    watched.close()
