"""What axe-core finds on a page, once nothing moves any more."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[dict[str, Any]]:
    """The violations that last: a colour on its way from disabled to enabled is looked at again after a second."""
    page.evaluate(_AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate("axe.run()")["violations"]
    if found:
        page.wait_for_timeout(1000)
        found = page.evaluate("axe.run()")["violations"]
    return found
