"""What all tests share."""

import logging
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
settings.register_profile("no-clock", deadline=None)  # a busy processor is no fault; speed is measured in tests/bench
settings.load_profile("no-clock")
MUST_RUN_IN_CI = ("postgres", "browser")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of the research data and the rival yardstick, beside the checkout; they are not part of the project."""
    folder = Path(os.environ.get("DROPSCOPE_TEST_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"the research data sets are not on this machine (looked in {folder}; set DROPSCOPE_TEST_SHARED)")
    return folder


@pytest.fixture(autouse=True)
def no_log_of_another_test() -> Generator[None]:
    """Whoever configures the product's log in this process writes to a stream that is closed after the test."""
    yield
    root = logging.getLogger()
    for handler in list(root.handlers):
        if type(handler.formatter).__module__ == "backend.shared.logs":
            root.removeHandler(handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Groups share costly set-ups, so a pytest that xdist cannot write them into would do each of those twice."""
    if not getattr(session.config.option, "loadgroup", False):
        return
    lost = [item for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if lost:
        raise pytest.UsageError(f"this pytest and this xdist do not keep groups together: {lost[0].nodeid}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped browser or Postgres test is a failure: a green run must mean that they ran."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        leg = next((name for name in MUST_RUN_IN_CI if item.get_closest_marker(name)), None)
        if leg is not None:
            report.outcome = "failed"
            report.longrepr = f"the {leg} leg must not be skipped in CI: {report.longrepr}"
    return report
