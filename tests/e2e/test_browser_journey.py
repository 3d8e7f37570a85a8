"""A person's whole way through the product: from a method made of cells to a link that a colleague opens.

On desktop and phone, in light and dark. A puppet trains, so that the test says when the next numbers arrive; the same
way with real training is in `test_browser_walk`.
"""

import csv
import io
import re
from typing import Any

import httpx
import plotly.io
import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.backend.charts.chart_reading import decoded
from tests.e2e.chromium import DESKTOP, PHONE, Watched
from tests.e2e.page_server import Served
from tests.e2e.policy import CSP

pytestmark = pytest.mark.browser
LABEL = "HiddenKey from its cells"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_cells_to_a_shared_answer(service: Served, browser: Browser, scheme: str, size: dict[str, int]) -> None:
    look = {"viewport": size, "color_scheme": scheme}
    watched = Watched(browser, service.url, **look)
    policies: list[str | None] = []

    def note(answer: Response) -> None:
        if answer.request.resource_type == "document":
            policies.append(answer.headers.get("content-security-policy"))

    watched.page.on("response", note)
    page = watched.open("/new")
    _compose(page)
    page.get_by_role("button", name="Queue 9 runs").click()
    page.wait_for_url("**/studies/*")
    study_id = page.url.rsplit("/", 1)[1]

    page.evaluate("window.neverReloaded = true")
    _watch_live(page, service)
    assert page.evaluate("window.neverReloaded") is True
    _answers_are(page, _compared(service, study_id))
    use = _answer(page, "use")
    expect(use).to_contain_text("Stop near step ")
    expect(use).to_contain_text(LABEL)

    arm = next(arm for arm in _compared(service, study_id)["arms"] if arm["method"] == "adapter_dropout")
    if size is PHONE:
        page.get_by_role("button", name="Arms and view").click()
    page.get_by_label("Compared with").select_option(label=arm["label"])
    expect(_answer(page, "loss")).to_contain_text("against adapter dropout")
    _answers_are(page, _compared(service, study_id, baseline=arm["id"]))

    link = _share(page, wide=size is DESKTOP)
    colleague = Watched(browser, service.url, **look)
    _answers_are(colleague.open(link), _compared(service, study_id))
    colleague.close()

    _take_away(page, service, study_id)
    page.get_by_role("tab", name="Significance").click()
    expect(page.get_by_role("heading", name="Against the baseline")).to_be_visible()
    view, address = _view(page), page.url
    page.reload()
    expect(page.get_by_role("tab", name="Significance")).to_have_attribute("aria-selected", "true")
    expect(_answer(page, "loss")).to_contain_text("against adapter dropout")
    expect(page.get_by_role("heading", name="Against the baseline")).to_be_visible()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
    assert (_view(page), page.url) == (view, address)
    assert set(policies) == {CSP}
    watched.close()


def _compose(page: Page) -> None:
    """HiddenKey of the paper, put together from two cells of the framework and a KL loss, beside two baselines."""
    page.get_by_role("checkbox", name=re.compile("^HiddenKey$")).uncheck()
    page.get_by_role("button", name="Compose a method").click()
    composer = page.get_by_role("region", name="Compose a method")
    first = composer.get_by_role("group").first
    first.get_by_label("Position").select_option("attention_logits")
    first.get_by_text("column", exact=True).click()
    composer.get_by_role("button", name="Drop in another place").click()
    second = composer.get_by_role("group").filter(has=page.get_by_label("Position")).nth(1)
    second.get_by_label("Position").select_option("hidden")
    composer.get_by_role("group", name="hidden by", exact=False).get_by_text("element", exact=True).click()
    composer.get_by_label("Consistency loss").select_option("kl")
    composer.get_by_label("Label").fill(LABEL)
    composer.get_by_role("button", name="Add this method").click()
    page.get_by_label("Seeds", exact=True).fill("3")


def _watch_live(page: Page, service: Served) -> None:
    expect(page.get_by_text("No evaluation has arrived yet.").first).to_be_visible()
    chart = page.get_by_role("region", name="Probe and validation loss")
    marks = chart.locator(".points path")
    seen = 0
    for _ in range(3):
        pack = service.puppet.claim()
        assert pack is not None
        for step in service.puppet.evaluations(pack):
            if step in (16, 128) and seen == 0:
                expect(marks).not_to_have_count(0)
                seen = marks.count()
        service.puppet.end(pack)
    assert service.puppet.claim() is None
    expect(page.get_by_text("9 of 9 done")).to_be_visible()
    expect(marks).not_to_have_count(seen)
    assert marks.count() > seen > 0, "the curves grew while the page was open"


def _share(page: Page, *, wide: bool) -> str:
    if wide:
        page.get_by_role("button", name="Share", exact=True).click()
    else:
        page.get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share this study")
    dialog.get_by_role("button", name="Make a link").click()
    address = dialog.get_by_role("region", name="Share link").inner_text()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    return "/s/" + address.rsplit("/s/", 1)[1]


def _take_away(page: Page, service: Served, study_id: str) -> None:
    with page.expect_download() as table:
        page.get_by_role("link", name="CSV of every evaluation").click()
    rows = list(csv.DictReader(io.StringIO(table.value.path().read_text())))
    assert len(rows) == 9 * len({row["step"] for row in rows})
    page.get_by_role("radiogroup", name="What the curves show").get_by_text("Gap").click()
    page.get_by_role("button", name="Save: Generalization gap").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="Plotly JSON").click()
    figure = plotly.io.from_json(saved.value.path().read_text())
    finals = {arm["id"]: arm["final"]["gap"]["mean"] for arm in _compared(service, study_id)["arms"]}
    lines = [trace for trace in figure.data if trace.meta["role"] in ("gap", "baseline gap")]
    drawn = {trace.meta["arm"]: float(decoded(trace.y)[-1]) for trace in lines}
    assert drawn == pytest.approx(finals)


def _compared(service: Served, study_id: str, **query: str) -> dict[str, Any]:
    found = httpx.get(f"{service.url}/api/v1/studies/{study_id}/comparison", params=query, timeout=30)
    body: dict[str, Any] = found.raise_for_status().json()
    return body


def _answer(page: Page, name: str) -> Locator:
    return page.locator(f'[data-answer="{name}"]')


def _answers_are(page: Page, compared: dict[str, Any]) -> None:
    expect(_answer(page, "use")).to_contain_text(compared["verdict"]["headline"])
    for line in compared["verdict"]["lines"]:
        expect(_answer(page, "use")).to_contain_text(line["text"])
    for answer in compared["answers"][1:]:
        expect(_answer(page, answer["id"])).to_contain_text(answer["headline"])
        expect(_answer(page, answer["id"])).to_contain_text(answer["text"])


def _view(page: Page) -> tuple[str, str, str]:
    """What the page says: answers, baseline, and the table of differences."""
    return (
        page.get_by_role("region", name="Answers").inner_text(),
        page.get_by_label("Compared with").input_value(),
        page.get_by_role("group", name="Differences").inner_text(),
    )
