"""A team in the browser: the set-up link, invitations, a member's study, a share link and its end, a viewer."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.accounts import service as accounts
from tests.e2e.chromium import Watched
from tests.e2e.page_server import Served, served

pytestmark = pytest.mark.browser
PASSWORD = "a few words to keep"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("team"), auth=True) as service:
        yield service


@pytest.fixture(scope="module")
def admin(service: Served, browser: Browser) -> Page:
    """The first account, made by the link that a server prints at its first start."""
    # Who is not signed in is asked to; the console tells of the refusals.
    page = Watched(browser, service.url).open("/settings")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{service.url}/setup#{accounts.setup_secret(service.database)}")
    join(page, "Ada")
    page.get_by_role("button", name="Account of Ada").click()
    page.get_by_role("menuitem", name="Settings").click()
    return page


def invited(admin: Page, browser: Browser, service: Served, name: str, role: str) -> Page:
    """A new person's page, joined by an invitation."""
    admin.get_by_label("Invite a").select_option(role)
    admin.get_by_role("button", name="Make an invitation").click()
    link = admin.get_by_role("region", name="Invitation link")
    expect(link).to_be_visible()
    page = Watched(browser, service.url).open(link.inner_text().removeprefix(service.url))
    join(page, name)
    return page


def join(page: Page, name: str) -> None:
    """Fill in the form of a new account."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("E-mail").fill(f"{name.lower()}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()


def test_a_member_shares_a_study_and_takes_it_back(admin: Page, browser: Browser, service: Served) -> None:
    member = invited(admin, browser, service, "Ben", "member")
    member.get_by_role("link", name="New study").first.click()
    member.get_by_label("Name", exact=True).fill("Ben's question")
    member.get_by_label("Seeds", exact=True).fill("2")
    member.get_by_role("button", name="Queue 6 runs").click()
    expect(member.get_by_role("heading", name="Ben's question")).to_be_visible()
    service.puppet.work()
    expect(member.get_by_text("6 of 6 done")).to_be_visible()
    member.get_by_role("button", name="Share").click()
    member.get_by_role("button", name="Make a link").click()
    link = member.get_by_role("region", name="Share link").inner_text()

    stranger = Watched(browser, service.url)
    page = stranger.open(link.removeprefix(service.url))
    expect(page.get_by_role("heading", name="Ben's question")).to_be_visible()
    expect(page.locator("[data-answer]")).to_have_count(4)
    page.get_by_role("region", name="Probe and validation loss").locator(".main-svg").first.wait_for(state="attached")
    expect(page.get_by_text("Ben", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="More actions")).to_have_count(0)
    stranger.close()

    member.get_by_role("button", name="Revoke").click()
    expect(member.get_by_role("button", name="Revoke")).to_have_count(0)
    gone = Watched(browser, service.url).open(link.removeprefix(service.url))
    expect(gone.get_by_text("It is not there any more")).to_be_visible()
    admin.reload()
    log = admin.get_by_role("region", name="Audit log", exact=True)
    for done in ("invitations accept", "studies create", "shares create", "shares revoke"):
        expect(log.get_by_role("row").filter(has_text=done).first).to_be_visible()


def test_a_viewer_reads_and_changes_nothing(admin: Page, browser: Browser, service: Served) -> None:
    study_id = service.queue(name="to be read", seeds=1)
    admin.reload()
    page = invited(admin, browser, service, "Eve", "viewer")
    expect(page.get_by_role("link", name="New study")).to_have_count(0)
    page.goto(f"{service.url}/studies/{study_id}")
    expect(page.get_by_role("link", name="Report")).to_be_visible()
    for name in ("Extend", "Share", "More actions"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.get_by_role("button", name="Account of Eve").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
