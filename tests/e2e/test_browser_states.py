"""What is broken, odd, huge or gone has a designed state, and nothing throws in the console."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from backend.shared.tables import Study
from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
HOSTILE = ("<script>alert(1)</script> &amp; שלום 🦙 %{x} $E=mc^2$ " + "very long " * 20)[:200]
THREE = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}]
TABS = {"Results", "Significance", "Train/inference gap", "Rows", "Runs"}  # the others say nothing of every study


def through_all_tabs(page: Page) -> None:
    """Open every tab and wait until what is behind it stands."""
    page.get_by_role("group", name="Arms").get_by_role("button").first.wait_for()  # then the tabs are those of its arms
    shown = page.get_by_role("tab").all_inner_texts()
    assert set(shown) >= TABS
    for name in shown:
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.get_by_role("tabpanel").locator(":scope > *").first).to_be_visible()
        expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)


def train(service: Served, *, nan: frozenset[int] = frozenset(), short: frozenset[int] = frozenset()) -> None:
    """Train everything that waits."""
    while (pack := service.puppet.claim()) is not None:
        for _ in service.puppet.evaluations(pack, nan=nan, short=short):
            pass
        service.puppet.end(pack)


def test_a_series_that_is_no_number_is_a_break_and_a_reason(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="not a number", seeds=3, arms=THREE)
    train(service, nan=frozenset({1}))
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_text("its validation loss at step 128 is not a number").first).to_be_visible()
    row = page.get_by_role("region", name="Results").get_by_role("row").filter(has_text="DropKey 0.1")
    expect(row.get_by_role("cell").nth(2)).to_have_text("0")
    expect(row.get_by_role("cell").nth(3)).to_have_text("–")
    assert "NaN" not in page.get_by_role("main").inner_text()
    through_all_tabs(page)


def test_one_seed_decides_nothing(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="one seed", seeds=1, arms=THREE)
    train(service)
    page = watched.open(f"/studies/{study_id}")
    use = page.locator('[data-answer="use"]')
    expect(use).to_contain_text("Too early to tell")
    expect(use).to_contain_text("Waiting")
    expect(page.get_by_role("region", name="Results")).not_to_contain_text("±")
    through_all_tabs(page)


def test_a_failed_run_says_why_and_can_be_retried(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="one failed", seeds=2, arms=THREE)
    service.puppet.work(failed=frozenset({2}))
    page = watched.open(f"/studies/{study_id}?tab=runs&runs=status%3Afailed")
    expect(page.get_by_text("1 of 6 runs")).to_be_visible()
    page.get_by_role("link", name="HiddenKey 0.1, seed 0").click()
    expect(page.get_by_role("alert")).to_contain_text("try a smaller learning rate")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("queued", exact=True)).to_be_visible()
    train(service)
    expect(page.get_by_text("succeeded", exact=True)).to_be_visible()


def test_arms_that_end_at_different_steps_meet_at_the_last_common_one(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="different steps", seeds=3, arms=THREE)
    train(service, short=frozenset({2}))
    page = watched.open(f"/studies/{study_id}")
    sentence = "HiddenKey and No dropout do not end at the same step: they are compared at step 112"
    expect(page.get_by_text(sentence)).to_be_visible()
    through_all_tabs(page)


def test_nothing_finished_yet(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="nothing yet", seeds=2, arms=THREE)
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_text("No evaluation has arrived yet.").first).to_be_visible()
    expect(page.locator('[data-answer="use"]')).to_contain_text("Not known yet")
    through_all_tabs(page)
    httpx.post(f"{service.url}/api/v1/studies/{study_id}/cancel").raise_for_status()
    expect(page.get_by_text("6 cancelled").first).to_be_visible()


def test_three_hundred_arms(service: Served, watched: Watched) -> None:
    rates = [round(0.001 + 0.003 * i, 4) for i in range(299)]
    training = {"epochs": 2, "batch_size": 16, "evaluations": 3}
    axes = [{"method": "adapter_dropout", "rate": rates[start : start + 60]} for start in range(0, 299, 60)]
    arms = [{"method": "none"}, *axes]
    study_id = service.queue(name="300 arms", seeds=2, arms=arms, training=training)
    train(service)
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_text("600 of 600 done")).to_be_visible()
    left_out = page.get_by_text("Not drawn: 260 arms more than this chart can hold", exact=False)
    expect(left_out.first).to_be_visible(timeout=60_000)  # the server compares 300 arms first
    expect(page.get_by_role("region", name="Results").get_by_role("row")).to_have_count(301)
    page.get_by_label("Filter arms").fill("0.301")
    expect(page.get_by_role("group", name="Arms").get_by_role("button", name=re.compile("^Show "))).to_have_count(1)
    through_all_tabs(page)


def test_names_are_only_text_everywhere(service: Served, watched: Watched) -> None:
    arms = [{"method": "none"}, {"method": "hiddenkey", "rate": 0.1, "label": HOSTILE}]
    study_id = service.queue(name=HOSTILE, seeds=2, arms=arms)
    train(service)
    page = watched.open("/")
    expect(page.get_by_role("link", name=HOSTILE.strip())).to_be_visible()
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE.strip())
    page.locator(".main-svg").first.wait_for(state="attached")
    through_all_tabs(page)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0
    page = watched.open(f"/studies/{study_id}/report")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
    assert page.locator("main script").count() == 0


def test_a_study_that_goes_away_meanwhile(service: Served, browser: Browser) -> None:
    watched = Watched(browser, service.url)
    study_id = service.queue(name="archived elsewhere", seeds=1, arms=THREE)
    train(service)
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    httpx.post(f"{service.url}/api/v1/studies/{study_id}/archive").raise_for_status()
    expect(page.get_by_text("archived", exact=True)).to_be_visible()
    with service.database.write() as session:
        session.execute(delete(Study).where(Study.id == study_id))
    expect(page.get_by_role("heading", name="It is not there any more")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="All studies").click()
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()
    page.context.close()
    assert [text for text in watched.complaints if "404" not in text] == []


@pytest.mark.parametrize("hours", [-30, 30])
def test_clocks_that_differ(service: Served, browser: Browser, hours: int) -> None:
    study_id = service.queue(name=f"clock {hours}", seeds=1, arms=THREE)
    train(service)
    watched = Watched(browser, service.url)
    shift = f"const real = Date.now; Date.now = () => real() + {hours * 3_600_000};"
    watched.page.add_init_script(shift)
    page = watched.open("/")
    row = page.get_by_role("row", name=f"clock {hours}")
    expect(row).to_contain_text("now" if hours < 0 else "yesterday")
    expect(row).not_to_contain_text(re.compile(r"\bin \d"))
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_text("3 of 3 done")).to_be_visible()
    watched.close()


def test_the_network_goes_and_comes_back(service: Served, browser: Browser) -> None:
    study_id = service.queue(name="cut off", seeds=2, arms=THREE)
    pack = service.puppet.claim()
    assert pack is not None
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{study_id}")
    live = page.get_by_role("status").filter(has_text="Live")
    expect(live).to_be_visible()
    expect(page.get_by_role("region", name="Results").get_by_role("row")).to_have_count(4)
    page.context.set_offline(True)
    for _ in service.puppet.evaluations(pack):
        pass
    service.puppet.end(pack)
    page.get_by_role("button", name="Extend").click()
    page.get_by_role("dialog").get_by_role("button", name="Queue").click()
    expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Results").get_by_role("row")).to_have_count(4)
    page.context.set_offline(False)
    expect(page.get_by_text("3 of 6 done")).to_be_visible()
    page.context.close()
    assert [text for text in watched.complaints if "ERR_INTERNET_DISCONNECTED" not in text] == []
    train(service)


def test_the_list_is_filtered_sorted_and_archived_together(service: Served, watched: Watched) -> None:
    for name in ("tidy one", "tidy two", "tidy three"):
        study_id = service.queue(name=name, seeds=1, arms=THREE)
        httpx.post(f"{service.url}/api/v1/studies/{study_id}/cancel").raise_for_status()
    httpx.patch(f"{service.url}/api/v1/studies/{study_id}", json={"tags": ["paper"]}).raise_for_status()
    page = watched.open("/?tag=paper&sort=colour")
    table = page.get_by_role("table", name="List of studies")
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("combobox", name="Tag").select_option("")
    page.get_by_role("combobox", name="State").select_option("cancelled")
    page.get_by_role("searchbox", name="Search studies").fill("tidy")
    page.get_by_role("button", name="Name", exact=True).click()
    page.wait_for_url(lambda url: all(part in url for part in ("state=cancelled", "q=tidy", "sort=name")))
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.get_by_role("row").nth(1)).to_contain_text("tidy one")
    box = table.get_by_role("row").nth(1).bounding_box()
    assert box is not None
    assert box["height"] <= 48
    page.get_by_role("checkbox", name="Choose all studies of this list").check()
    page.get_by_role("button", name="Archive 3").click()
    expect(page.get_by_role("heading", name="No study matches")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(table.get_by_role("row")).to_have_count(4)
