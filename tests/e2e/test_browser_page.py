"""The page in a real browser over a real service; a puppet plays the worker, so that every state is there at once."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import plotly.io
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chromium import Watched, chromium
from tests.e2e.page_server import HOSTILE, Served, fill, served

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Filled:
    """A served page with studies in every state: name → id."""

    service: Served
    browser: Browser
    studies: dict[str, str]

    def watched(self, **options: object) -> Watched:
        return Watched(self.browser, self.service.url, **options)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.service.url}/api/v1{path}", timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with served(tmp_path_factory.mktemp("page")) as service, chromium() as browser:
        yield Filled(service, browser, fill(service))


@pytest.fixture
def watched(filled: Filled) -> Iterator[Watched]:
    watched = filled.watched()
    yield watched
    watched.close()


def points(page: Page) -> int:
    """Markers in the chart of losses; waits until there are some."""
    marks = page.get_by_role("region", name="Probe and validation loss").locator(".points path")
    marks.first.wait_for(state="attached")
    return marks.count()


def test_curves_and_runs_move_without_reload(filled: Filled, watched: Watched) -> None:
    page = watched.open(f"/studies/{filled.studies['running']}?tab=runs")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    expect(page.get_by_text("8 of 24 done · 16 queued")).to_be_visible()
    page.evaluate("window.neverReloaded = true")
    pack = filled.service.puppet.claim()
    assert pack is not None
    expect(page.get_by_text("8 running")).to_be_visible()
    steps = filled.service.puppet.evaluations(pack)
    next(steps)
    expect(page.get_by_text("16 of 128").first).to_be_visible()
    for _ in steps:
        pass
    filled.service.puppet.end(pack)
    expect(page.get_by_text("16 of 24 done")).to_be_visible()
    expect(page.get_by_role("group", name="Arms").get_by_text("2/3").first).to_be_visible()
    assert page.evaluate("window.neverReloaded") is True


def test_a_broken_connection_shows_and_is_caught_up(filled: Filled) -> None:
    watched = filled.watched()  # its console tells of the broken connection, as it should
    study_id = filled.service.queue(name="offline", seeds=1)
    page = watched.open(f"/studies/{study_id}")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    page.route("**/api/**", lambda route: route.abort())
    filled.service.puppet.work()  # the event ends in a fetch that fails; the page keeps what it had
    page.unroute("**/api/**")
    expect(page.get_by_text("8 of 8 done")).to_be_visible()
    assert points(page) > 0
    page.context.close()


def test_the_address_holds_the_whole_view(filled: Filled, watched: Watched) -> None:
    page = watched.open(f"/studies/{filled.studies['done']}")
    page.get_by_label("Compared with").select_option(label="DropKey 0.1")
    page.get_by_label("Ranked by").select_option("gap")
    page.get_by_text("Epochs", exact=True).click()
    page.get_by_label("Band").select_option("seeds")
    page.get_by_role("button", name="Show HiddenCut 0.1").click()
    page.get_by_role("tab", name="Significance").click()
    expect(page.get_by_role("heading", name="Against the baseline")).to_be_visible()
    address = page.url
    answer = page.get_by_role("region", name="Answers").inner_text()
    page.reload()
    assert page.url == address
    expect(page.get_by_label("Compared with")).to_have_value(
        next(
            arm["id"] for arm in filled.get(f"/studies/{filled.studies['done']}").json()["arms"] if arm["position"] == 3
        )
    )
    expect(page.get_by_label("Ranked by")).to_have_value("gap")
    expect(page.get_by_role("radio", name="Epochs")).to_be_checked()
    expect(page.get_by_label("Band")).to_have_value("seeds")
    expect(page.get_by_role("button", name="Show HiddenCut 0.1")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("tab", name="Significance")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("region", name="Answers").get_by_role("heading", name="Keep DropKey")).to_be_visible()
    table = page.get_by_role("group", name="Differences, scrolls sideways")
    expect(table.get_by_role("row").filter(has_text="HiddenKey 0.1")).to_contain_text("undecided")
    expect(table).not_to_contain_text("by more than it matters")  # which the plan says of another comparison
    assert page.get_by_role("region", name="Answers").inner_text() == answer


@pytest.mark.parametrize("metric", ["test/loss", "validation/of_tomorrow"])
def test_a_metric_that_was_not_recorded_is_said_and_the_loss_shown(filled: Filled, metric: str) -> None:
    watched = filled.watched()  # its console tells of the refusals
    page = watched.open(f"/studies/{filled.studies['done']}?metric={metric}")
    notice = page.get_by_role("status").filter(has_text=f"has not recorded “{metric}”")
    expect(notice).to_be_visible()
    expect(page.get_by_label("Ranked by")).to_have_value("validation/loss")
    assert points(page) > 0
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_label("Ranked by").select_option(label="Accuracy")
    expect(notice).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Δ Accuracy")).to_be_visible()
    page.context.close()


def test_the_numbers_are_the_apis(filled: Filled, watched: Watched) -> None:
    compared = filled.get(f"/studies/{filled.studies['done']}/comparison").json()
    page = watched.open(f"/studies/{filled.studies['done']}")
    rows = page.get_by_role("region", name="Results").get_by_role("row")
    expect(rows).to_have_count(1 + len(compared["arms"]))
    by_id = {arm["id"]: arm for arm in compared["arms"]}
    for place, arm_id in enumerate(compared["ranking"], start=1):
        arm = by_id[arm_id]
        loss, gap = arm["final"]["validation/loss"], arm["final"]["gap"]
        expect(rows.nth(place)).to_contain_text(arm["label"])
        expect(rows.nth(place)).to_contain_text(f"{loss['mean']:.3f} ± {loss['half_width']:.3f}")
        expect(rows.nth(place)).to_contain_text(f"{gap['mean']:.3f} ± {gap['half_width']:.3f}")


def test_a_bad_field_says_so_beside_it_and_nothing_is_stored(filled: Filled, watched: Watched) -> None:
    before = len(filled.get("/studies?limit=200").json()["items"])
    page = watched.open("/new")
    page.get_by_role("button", name="Change", exact=True).click()
    field = page.get_by_label("Training rows")
    field.fill("999999")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Queue")).to_be_disabled()
    field.fill("64")
    expect(page.get_by_role("button", name="Queue 15 runs")).to_be_enabled()
    assert len(filled.get("/studies?limit=200").json()["items"]) == before


def test_a_method_is_composed_from_cells_and_queued(filled: Filled, watched: Watched) -> None:
    page = watched.open("/new")
    page.get_by_role("button", name="Compose a method").click()
    composer = page.get_by_role("region", name="Compose a method")
    composer.get_by_role("button", name="Drop in another place").click()
    second = composer.get_by_role("group").nth(1)
    second.get_by_label("Position").select_option("output")
    output = composer.get_by_role("group", name="output by element")
    expect(output.get_by_role("radio", name="column")).to_be_disabled()
    expect(output).to_contain_text("No column or span: the head reads one vector")
    composer.get_by_label("Consistency loss").select_option("kl")
    composer.get_by_label("Label").fill("made of cells")
    composer.get_by_role("button", name="Add this method").click()
    page.get_by_role("button", name="Queue 20 runs").click()
    page.wait_for_url("**/studies/*")
    arms = filled.get(f"/studies/{page.url.rsplit('/', 1)[1]}").json()["arms"]
    made = next(arm for arm in arms if arm["method"] == "composed")
    assert made["label"] == "made of cells"
    assert {site["position"] for site in made["spec"]["method"]["sites"]} == {"attention_logits", "output"}
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Cancel all runs").click()
    page.get_by_role("button", name="Cancel the runs").click()
    expect(page.get_by_text("20 cancelled", exact=False).first).to_be_visible()


def test_hostile_names_are_only_text(filled: Filled, watched: Watched) -> None:
    page = watched.open("/")
    expect(page.get_by_text(HOSTILE.strip()[:40])).to_be_visible()
    page = watched.open(f"/studies/{filled.studies['hostile']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE.strip())


def test_archiving_can_be_undone(filled: Filled, watched: Watched) -> None:
    page = watched.open("/")
    page.get_by_role("button", name="Actions for one seed only").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(page.get_by_role("row", name="one seed only")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row", name="one seed only")).to_be_visible()


def test_an_archived_study_is_deleted_for_good_once_that_is_confirmed(filled: Filled, watched: Watched) -> None:
    name = "deleted for good"
    study_id = filled.service.queue(name=name, seeds=1)
    httpx.post(f"{filled.service.url}/api/v1/studies/{study_id}/cancel").raise_for_status()
    httpx.post(f"{filled.service.url}/api/v1/studies/{study_id}/archive").raise_for_status()
    page = watched.open("/?archived=true")
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Delete for good").click()
    dialog = page.get_by_role("dialog", name="Delete this study for good?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("row", name=name)).to_be_visible()
    page.get_by_role("row", name=name).get_by_role("link").first.click()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete for good").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it for good").click()
    page.wait_for_url("**/?archived=true")
    expect(page.get_by_role("row", name=name)).to_have_count(0)
    assert httpx.get(f"{filled.service.url}/api/v1/studies/{study_id}").status_code == 404


def test_keys_lead_through_the_page(filled: Filled, watched: Watched) -> None:
    page = watched.open("/")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("ranks")
    expect(page.get_by_role("row")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name="demo")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies/*")


def test_numbers_and_charts_can_be_taken_away(filled: Filled, watched: Watched) -> None:
    page = watched.open(f"/studies/{filled.studies['done']}")
    with page.expect_download() as table:
        page.get_by_role("link", name="CSV of every evaluation").click()
    rows = list(csv.DictReader(io.StringIO(table.value.path().read_text())))
    assert len(rows) == 40 * 8
    points(page)
    page.get_by_role("radiogroup", name="What the curves show").get_by_text("Gap").click()
    page.get_by_role("button", name="Save: Generalization gap").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="Plotly JSON").click()
    figure = plotly.io.from_json(saved.value.path().read_text())
    assert json.loads(figure.to_json())["layout"]["meta"]["name"] == "gap"
    page.get_by_role("button", name="Save: Generalization gap").click()
    with page.expect_download() as picture:
        page.get_by_role("menuitem", name="PNG").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("path", ["/studies/none", "/runs/none", "/nothing/here"])
def test_what_is_not_there_has_a_way_on(filled: Filled, path: str) -> None:
    watched = filled.watched()
    page = watched.open(path)
    page.get_by_role("main").get_by_role("link", name="All studies").click()
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()
    page.context.close()
