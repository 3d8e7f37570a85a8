"""The product without a mouse: its own keys, and Tab through every control of every layout."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.shared.store import runs
from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
# Controls that can be seen and used. Of a group of radio buttons Tab reaches the chosen one; arrows do the rest.
CONTROLS = """
() => {
  const seen = [...document.querySelectorAll('a[href], button, input, select, textarea, [tabindex="0"]')].filter(
    (one) =>
      !one.disabled &&
      one.tabIndex >= 0 &&
      one.checkVisibility({ visibilityProperty: true }) &&
      !(one.type === "radio" && !one.checked),
  );
  window.toReach = new Set(seen);
  return seen.length;
}
"""
REACHED = """
() => {
  window.toReach.delete(document.activeElement);
  return window.toReach.size;
}
"""
LEFT = "() => [...window.toReach].map((one) => one.outerHTML.slice(0, 160))"


@pytest.fixture(scope="module")
def study_id(service: Served) -> str:
    made = service.queue(name="by keyboard", seeds=2)
    service.puppet.work(failed=frozenset({3}))
    return made


@pytest.fixture
def watched(service: Served, browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser, service.url, reduced_motion="reduce")
    yield watched
    watched.close()


def ready(page: Page) -> None:
    """Wait until nothing is loading any more."""
    page.locator("main h1, main h2").first.wait_for()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)


@pytest.mark.parametrize(
    "path",
    ["/", "/new", "/studies/S", "/studies/S?tab=framework", "/studies/S?tab=runs", "/studies/S/report", "/runs/R"],
)
def test_every_control_is_reached_by_tab(service: Served, study_id: str, watched: Watched, path: str) -> None:
    with service.database.read() as session:
        run_id = runs.of_study(session, study_id)[3].id
    page = watched.open(path.replace("S", study_id, 1) if "/S" in path else path.replace("R", run_id))
    ready(page)
    page.locator("body").focus()
    controls = page.evaluate(CONTROLS)
    assert controls > 5
    for _ in range(2 * controls):
        page.keyboard.press("Tab")
        if page.evaluate(REACHED) == 0:
            break
    assert page.evaluate(LEFT) == []


def test_the_study_pages_own_keys(study_id: str, watched: Watched) -> None:
    page = watched.open(f"/studies/{study_id}?tab=runs")
    ready(page)
    arms = page.get_by_role("group", name="Arms").get_by_role("button", name="Show ")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    second = page.get_by_role("button", name="Show Native dropout", exact=True).first
    expect(second).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("x")
    expect(second).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("c")
    expect(page.locator('[data-answer="loss"]')).to_contain_text("against native dropout")
    page.keyboard.press("k")
    page.keyboard.press("c")
    expect(page.locator('[data-answer="loss"]')).to_contain_text("against no dropout")
    page.keyboard.press("/")
    page.keyboard.type("status:failed")
    expect(page.get_by_text("1 of 16 runs")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("16 runs", exact=True)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    assert arms.count() > 0


def test_a_cell_is_run_and_a_study_extended_without_a_mouse(service: Served, watched: Watched) -> None:
    study_id = service.queue(name="cells by keyboard", seeds=2)
    page = watched.open(f"/studies/{study_id}?tab=framework")
    ready(page)
    picker = page.get_by_role("group", name="Run another cell")
    picker.get_by_label("Cell").focus()
    page.keyboard.type("input by span")
    picker.get_by_role("button", name="Run this cell").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Run input by span")
    dialog.get_by_role("button", name="Queue 2 runs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("9 arms × 2 seeds").first).to_be_visible()
    page.get_by_role("button", name="Extend", exact=True).focus()
    page.keyboard.press("Enter")
    extend = page.get_by_role("dialog", name="Extend the study")
    extend.get_by_role("button", name="Queue 27 runs").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("9 arms × 5 seeds").first).to_be_visible()
