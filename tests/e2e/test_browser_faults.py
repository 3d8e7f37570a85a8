"""What a person sees of faults: every attempt and why it ended, why nothing runs, and no run without a live lease."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from backend.shared.run_status import AttemptEnd, FailureCode
from backend.shared.store import endings, queue, workers
from backend.shared.tables import Run, Worker, now
from tests.e2e.chromium import Watched, chromium
from tests.e2e.page_server import Served, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Watched]]:
    with served(tmp_path_factory.mktemp("faults")) as service, chromium() as browser:
        watched = Watched(browser, service.url)
        yield service, watched
        watched.close()


def claim(service: Served) -> queue.Pack:
    with service.database.write() as session:
        pack = queue.claim_pack(session, service.puppet.worker_id, 1, 600)
        workers.release(session, service.puppet.worker_id)
    assert pack is not None
    return pack


def menu(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()


def test_attempts_and_why_each_ended(pages: tuple[Served, Watched]) -> None:
    service, watched = pages
    study_id = service.queue(name="tried again", seeds=1, baseline=None, arms=[{"method": "none"}])
    for end, words in ((AttemptEnd.LOST, "Its worker's process ended."), (AttemptEnd.CRASHED, "Memory ran out.")):
        (run,) = claim(service).runs
        with service.database.write() as session:
            endings.lose(session, run.run_id, run.fence, end, words, max_attempts=3)
    (run,) = claim(service).runs
    page = watched.open(f"/runs/{run.run_id}?tab=history")
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="lost").filter(has_text="Its worker's process ended.")).to_have_count(1)
    expect(rows.filter(has_text="crashed").filter(has_text="Memory ran out.")).to_have_count(1)
    expect(rows.filter(has_text="still going")).to_have_count(1)

    with service.database.write() as session:  # nobody renews it any more
        session.execute(update(Run).where(Run.id == run.run_id).values(lease_until=now() - timedelta(seconds=5)))
    page = watched.open(f"/runs/{run.run_id}")
    expect(page.get_by_text("lease ran out")).to_be_visible()
    expect(page.get_by_text("running", exact=True)).to_have_count(0)

    with service.database.write() as session:
        endings.fail(session, run.run_id, run.fence, FailureCode.LOSS_NAN, "The loss was not a number.")
    page = watched.open(f"/studies/{study_id}")
    menu(page)
    page.get_by_role("menuitem", name="Retry 1 failed").click()
    expect(page.get_by_text("1 failed run queued again.")).to_be_visible()


def test_why_nothing_runs_and_the_way_to_the_front(pages: tuple[Served, Watched]) -> None:
    service, watched = pages
    service.queue(name="first in the queue", seeds=1)
    later = service.queue(name="later", seeds=1)
    page = watched.open(f"/studies/{later}")
    expect(page.get_by_text("of other studies first")).to_be_visible()
    menu(page)
    page.get_by_role("menuitem", name="Move to the front").click()
    expect(page.get_by_text("of other studies first")).to_have_count(0)
    with service.database.write() as session:
        session.execute(update(Worker).values(heartbeat_at=now() - timedelta(hours=2)))
    page = watched.open(f"/studies/{later}")
    expect(page.get_by_text("No worker is running.")).to_be_visible()


def test_files_are_deleted_after_their_size_was_shown(pages: tuple[Served, Watched]) -> None:
    service, watched = pages
    study_id = service.queue(name="to be purged", seeds=1, baseline=None, arms=[{"method": "none"}])
    with service.database.write() as session:
        queue_first = update(Run).where(Run.study_id == study_id).values(priority=900)
        session.execute(queue_first)
    (run,) = claim(service).runs
    folder = service.settings.artifacts / run.run_id / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"x" * 2_500_000)
    with service.database.write() as session:
        adapter = endings.NewArtifact(
            "adapter", f"{run.run_id}/adapter", {"adapter_model.safetensors": "0" * 64}, 2_500_000
        )
        endings.finish(session, run.run_id, run.fence, 8, {}, [adapter])
    page = watched.open(f"/studies/{study_id}")
    menu(page)
    page.get_by_role("menuitem", name="Delete files").click()
    expect(page.get_by_text("1 adapter and 0 checkpoints take 2.5 MB.")).to_be_visible()
    page.get_by_role("button", name="Delete the files").click()
    expect(page.get_by_text("2.5 MB are free again; every number is kept.")).to_be_visible()
    assert not folder.exists()
