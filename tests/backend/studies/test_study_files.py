"""The ready-made studies of docs/studies: each comes to runs without a problem once its data set is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from backend.shared.catalogue import find_dataset
from backend.shared.specs import StudySpec
from tests.backend.inside import inside
from tests.backend.make_studies import API
from tests.worker.data.stored import store

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "docs" / "studies").glob("*.yaml"))
ROWS = 700  # of each split


def row(task: str, i: int) -> dict[str, Any]:
    if task == "causal_lm":
        return {"prompt": f"name[{i}]", "completion": f"This is {i}.", "references": [f"This is {i}.", f"It is {i}."]}
    label: str | float = i / 10 if task == "regression" else f"{i % 2}"
    return {"text": f"film {i}", "text_pair": f"plot {i}", "label": label}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_ready_made_study_goes_through_preview(file: Path, sqlite_client: TestClient) -> None:
    written = yaml.safe_load(file.read_text())
    study = StudySpec.model_validate(written)
    context = inside(sqlite_client)
    home = context.settings.shared
    if find_dataset(home, study.dataset) is None:
        told = sqlite_client.post(f"{API}/studies/preview", json=written).json()["problems"]
        assert [one["pointer"] for one in told] == ["/dataset"], "nothing but the data set may be missing"
        rows = [(split, row(study.task, i)) for split in ("train", "validation") for i in range(ROWS)]
        store(home, study.dataset, study.task, rows)
    seen = sqlite_client.post(f"{API}/studies/preview", json=written).json()
    assert seen["problems"] == []
    assert seen["runs"] == len(seen["arms"]) * study.seeds
    assert len({arm["key"] for arm in seen["arms"]}) == len(seen["arms"]) > 1
    again = yaml.safe_load(seen["yaml"])
    assert StudySpec.model_validate(again) == study
    made = sqlite_client.post(f"{API}/studies", json=written)
    assert made.status_code == 202, made.text
    assert made.json()["counts"]["queued"] == seen["runs"]


def test_the_page_offers_every_one_of_them() -> None:
    listed = (ROOT / "frontend" / "src" / "pages" / "compose" / "templates.ts").read_text()
    offered = set(re.findall(r'\[\s*"([a-z0-9-]+)",\s*"', listed))
    assert offered == {file.stem for file in FILES}


@pytest.mark.parametrize("file", [file for file in FILES if file.stem.startswith("paper-")], ids=lambda file: file.stem)
def test_a_study_of_the_paper_says_where_its_data_is_had(file: Path) -> None:
    """By a command that fetches it from the hub with the columns and the split names that are known of it."""
    from backend.datasets import hub_recipes

    text = " ".join(line.removeprefix("#") for line in file.read_text().splitlines() if line.startswith("#"))
    found = re.search(r"dropscope data fetch (\S+)(?: --config (\w+))? --name (\w+)", " ".join(text.split()))
    assert found is not None, text
    study = StudySpec.model_validate(yaml.safe_load(file.read_text()))
    recipe = hub_recipes.find(found[1], found[2])
    assert recipe is not None
    assert (recipe.task, found[3]) == (study.task, study.dataset)
