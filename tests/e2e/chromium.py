"""The browser of the page's tests: Debian's Chromium where there is one, else Playwright's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 30_000  # two cores may be busy with training while the page is looked at


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; the test is skipped where none can be started."""
    named = os.environ.get("DROPSCOPE_CHROMIUM")
    expect.set_options(timeout=PATIENCE_MS)
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        except Error as error:
            pytest.skip(f"no browser could be started; scripts/browser installs one ({error.message.splitlines()[0]})")
        yield browser
        browser.close()


class Watched:
    """A page with a record of what must not happen: console errors, thrown errors, requests that leave the host."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.page: Page = browser.new_context(**{"viewport": DESKTOP, **options}).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda said: said.type in ("error", "warning") and self._note(said.text))
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("request", lambda asked: self._host(asked.url))

    def open(self, path: str) -> Page:
        """Go to an address of the product."""
        self.page.goto(self.url + path)
        return self.page

    def close(self) -> None:
        """Close the page; nothing may have gone wrong."""
        self.page.context.close()
        assert not self.complaints, self.complaints

    def _note(self, text: str) -> None:
        self.complaints.append(text)

    def _host(self, address: str) -> None:
        if not address.startswith((self.url, "data:", "blob:")):
            self._note(f"a request left the host: {address}")
