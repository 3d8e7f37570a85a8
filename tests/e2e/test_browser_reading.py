"""What the page says first is enough to act on; what it draws is the server's; it reads well in any theme and width."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from backend.shared.store import runs
from tests.e2e.chromium import DESKTOP, PHONE, Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
THREE = [{"method": "none"}, {"method": "dropkey", "rate": 0.1}, {"method": "hiddenkey", "rate": 0.1}]
SMALL = ("Learning rate", "Gradient norm", "Speed", "KL of dropout on from off")


@pytest.fixture(scope="module")
def undecided(service: Served) -> str:
    """A study whose arms are too close to each other for its three seeds."""
    arms = [{"method": "dropkey", "rate": 0.1}, {"method": "hiddencut", "rate": 0.1}, {"method": "native_dropout"}]
    study_id = service.queue(name="too close", seeds=3, baseline="dropkey", arms=arms)
    service.puppet.work()
    return study_id


def settled(page: Page) -> None:
    page.locator("main h1").first.wait_for()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)


def test_the_verdict_advises_the_simplest_where_nothing_is_decided(
    service: Served, browser: Browser, undecided: str
) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{undecided}")
    use = page.locator('[data-answer="use"]')
    verdict = httpx.get(f"{service.url}/api/v1/studies/{undecided}/comparison").json()["verdict"]
    expect(use).to_contain_text(verdict["headline"])
    for line in verdict["lines"]:
        expect(use).to_contain_text(line["title"])
        expect(use).to_contain_text(line["text"])
    advised = httpx.get(f"{service.url}/api/v1/studies/{undecided}/comparison").json()["baseline_arm_id"]
    assert verdict["arm_id"] == advised
    row = page.get_by_role("region", name="Results").get_by_role("row").filter(has_text="HiddenCut 0.1")
    expect(row).to_contain_text("cannot tell with this plan")
    answers_shown = page.get_by_role("region", name="Answers")
    expect(answers_shown).to_contain_text("The plan's looks are drawn: further seeds only explore.")
    watched.close()


def test_a_run_is_drawn_by_the_server_and_stays_in_place_while_it_runs(service: Served, browser: Browser) -> None:
    study_id = service.queue(name="one run", seeds=1, arms=THREE)
    pack = service.puppet.claim()
    assert pack is not None
    with service.database.read() as session:
        plain, _, hidden = (run.id for run in runs.of_study(session, study_id))
    reports = service.puppet.evaluations(pack)
    next(reports)
    watched = Watched(browser, service.url)
    page = watched.open(f"/runs/{hidden}")
    for name in SMALL:
        expect(page.get_by_role("figure", name=name).locator(".main-svg").first).to_be_attached()
    before = [page.get_by_role("figure", name=name).bounding_box() for name in ("Losses", *SMALL)]
    for _ in reports:
        pass
    service.puppet.end(pack)
    expect(page.get_by_text("succeeded", exact=True)).to_be_visible()
    for name in ("losses", "gap", "speed", "kl"):
        drawn = httpx.get(f"{service.url}/api/v1/runs/{hidden}/figures/{name}").json()
        expect(page.get_by_text(drawn["layout"]["meta"]["alt"], exact=True)).to_be_attached()
    assert [page.get_by_role("figure", name=name).bounding_box() for name in ("Losses", *SMALL)] == before
    page.get_by_role("link", name="Clone as new study").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("one run (copy)")
    page = watched.open(f"/runs/{plain}")
    expect(page.get_by_role("figure", name="Speed")).to_be_visible()
    expect(page.get_by_role("figure", name="KL of dropout on from off")).to_have_count(0)
    watched.close()


def test_a_chart_is_read_by_keys_lit_from_a_list_and_leaves_whole(
    service: Served, browser: Browser, undecided: str
) -> None:
    watched = Watched(browser, service.url)
    page = watched.open(f"/studies/{undecided}")
    chart = page.get_by_role("region", name="Difference to the baseline")
    chart.locator(".main-svg").first.wait_for(state="attached")
    arm = httpx.get(f"{service.url}/api/v1/studies/{undecided}/comparison").json()["arms"][1]
    chart.get_by_role("group", name=re.compile("arrow keys")).focus()
    heard = []
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        before = chart.get_by_role("status").inner_text()
        page.keyboard.press(key)
        expect(chart.get_by_role("status")).not_to_have_text(before)
        expect(chart.get_by_role("status")).to_contain_text(re.compile("seed|step|stopped"))
        heard.append(chart.get_by_role("status").inner_text())
    assert len(set(heard)) == 3
    page.keyboard.press("Tab")
    expect(chart.get_by_role("status")).to_have_text("")
    page.locator(f'tr[data-arm="{arm["id"]}"]').first.hover()
    dim = "element => [...element.querySelectorAll('g.trace')].filter(one => one.style.opacity === '0.15').length"
    page.wait_for_function(f"({dim})(document.querySelector('#figure-losses')) > 0")
    chart.get_by_role("button", name="Save: Difference to the baseline").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="SVG drawing").click()
    drawing = saved.value.path().read_text()
    assert saved.value.suggested_filename.startswith("too-close-")
    for said in ("Difference to", "baseline:", "n = 3", "at the last step"):
        assert said in drawing
    watched.close()


def test_a_theme_chosen_by_hand_looks_like_the_systems(service: Served, browser: Browser, undecided: str) -> None:
    """Colours of the page's own and of Mantine follow the choice, whatever the system is set to."""
    looks = []
    for scheme, chosen in (("light", "dark"), ("dark", "dark"), ("dark", "light"), ("light", "light")):
        watched = Watched(browser, service.url, color_scheme=scheme)
        watched.page.add_init_script(f"localStorage.setItem('mantine-color-scheme-value', '{chosen}')")
        page = watched.open(f"/studies/{undecided}")
        settled(page)
        look = "element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]"
        words = page.locator('[data-answer="use"]').get_by_text(re.compile("^(Clear|Undecided|Measured)$"))
        looks.append((words.evaluate(look), page.locator("body").evaluate(look)))
        watched.close()
    assert looks[0] == looks[1] != looks[2] == looks[3]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_reports_table_can_be_read(service: Served, browser: Browser, undecided: str, size: dict[str, int]) -> None:
    """On a desktop and on paper all of it is in sight; on a phone the names of arms stay while the numbers scroll."""
    watched = Watched(browser, service.url, viewport=size)
    page = watched.open(f"/studies/{undecided}/report")
    settled(page)
    table = page.get_by_role("region", name="Results of all arms")
    hidden = table.evaluate("element => element.scrollWidth - element.clientWidth")
    if size == DESKTOP:
        assert hidden == 0
    else:
        name = table.get_by_role("rowheader").first
        left = name.bounding_box()
        table.evaluate("element => element.scrollTo(element.scrollWidth, 0)")
        assert hidden > 0
        assert left is not None
        assert name.bounding_box() == left
    expect(table.get_by_role("columnheader", name="Seeds to decide")).to_have_count(1)
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins, in pixels
    page.emulate_media(media="print")
    assert table.evaluate("element => element.querySelector('table').offsetWidth - element.clientWidth") <= 0
    watched.close()


def test_a_shared_study_hands_out_its_numbers(service: Served, browser: Browser, undecided: str) -> None:
    made = httpx.post(f"{service.url}/api/v1/shares", json={"study_id": undecided, "mode": "live"}).json()
    watched = Watched(browser, service.url)
    page = watched.open(made["path"])
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV of every evaluation").click()
    lines = taken.value.path().read_text().splitlines()
    assert len(lines) == 1 + 3 * 3 * 8
    watched.close()
