"""The form of a new study: what should be known first is said beside it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from backend.shared.catalogue import find_model
from backend.shared.catalogue.models import model_location, write_manifest
from tests.e2e.chromium import Watched, chromium
from tests.e2e.page_server import Served, served

pytestmark = pytest.mark.browser
WARNING = "Its tokenizer has no end mark: texts end where they are cut."


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("form")) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def watched(service: Served, browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser, service.url)
    yield watched
    watched.close()


def test_what_is_known_of_a_model_is_said_where_it_is_chosen(service: Served, watched: Watched) -> None:
    home = service.settings.shared
    known = find_model(home, "minilm-l6")
    assert known is not None
    odd = known.model_copy(update={"id": "odd", "title": "An odd one", "builtin": False, "warnings": (WARNING,)})
    write_manifest(home, odd, model_location(home, "minilm-l6"))
    page = watched.open("/new")
    expect(page.get_by_text(WARNING)).to_have_count(0)
    page.get_by_role("combobox", name="Model").click()
    option = page.get_by_role("option", name="An odd one")
    expect(option).to_contain_text(WARNING)
    option.click()
    expect(page.get_by_role("list", name="Warnings of An odd one")).to_have_text(WARNING)
    expect(page.get_by_role("button", name="Queue 15 runs")).to_be_enabled()


def test_an_arm_that_drops_nothing_is_warned_of_beside_it_and_in_the_summary(watched: Watched) -> None:
    page = watched.open("/new")
    rates = page.get_by_role("group", name="Rates of Adapter dropout")
    rates.get_by_label("Another rate").fill("0")
    rates.get_by_label("Another rate").press("Enter")
    words = "every rate of this arm is 0: nothing is dropped, and it trains as plain LoRA does"
    expect(page.get_by_role("list", name="Warnings of Adapter dropout")).to_have_text(words)
    expect(page.get_by_role("region", name="Summary")).to_contain_text(f"Check first: {words}")
    expect(page.get_by_role("button", name="Queue 20 runs")).to_be_enabled()
