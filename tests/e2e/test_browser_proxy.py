"""The product under a path of a proxy that speaks TLS: page, sign-in, stream, links and downloads all stay under it."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from backend.accounts import service as accounts
from tests.e2e.chromium import DESKTOP
from tests.e2e.nginx import free_port, nginx
from tests.e2e.page_server import served
from tests.e2e.test_browser_team import join

PATH = "/tools/dropscope"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("strips", [True, False], ids=["stripped", "kept"])
def test_everything_stays_under_the_path(browser: Browser, tmp_path: Path, strips: bool) -> None:
    """Whether the proxy takes the path off or passes it on."""
    port = free_port()
    hosts = ("127.0.0.1",)
    with served(
        tmp_path / "home", auth=True, root_path=f"{PATH}/", trusted_proxies="127.0.0.1", allowed_hosts=hosts
    ) as service:
        study_id = service.queue(name="behind a proxy")
        service.puppet.work()
        upstream = int(service.url.rpartition(":")[2])
        with nginx(tmp_path / "nginx", port, upstream, PATH, strips=strips) as url:
            secret = accounts.setup_secret(service.database)
            context = browser.new_context(viewport=DESKTOP, ignore_https_errors=True)
            page = context.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{url}/setup#{secret}")
            join(page, "Ada")
            page.get_by_role("link", name="behind a proxy").click()
            expect(page.get_by_role("heading", name="behind a proxy")).to_be_visible()
            expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
            assert page.url.startswith(f"{url}/studies/{study_id}")
            page.reload()
            expect(page.locator("#figure-losses .js-plotly-plot").first).to_be_visible()
            cookie = next(one for one in context.cookies() if one["name"].startswith("dropscope"))
            assert (cookie["path"], cookie["secure"], cookie["httpOnly"]) == (PATH, True, True)
            with page.expect_download() as download:
                page.get_by_role("link", name="CSV of every evaluation").click()
            assert download.value.url.startswith(f"{url}/api/v1/")
            page.get_by_role("button", name="Share").click()
            page.get_by_role("button", name="Make a link").click()
            link = page.get_by_role("region", name="Share link").inner_text()
            assert link.startswith(f"{url}/s/")
            page.goto(link)
            expect(page.get_by_role("heading", name="behind a proxy")).to_be_visible()
            assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []
            context.close()
            assert httpx.get(f"{url}/api/v1/studies", verify=False).status_code == 401
