"""Data sets in the browser: a file is sent, looked at, told what it is, added, read, and deleted again."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.axe import violations
from tests.e2e.chromium import DESKTOP, PHONE, Watched
from tests.e2e.page_server import Served

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> =cmd() \u202e🎛️"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Reviews by film, with a repeat, an empty text and an odd one."""
    lines = ["review,verdict,film"]
    lines += [
        f"the picture number {i} was {'fine' if i % 3 else 'dull'},{'up' if i % 3 else 'down'},f{i % 9}"
        for i in range(90)
    ]
    lines += ["the picture number 1 was fine,up,f1", " ,up,f2", f'"{HOSTILE}",down,f3']
    path = tmp_path / "Film reviews.csv"
    path.write_text("\n".join(lines))
    return path


def test_a_file_becomes_a_data_set(browser: Browser, service: Served, file: Path) -> None:
    watched = Watched(browser, service.url)
    page = watched.open("/")
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_role("link", name="Rotten Tomatoes")).to_be_visible()
    send(page, file)
    expect(page.get_by_role("heading", name="New data set")).to_be_visible()
    expect(page.get_by_role("button", name="Add the data set")).to_be_disabled()
    choose(page, "Label", "verdict")
    expect(page.get_by_role("list", name="Warnings")).to_contain_text("1 row says what an earlier row says")
    expect(page.get_by_text("93 rows read: 92 kept, 1 left out")).to_be_visible()
    expect(page.get_by_text("column “review” is empty")).to_be_visible()
    page.get_by_text("By group").click()
    choose(page, "Column of the group", "film")
    choose(page, "Lengths in tokens of", "MiniLM", exact=False)
    expect(page.get_by_role("img", name="Tokens a row")).to_be_visible()
    page.get_by_label("Drop duplicate rows").check()
    expect(page.get_by_text("93 rows read: 91 kept, 2 left out")).to_be_visible()
    page.get_by_label("Licence").fill("CC0")
    page.get_by_role("button", name="Add the data set").click()
    expect(page.get_by_role("heading", name="Film reviews.csv")).to_be_visible()
    page.get_by_text("Validation", exact=True).click()
    page.get_by_text("Training", exact=True).click()
    expect(page.get_by_role("cell", name="the picture number").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused rows").click()
    assert "says what another row says" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Study this data set").click()
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("Film reviews.csv")
    page.go_back()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Really delete?").click()
    expect(page.get_by_role("heading", name="Data sets")).to_be_visible()
    expect(page.get_by_role("link", name="Film reviews.csv")).to_have_count(0)
    watched.close()
    assert not list((service.settings.home / "uploads").iterdir())


def test_a_file_that_cannot_be_read_says_why(browser: Browser, service: Served, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("text,label\n" + "fine,1\n" * 5 + '"never closed,0\n')
    page = Watched(browser, service.url).open("/data")
    send(page, path)
    expect(page.get_by_text("Line 7 cannot be read: a quoted cell is never closed")).to_be_visible()
    expect(page.get_by_role("button", name="Add the data set")).to_be_disabled()
    page.get_by_role("button", name="Discard the file").click()
    expect(page.get_by_role("heading", name="Data sets")).to_be_visible()
    path = tmp_path / "sheet.csv"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 50)
    send(page, path)
    expect(page.get_by_text("The file is a zip archive (or a spreadsheet); save it as CSV")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(
    viewport: dict[str, int], scheme: str, browser: Browser, service: Served, file: Path
) -> None:
    watched = Watched(browser, service.url, viewport=viewport, color_scheme=scheme)
    page = watched.open("/data")
    expect(page.get_by_role("link", name="Rotten Tomatoes")).to_be_visible()
    assert violations(page) == []
    send(page, file)
    choose(page, "Label", "verdict")
    choose(page, "Lengths in tokens of", "MiniLM", exact=False)
    expect(page.get_by_role("img", name="Tokens a row")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{service.url}/data/rotten-tomatoes")
    expect(page.get_by_role("cell").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{service.url}/api-docs")
    page.get_by_label("Search operations").fill("commit")
    page.get_by_text("/api/v1/uploads/{upload_id}/commit").click()
    expect(page.get_by_text("Body: application/json, CommitPlan")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watched.close()


def send(page: Page, file: Path) -> None:
    """Choose a file in the page's drop zone."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files(file)


def choose(page: Page, label: str, option: str, exact: bool = True) -> None:
    """Pick an option of a select."""
    page.get_by_role("combobox", name=label).or_(page.get_by_role("textbox", name=label)).first.click()
    page.get_by_role("option", name=option, exact=exact).first.click()
