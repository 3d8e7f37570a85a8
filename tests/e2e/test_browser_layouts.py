"""What holds on every layout: the policy, accessibility in both themes, nothing wider than a phone."""

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.shared.store import runs
from tests.e2e.axe import violations
from tests.e2e.chromium import DESKTOP, PHONE, Watched
from tests.e2e.page_server import Served
from tests.e2e.policy import CSP

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def paths(service: Served) -> list[str]:
    """The layouts: home, form, study with its tabs, run, report."""
    study_id = service.queue(name="demo", seeds=3)
    service.puppet.work(failed=frozenset({3}))
    with service.database.read() as session:
        run_id = runs.of_study(session, study_id)[3].id
    study = f"/studies/{study_id}"
    tabs = ("significance", "heatmap", "framework", "runs")
    return [
        "/",
        "/new",
        f"/runs/{run_id}",
        f"/runs/{run_id}?tab=config",
        study,
        *(f"{study}?tab={tab}" for tab in tabs),
        f"{study}/report",
    ]


def settled(page: Page) -> None:
    """Wait until nothing is loading any more."""
    page.wait_for_load_state("load")
    page.locator("main h1, main h2").first.wait_for()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_layout_is_accessible_and_fits(
    service: Served, browser: Browser, paths: list[str], scheme: str, size: dict[str, int]
) -> None:
    watched = Watched(browser, service.url, viewport=size, color_scheme=scheme, reduced_motion="reduce")
    for path in paths:
        page = watched.open(path)
        settled(page)
        assert [(path, rule["id"], rule["nodes"][0]["html"][:200]) for rule in violations(page)] == []
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (path, wider) == (path, 0)
    watched.close()


def test_the_policy_is_the_designs(service: Served, browser: Browser, paths: list[str]) -> None:
    watched = Watched(browser, service.url)
    answer = watched.page.goto(service.url + paths[4])
    assert answer is not None
    assert answer.headers["content-security-policy"] == CSP
    watched.page.locator(".main-svg").first.wait_for(state="attached")  # Plotly draws under it, without complaint
    watched.close()
