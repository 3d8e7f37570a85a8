"""A study that goes on from an adapter: chosen in the form, or asked for beside the run that left it."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect
from safetensors.numpy import save
from sqlalchemy import select

from backend.shared.catalogue.adapters import CONFIG_FILE, WEIGHTS_FILE
from backend.shared.files import sha256_of
from backend.shared.tables import Artifact
from tests.backend.make_adapters import CONFIG, RANK, add, tensors
from tests.backend.make_studies import train
from tests.e2e.axe import violations
from tests.e2e.chromium import Watched, chromium
from tests.e2e.page_server import Served, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Watched]]:
    with served(tmp_path_factory.mktemp("adapters")) as service, chromium() as browser:
        watched = Watched(browser, service.url)
        yield service, watched
        watched.close()


def spec_of(service: Served, study_id: str) -> dict[str, object]:
    with httpx.Client(base_url=f"{service.url}/api/v1") as http:
        run = http.get(f"/studies/{study_id}/runs").json()["items"][0]["id"]
        found: dict[str, object] = http.get(f"/runs/{run}").json()["spec"]["arm"]
    return found


def test_an_adapter_is_chosen_and_left_again(pages: tuple[Served, Watched]) -> None:
    service, watched = pages
    page = watched.open("/new")
    expect(page.get_by_label("Data set", exact=True).first).to_be_visible()
    expect(page.get_by_label("Start from", exact=True)).to_have_count(0)  # nothing to choose from yet

    with httpx.Client(base_url=service.url) as http:
        assert add(http, id="mine", title="Mine").status_code == 201  # type: ignore[arg-type]  # same methods
    page = watched.open("/new")
    field = page.get_by_label("Start from", exact=True).first
    ranks = page.get_by_role("group", name="LoRA ranks")
    expect(ranks.get_by_label("8", exact=True)).to_be_checked()
    field.click()
    page.get_by_role("option", name=f"Mine (rank {RANK}, alpha 16)").click()
    expect(ranks.get_by_label(str(RANK), exact=True)).to_be_checked()
    expect(ranks.get_by_label("8", exact=True)).not_to_be_checked()
    queue = page.get_by_role("button", name="Queue")
    expect(queue).to_be_enabled()
    assert violations(page) == []
    ranks.get_by_label("8", exact=True).dispatch_event("click")  # a second rank, which the adapter does not have
    expect(
        page.get_by_text("mine is of rank 4, and a run that starts from it cannot have rank 8").first
    ).to_be_visible()
    expect(queue).to_be_disabled()
    ranks.get_by_label("8", exact=True).dispatch_event("click")
    expect(queue).to_be_enabled()
    queue.click()
    page.wait_for_url("**/studies/study_*")
    spec = spec_of(service, page.url.rpartition("/")[2].partition("?")[0])
    assert (spec["rank"], spec["alpha"], spec["start_from"]["id"]) == (RANK, 16.0, "mine")  # type: ignore[index]  # JSON, typed as object


def test_a_study_goes_on_from_a_runs_adapter(pages: tuple[Served, Watched]) -> None:
    service, watched = pages
    study_id = service.queue(name="first part", seeds=1, baseline=None, arms=[{"method": "none"}])
    train(service.database, service.settings.home)
    with httpx.Client(base_url=f"{service.url}/api/v1") as http:
        run_id = http.get(f"/studies/{study_id}/runs").json()["items"][0]["id"]
    folder = service.settings.artifacts / "runs" / run_id / "adapter"
    (folder / CONFIG_FILE).write_text(json.dumps(CONFIG))
    (folder / WEIGHTS_FILE).write_bytes(save(tensors()))
    with service.database.write() as session:  # what lies there is held against what the run's record says
        artifact = session.scalars(select(Artifact).where(Artifact.run_id == run_id)).one()
        artifact.files = {file.name: sha256_of(file) for file in folder.iterdir()}
    for _ in range(2):  # the second time the adapter is there already
        page = watched.open(f"/runs/{run_id}?tab=artifacts")
        page.get_by_role("button", name="Go on from it").click()
        page.wait_for_url("**/new?*")
        expect(page.get_by_label("Start from", exact=True).first).to_have_value("No dropout, seed 0 (rank 4, alpha 16)")
        expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("first part (copy)")
        expect(page.get_by_role("button", name="Queue 1 run")).to_be_enabled()
    with httpx.Client(base_url=f"{service.url}/api/v1") as http:
        sources = [one["source"] for one in http.get("/adapters").json()["items"]]
    assert [one for one in sources if run_id in one] == [f"run {run_id} of this server"]
