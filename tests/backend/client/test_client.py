"""The Python client against a real server: data sets over a line that breaks, tables, figures, adapters, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dropscope import ApiError, Dropscope, ServerUnreachable
from safetensors.numpy import save_file

from backend.cli.app import answer
from backend.embedded import web_server
from backend.shared.catalogue.adapters import CONFIG_FILE, WEIGHTS_FILE
from backend.shared.specs import StudySpec
from tests.backend.client.cutting import CuttingLine
from tests.backend.ledger.keep import ROWS, keep
from tests.backend.make_adapters import CONFIG, tensors
from tests.backend.make_studies import post, study, train
from tests.team.people import Team


@pytest.fixture
def url(team: Team) -> Iterator[str]:
    """The service on a port."""
    listening = web_server.bind("127.0.0.1", 0)
    server = web_server.WebServer(team.app, listening, "WARNING", team.app.state.watch.end_soon)
    server.start()
    yield web_server.address(listening, "127.0.0.1")
    server.stop()


@pytest.fixture
def token(team: Team) -> str:
    """A member's."""
    return team.token(team.person("member"))


@pytest.mark.slow
def test_a_file_arrives_whole_over_a_line_that_breaks(url: str, token: str, tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    lines = [f"film number {i} of a long list of films,{i % 2}" for i in range(400_000)]
    file.write_text("\n".join(["text,label", *lines]))
    parts = urlsplit(url)
    line = CuttingLine(parts.hostname or "", parts.port or 0, after=3 << 20, breaks=3)
    told: list[int] = []
    try:
        with Dropscope(f"http://127.0.0.1:{line.port}", token) as client:
            upload = client.datasets.send(file, lambda sent, size: told.append(sent))
            assert line.breaks_left == 0
            looked = client.datasets.preview(upload)
            assert (looked["read"], looked["whole"], looked["problems"]) == (100_000, False, [])
            made = client.datasets.commit(upload, {"task": "classification", "id": "films"})
            assert client.datasets.commit(upload, {"task": "classification", "id": "films"}) == made
    finally:
        line.close()
    assert (made["read"], made["kept"]) == (400_000, 400_000)
    assert told[-1] == file.stat().st_size


def test_a_study_in_python(team: Team, url: str, token: str, tmp_path: Path) -> None:
    with Dropscope(url, token) as client:
        spec = StudySpec.model_validate(study(seeds=2))
        made = client.studies.create(spec, idempotency_key="once")
        assert client.studies.create(study(seeds=2), idempotency_key="once")["id"] == made["id"]
        train(team.database, team.settings.home)
        assert client.studies.wait(made["id"])["counts"]["succeeded"] == 4
        assert client.studies.extend(made["id"], seeds=3)["counts"]["queued"] == 2
        train(team.database, team.settings.home)
        table = client.studies.comparison(made["id"])
        exact = client.studies.comparison_json(made["id"])
        assert list(table.index) == exact["ranking"]
        best = next(arm for arm in exact["arms"] if arm["id"] == exact["ranking"][0])
        assert table.iloc[0]["validation/loss"] == best["final"]["validation/loss"]["mean"]
        assert table["finished"].sum() == 6
        assert table["validation/loss p"].notna().sum() == 1
        assert len(client.studies.evaluations(made["id"])) == 6 * 4
        keep(team.database, team.settings.home, made["id"])
        said = client.studies.rows(made["id"])
        assert len(said) == 6 * 2 * sum(ROWS.values())
        one = said[(said["clock"] == "stopped") & (said["split"] == "test") & (said["seed"] == 1)]
        summed = client.studies.ledger(made["id"], clock="stopped", split="test")
        assert one.groupby("arm")["loss"].count().tolist() == [ROWS["test"]] * 2
        assert [arm["runs"] for arm in summed["arms"]] == [3, 3]
        figure = client.studies.figure(made["id"], "losses")
        assert len(figure.data) > 0
        assert figure.to_html(include_plotlyjs=False)
        folder = client.studies.download_adapter(made["id"], tmp_path / "adapter", arm="hiddenkey", seed=2)
        names = sorted(path.name for path in folder.iterdir())
        papers = ["README.md", "environment.json", "reproduce.yaml"]
        assert names == sorted([*papers, "adapter_config.json", "adapter_model.safetensors"])
        assert json.loads((folder / "environment.json").read_text())["id2label"] == {"0": "fresh", "1": "rotten"}
        assert "- 0: fresh\n- 1: rotten\n" in (folder / "README.md").read_text()
        with pytest.raises(LookupError, match="seed 9"):
            client.studies.download_adapter(made["id"], tmp_path / "no", arm="hiddenkey", seed=9)
        assert client.me()["how"] == "token"


def test_refusals_are_exceptions_with_a_sentence(url: str, token: str, tmp_path: Path) -> None:
    with Dropscope(url, token) as client:
        with pytest.raises(ApiError, match="no key 'seedz'") as refused:
            client.studies.create(study() | {"seedz": 3})
        assert (refused.value.status, refused.value.items[0].pointer) == (422, "/seedz")
        empty = tmp_path / "empty.csv"
        empty.touch()
        upload = client.datasets.send(empty)
        with pytest.raises(ApiError, match="The file is empty"):
            client.datasets.commit(upload, {"task": "classification"})
    with Dropscope(url, "ds_wrong") as stranger, pytest.raises(ApiError, match="this token does not work"):
        stranger.studies.list()
    with (
        Dropscope("http://127.0.0.1:9") as nobody,
        pytest.raises(ServerUnreachable, match="no Dropscope server answers"),
    ):
        nobody.studies.list()


def test_the_command_line_works_against_a_server_elsewhere(
    team: Team, url: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSCOPE_HOME", str(tmp_path / "another machine"))
    monkeypatch.setenv("DROPSCOPE_URL", url)
    monkeypatch.setenv("DROPSCOPE_TOKEN", token)
    file = tmp_path / "mine.csv"
    file.write_text("text,label,film\n" + "".join(f"film {i},{i % 2},f{i % 5}\n" for i in range(40)) + " ,1,f1\n")
    assert answer(["data", "add", str(file), "--group", "film", "--licence", "CC0"]) == 0
    assert "Added mine: 32 train, 8 validation rows; 40 of 41 rows kept." in capfd.readouterr().out
    assert answer(["data", "list"]) == 0
    assert "CC0" in capfd.readouterr().out
    assert answer(["data", "refused", "mine"]) == 0
    assert "line 42,text,is empty" in capfd.readouterr().out
    assert answer(["data", "add", str(file), "--text", "nothing"]) == 2
    assert "There is no column 'nothing'" in capfd.readouterr().err
    assert answer(["data", "add", str(file), "--group", "film", "--split", "film"]) == 2
    team.client.headers["Authorization"] = f"Bearer {token}"
    made = post(team.client, seeds=1)
    train(team.database, team.settings.home)
    assert answer(["study", "list"]) == 0
    assert made["id"] in capfd.readouterr().out
    assert answer(["study", "wait", made["id"], "--json"]) == 0
    assert made["id"] in capfd.readouterr().out
    assert answer(["study", "adapter", made["id"], "none", str(tmp_path / "taken")]) == 0
    taken = sorted(path.name for path in (tmp_path / "taken").iterdir())
    assert "its README.md says how to load it" in capfd.readouterr().out
    run = team.client.get(f"/api/v1/studies/{made['id']}/runs").json()["items"][0]
    assert answer(["adapter", run["id"], str(tmp_path / "by run")]) == 0
    assert taken == sorted(path.name for path in (tmp_path / "by run").iterdir())
    assert {"README.md", "reproduce.yaml", "environment.json", "adapter_model.safetensors"} <= set(taken)
    assert answer(["study", "adapter", made["id"], "none", str(tmp_path / "taken")]) == 2
    assert answer(["study", "show", "study_none"]) == 2
    assert not (tmp_path / "another machine" / "dropscope.db").exists()


def test_an_adapter_goes_to_a_server_in_python_and_by_command(
    team: Team, url: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my adapter"
    folder.mkdir()
    (folder / CONFIG_FILE).write_text(json.dumps(CONFIG))
    save_file(tensors(), folder / WEIGHTS_FILE)
    with Dropscope(url, token) as client:
        made = client.adapters.add(folder, id="mine")
        assert (made["rank"], made["model"]["id"]) == (4, "minilm-l6")
        assert client.adapters.list() == [client.adapters.get("mine")] == [made]
        queued = client.studies.create(study(seeds=1, start_from="mine"))
        assert queued["arms"][0]["spec"]["start_from"]["id"] == "mine"
        with pytest.raises(ApiError, match="starts from this adapter"):
            client.adapters.delete("mine")
    for home, server in (("another machine", url), ("this machine", None)):
        monkeypatch.setenv("DROPSCOPE_HOME", str(tmp_path / home))
        monkeypatch.setenv("DROPSCOPE_DISK_FLOOR_BYTES", "0")
        monkeypatch.setenv("DROPSCOPE_TOKEN", token)
        monkeypatch.delenv("DROPSCOPE_URL", raising=False)
        if server is not None:
            monkeypatch.setenv("DROPSCOPE_URL", server)
        assert answer(["model", "add-adapter", str(folder)]) == 0
        assert "Added my-adapter: rank 4, alpha 16, on 12 modules of minilm-l6" in capfd.readouterr().out
    assert not (tmp_path / "another machine" / "adapters").exists()
    assert (tmp_path / "this machine" / "adapters" / "my-adapter" / WEIGHTS_FILE).is_file()
    assert answer(["model", "add-adapter", str(folder), "--model", "smollm2-135m"]) == 2
    assert "Its config names sentence-transformers/all-MiniLM-L6-v2" in capfd.readouterr().err
    (folder / WEIGHTS_FILE).rename(folder / "adapter_model.bin")
    assert answer(["model", "add-adapter", str(folder)]) == 2
    assert "in safetensors" in capfd.readouterr().err
