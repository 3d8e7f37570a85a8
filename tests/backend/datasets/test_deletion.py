"""A deleted data set is gone: its rows are in no file of the home and in no answer."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend.shared.catalogue.datasets import TOKENS_FILE, datasets_root, tokens_root
from backend.shared.tables import Arm, Dataset, Run
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, train
from tests.backend.uploads.test_uploads import BODY, PLAN, send

SECRET = "what only this row says"
WITH_SECRET = BODY.replace(b"film number 7 is", SECRET.encode()) + b"film without a verdict " + SECRET.encode() + b",\n"


def _made(client: TestClient, **named: str) -> str:
    made = client.post(f"{API}/uploads/{send(client, WITH_SECRET)}/commit", json={**PLAN, **named})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _tokens(client: TestClient, key: str, content: str | None) -> Path:
    folder = tokens_root(inside(client).settings.shared) / key
    folder.mkdir(parents=True)
    (folder / TOKENS_FILE).write_text(json.dumps({} if content is None else {"content": content}))
    (folder / "train.ids.npy").write_bytes(b"tokens")
    return folder


def _content(client: TestClient, dataset_id: str) -> str:
    with inside(client).database.read() as session:
        return session.get_one(Dataset, dataset_id).content_hash


def _holding(client: TestClient) -> list[str]:
    files = [file for file in inside(client).settings.home.rglob("*") if file.is_file()]
    return [file.name for file in files if SECRET.encode() in file.read_bytes()]


def test_the_rows_of_a_deleted_data_set_are_nowhere(client: TestClient) -> None:
    dataset_id = _made(client)
    study_id = post(client, dataset=dataset_id, train_rows=40, validation_rows=10, seeds=1)["id"]
    context = inside(client)
    run_id = train(context.database, context.settings.home)[0]
    with context.database.write() as session:
        quote = {"best": [{"text": SECRET}], "worst": [], "generated": []}
        session.execute(update(Run).where(Run.study_id == study_id).values(examples=quote))
    mine = _tokens(client, "mine", _content(client, dataset_id))
    of_before, others = _tokens(client, "of before", None), _tokens(client, "others", "0" * 64)
    try:
        assert client.delete(f"{API}/datasets/{dataset_id}").status_code == 409
        assert client.post(f"{API}/studies/{study_id}/archive").status_code == 200
        assert client.delete(f"{API}/datasets/{dataset_id}").status_code == 204
        assert [folder.exists() for folder in (mine, of_before, others)] == [False, False, True]
    finally:
        for file in others.iterdir():
            file.unlink()
        others.rmdir()  # the cache is shared by tests
    assert client.get(f"{API}/runs/{run_id}/examples").json() == {"best": [], "worst": [], "generated": []}
    assert _holding(client) == []
    assert list(datasets_root(context.settings.shared).iterdir()) == []
    assert client.get(f"{API}/datasets/{dataset_id}").status_code == 404
    assert client.get(f"{API}/studies/{study_id}/comparison").status_code == 200, "its numbers stay"


def test_tokens_stay_where_another_data_set_has_the_same_rows(sqlite_client: TestClient) -> None:
    first, second = _made(sqlite_client, id="first"), _made(sqlite_client, id="second")
    assert _content(sqlite_client, first) == _content(sqlite_client, second)
    tokens = _tokens(sqlite_client, "of both", _content(sqlite_client, first))
    assert sqlite_client.delete(f"{API}/datasets/{first}").status_code == 204
    assert tokens.exists()
    assert sqlite_client.delete(f"{API}/datasets/{second}").status_code == 204
    assert not tokens.exists()


def test_a_study_that_names_the_data_set_otherwise_stands_on_it_too(sqlite_client: TestClient) -> None:
    """By its name on the hub: what counts is what its arms are trained on."""
    dataset_id = _made(sqlite_client)
    study_id = post(sqlite_client, seeds=1)["id"]
    with inside(sqlite_client).database.write() as session:
        for arm in session.query(Arm).where(Arm.study_id == study_id):
            arm.spec = {**arm.spec, "dataset": {"id": dataset_id, "content_hash": "0"}}
    refused = sqlite_client.delete(f"{API}/datasets/{dataset_id}")
    assert (refused.status_code, "'two arms' stands on this data set" in refused.json()["detail"]) == (409, True)


def test_a_study_that_is_only_measured_on_it_stands_on_it_too(client: TestClient) -> None:
    own, further = _made(client, id="own"), _made(client, id="further_1")
    study_id = post(client, dataset=own, train_rows=40, validation_rows=10, seeds=1, also_measure=[further])["id"]
    refused = client.delete(f"{API}/datasets/{further}")
    assert (refused.status_code, "'two arms' stands on this data set" in refused.json()["detail"]) == (409, True)
    client.post(f"{API}/studies/{study_id}/cancel")
    assert client.post(f"{API}/studies/{study_id}/archive").status_code == 200
    assert client.delete(f"{API}/datasets/{further}").status_code == 204


def test_a_data_set_whose_files_cannot_be_moved_stays_whole(
    sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = _made(sqlite_client)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as locked:
        locked.setattr(Path, "rename", denied)  # tests may run as root, whom no mode keeps out
        refused = sqlite_client.delete(f"{API}/datasets/{dataset_id}")
    assert (refused.status_code, "it stays" in refused.json()["detail"]) == (503, True)
    assert sqlite_client.get(f"{API}/datasets/{dataset_id}/rows").status_code == 200
    assert sqlite_client.delete(f"{API}/datasets/{dataset_id}").status_code == 204
