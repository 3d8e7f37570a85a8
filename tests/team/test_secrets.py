"""Secrets stay secret: canaries are sent through every door and looked for in logs, answers and the database."""

import logging

import pytest
from fastapi.testclient import TestClient

from backend.accounts import service as accounts
from backend.main import assemble
from backend.shared.tables import Table
from tests.backend.make_studies import study
from tests.team.people import API, PASSWORD, URL, Team, bearer


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def _said(caplog: pytest.LogCaptureFixture) -> str:
    """All that the service logged, with its tracebacks; the test's own HTTP client writes addresses, too."""
    write = logging.Formatter()
    return "\n".join(write.format(record) for record in caplog.records if not record.name.startswith("httpx"))


def test_no_secret_reaches_a_log_an_error_or_a_table(any_team: Team, loud: pytest.LogCaptureFixture) -> None:
    client = any_team.client
    setup = accounts.setup_secret(any_team.database)
    assert setup is not None
    new = {"secret": setup, "email": "ada@example.org", "name": "Ada", "password": PASSWORD}
    session = client.post(f"{API}/auth/setup", json=new).cookies["dropscope_session"]
    headers = {"Origin": URL}
    invitation = client.post(f"{API}/invitations", json={}, headers=headers).json()["secret"]
    token = client.post(f"{API}/tokens", json={"name": "x", "scope": "admin"}, headers=headers).json()["token"]
    study_id = client.post(f"{API}/studies", json=study(), headers=bearer(token)).json()["id"]
    share = client.post(f"{API}/shares", json={"study_id": study_id}, headers=headers).json()["secret"]
    client.cookies.clear()
    secrets = {"set-up": setup, "cookie": session, "invitation": invitation, "token": token, "share": share}
    secrets |= {"password": PASSWORD, "wrong password": "a wrong canary password"}

    answers = [
        client.get(f"{API}/shared/{share}/figures/none"),
        client.get(f"{API}/shared/{share}/nothing"),
        client.post(f"{API}/shared/{share}", json={}),
        client.get(f"{API}/shared/{share}?x=%00"),
        client.post(f"{API}/auth/login", json={"email": "ada@example.org", "password": secrets["wrong password"]}),
        client.post(f"{API}/auth/login", json={"email": "ada@example.org", "passwort": PASSWORD}),
        client.post(f"{API}/auth/setup", json=new),
        client.post(f"{API}/invitations/accept", json={**new, "secret": invitation, "password": 5}),
        client.get(f"{API}/studies/none", headers=bearer(token)),
        client.get(f"{API}/me", headers=bearer(token + "x")),
    ]
    any_team.database.close()
    broken = any_team.settings.home / "dropscope.db"
    if any_team.database.is_sqlite:
        kept = broken.read_bytes()
        broken.write_bytes(b"not a database" * 1000)
        answers.append(client.get(f"{API}/shared/{share}"))
        assert answers[-1].status_code in (500, 503)
        broken.write_bytes(kept)
    assert all(answer.status_code >= 400 for answer in answers)

    for name, secret in secrets.items():
        assert secret not in _said(loud), name
        assert all(secret not in answer.text for answer in answers), name
    with any_team.database.read() as reading:
        for table in Table.metadata.sorted_tables:
            written = " ".join(str(row) for row in reading.execute(table.select()))
            assert not [name for name, secret in secrets.items() if secret in written], table.name


def test_the_access_log_leaves_share_secrets_out(team: Team, loud: pytest.LogCaptureFixture) -> None:
    app = assemble(team.settings.model_copy(update={"access_log": True}))
    app.state.context = team.app.state.context
    client = TestClient(app, base_url=URL)
    secret = "5" * 43
    for path in (f"{API}/shared/{secret}", f"{API}/shared/{secret}/figures/losses", f"/s/{secret}", "/healthz%0A2"):
        client.get(path)
    lines = [record.getMessage() for record in loud.records if record.name == "dropscope.access"]
    assert len(lines) == 4
    assert not any("\n" in line for line in lines)
    assert "testclient GET '/api/v1/shared/…' 404" in lines[0]
    assert secret not in _said(loud)


def test_no_cell_of_a_data_set_reaches_a_log_or_a_table(any_team: Team, loud: pytest.LogCaptureFixture) -> None:
    cell = "canary cell 7f3a"
    member = any_team.person("member")
    client = any_team.client
    rows = [f"{cell} {i},{i % 2}" for i in range(20)]
    bodies = ["text,label\n" + "\n".join(rows), "text,label\n" + "\n".join([*rows, f'"{cell},1'])]
    for body in bodies:
        upload = client.post(f"{API}/uploads", json={"name": "rows.csv"}, headers=member.headers).json()["id"]
        where = f"{API}/uploads/{upload}"
        assert client.put(f"{where}/content", content=body, headers=member.headers).status_code == 200
        client.post(f"{where}/preview", json={"model": "minilm-l6"}, headers=member.headers)
        made = client.post(f"{where}/commit", json={"task": "classification"}, headers=member.headers)
        assert made.status_code in (201, 422)
        if made.status_code == 422:
            assert cell not in made.text
    asked = study(dataset="rows", train_rows=8, validation_rows=3)
    made = client.post(f"{API}/studies", json=asked, headers=member.headers)
    assert made.status_code == 202, made.text
    share = client.post(f"{API}/shares", json={"study_id": made.json()["id"]}, headers=member.headers).json()["secret"]
    for rest in ("", "/comparison", "/figures/losses"):
        assert cell not in client.get(f"{API}/shared/{share}{rest}").text
    assert cell not in _said(loud)
    with any_team.database.read() as reading:
        for table in Table.metadata.sorted_tables:
            assert cell not in " ".join(str(row) for row in reading.execute(table.select())), table.name
