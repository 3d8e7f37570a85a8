"""With the model hub out of reach every page works as ever; where a hub model is named, how it comes is said once."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served, served
from tests.hub_server import point_at

pytestmark = pytest.mark.browser
SAID = "The hub model roberta/base is not on this machine; fetch it with"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patched:
        point_at(patched, "http://127.0.0.1:9")
        with served(tmp_path_factory.mktemp("page")) as service:
            yield service


def test_every_page_works_and_says_nothing_of_a_hub(service: Served, browser: Browser) -> None:
    study_id = service.queue(name="no network", seeds=2)
    service.puppet.work()
    run_id = httpx.get(f"{service.url}/api/v1/studies/{study_id}/runs").json()["items"][0]["id"]
    for place in (
        "/",
        "/new",
        "/data",
        "/data/rotten-tomatoes",
        f"/studies/{study_id}",
        f"/runs/{run_id}",
        f"/studies/{study_id}/report",
        "/settings",
        "/api-docs",
    ):
        watched = Watched(browser, service.url)
        page = watched.open(place)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert page.get_by_text("hub cannot be reached").count() == 0, place
        watched.close()


def test_a_model_of_the_hub_is_answered_once_beside_its_field(service: Served, browser: Browser) -> None:
    watched = Watched(browser, service.url)
    page = watched.open("/new")
    field = page.get_by_label("Model", exact=True).first
    field.click()
    field.fill("roberta/base")
    page.get_by_role("option", name="roberta/base").click()
    section = page.get_by_role("region", name="Model and data")
    expect(section.get_by_text(SAID)).to_have_count(1)
    bar = page.get_by_role("region", name="Summary")
    expect(bar.get_by_text("Something is to be changed first: Model")).to_be_visible()
    expect(page.get_by_text(SAID)).to_have_count(1)
    field.click()
    field.fill("MiniLM")
    page.get_by_role("option", name="MiniLM").first.click()
    expect(page.get_by_text(SAID)).to_have_count(0)
    expect(page.get_by_role("button", name="Queue").first).to_be_enabled()
    watched.close()
