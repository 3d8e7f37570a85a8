"""Pictures of every page in both themes, from a study that was really trained: `make screenshots`.

Starts the product, trains the demo study, and writes docs/images/*.png. `--url` takes a server that already runs and
the newest finished study there; `--study FILE` trains another one.
"""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.e2e.chromium import DESKTOP, PHONE, chromium
from tests.e2e.stack import start

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
THEMES = ("light", "dark")
TRAIN_S = 3600.0


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running server with a finished study")
    parser.add_argument("--study", type=Path, default=ROOT / "docs" / "studies" / "demo.yaml")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        url = chosen.url or _trained(chosen.study, stack)
        browser = stack.enter_context(chromium())
        IMAGES.mkdir(exist_ok=True)
        for name, path in _pages(url).items():
            for theme in THEMES:
                _picture(browser, url + path, IMAGES / f"{name}-{theme}.png", theme, DESKTOP)
        study = _pages(url)["study"]
        _picture(browser, url + study, IMAGES / "study-phone.png", "dark", PHONE)


def _trained(study: Path, stack: ExitStack) -> str:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dropscope-pictures-")))
    running = start(home)
    stack.callback(running.process.wait, 30)
    stack.callback(running.process.send_signal, signal.SIGINT)
    running.wait(running.queue(yaml.safe_load(study.read_text())), TRAIN_S)
    return running.url


def _pages(url: str) -> dict[str, str]:
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
        studies: list[dict[str, Any]] = http.get("/studies").json()["items"]
        done = next(study["id"] for study in studies if study["counts"]["succeeded"] == study["counts"]["total"])
        run_id = http.get(f"/studies/{done}/runs").json()["items"][0]["id"]
    study = f"/studies/{done}"
    return {
        "home": "/",
        "new-study": "/new",
        "study": study,
        "significance": f"{study}?tab=significance",
        "framework": f"{study}?tab=framework",
        "report": f"{study}/report",
        "run": f"/runs/{run_id}",
    }


def _picture(browser: Browser, address: str, target: Path, theme: str, size: dict[str, int]) -> None:
    page = browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce").new_page()
    page.goto(address)
    _settle(page)
    if "tab=" in address:
        page.get_by_role("tablist").scroll_into_view_if_needed()
        page.get_by_role("tablist").evaluate("tabs => tabs.scrollIntoView()")
        page.mouse.wheel(0, -70)
        page.wait_for_timeout(300)
    page.screenshot(path=target)
    page.context.close()
    sys.stdout.write(f"{target.relative_to(ROOT)}\n")


def _settle(page: Page) -> None:
    page.locator("main h1").first.wait_for()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0, timeout=30_000)
    page.wait_for_timeout(1500)  # Plotly's last frame


if __name__ == "__main__":
    main()
