"""What a person waits for on the page, measured in a real Chromium on the benchmark's studies."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from tests.bench.page_data import Trained
from tests.e2e.chromium import DESKTOP, chromium

LOADS, UPDATES, UPDATE_MS = 3, 16, 600
# From the first byte on: long tasks of the main thread, and the time between two frames while `window.watching`.
WATCH = """
window.tasks = [];
window.frames = [];
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.tasks.push([task.startTime, task.duration]);
}).observe({ type: "longtask", buffered: true });
let before;
const frame = (now) => {
  if (window.watching && before !== undefined) window.frames.push(now - before);
  before = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
# Both charts are drawn, the answers stand, and the thread is free to answer a click; milliseconds since navigation.
INTERACTIVE = """
() => new Promise((resolve) => {
  const ready = () => {
    const drawn = document.querySelectorAll("#figure-losses .main-svg, #figure-gap .main-svg").length >= 2;
    const answered = document.querySelectorAll('[aria-label="Answers"] a').length === 4;
    if (drawn && answered) requestIdleCallback(() => resolve(performance.now()));
    else setTimeout(ready, 10);
  };
  ready();
})
"""
LISTED = """
() => new Promise((resolve) => {
  const ready = () => {
    const rows = document.querySelectorAll('main a[href^="/studies/"]').length;
    if (rows >= 50) requestAnimationFrame(() => resolve(performance.now()));
    else setTimeout(ready, 10);
  };
  ready();
})
"""


def of_the_page(url: str, trained: Trained) -> Iterator[tuple[str, float, float]]:
    """(what, milliseconds, bar): first loads with an empty cache, then a study that changes under the reader."""
    with chromium() as browser:
        loads = [_load(browser, f"{url}/studies/{trained.study_id}", INTERACTIVE) for _ in range(LOADS)]
        yield "study page interactive, empty cache, median", median(loads), 1500
        lists = [_load(browser, f"{url}/", LISTED) for _ in range(LOADS)]
        yield "home with 1,000 studies, empty cache, median", median(lists), 1000
        yield from _live(browser, url, trained)


def _load(browser: Browser, address: str, until: str) -> float:
    page = _page(browser)
    page.goto(address, wait_until="commit")
    taken = float(page.evaluate(until))
    page.context.close()
    return taken


def _live(browser: Browser, url: str, trained: Trained) -> Iterator[tuple[str, float, float]]:
    page = _page(browser)
    page.goto(f"{url}/studies/{trained.study_id}")
    page.evaluate(INTERACTIVE)
    page.wait_for_timeout(1500)
    start = float(page.evaluate("() => { window.watching = true; return performance.now(); }"))
    for _ in range(UPDATES):
        trained.report()
        page.wait_for_timeout(UPDATE_MS)
    frames = [float(taken) for taken in _list(page, "frames")]
    tasks = [float(taken) for began, taken in _list(page, "tasks") if began >= start]
    page.context.close()
    yield f"live update, longest frame of {len(frames):,}", max(frames), 120
    yield f"live update, longest task of {len(tasks)} over 50 ms", max(tasks, default=0.0), 200


def _page(browser: Browser) -> Page:
    page = browser.new_context(viewport=DESKTOP).new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(WATCH)
    return page


def _list(page: Page, name: str) -> list[Any]:
    return list(page.evaluate(f"() => window.{name}"))
