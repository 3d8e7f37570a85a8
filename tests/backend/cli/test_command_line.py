"""What the command line refuses to open to others, and what it does for a team on the server's machine."""

import io
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.exc import DatabaseError

from backend.accounts import credentials
from backend.cli.app import answer
from backend.embedded import exposure
from backend.shared.addresses import check_worker, is_loopback
from backend.shared.errors import StartupError
from backend.shared.settings import Settings
from tests.backend.make_studies import study
from tests.team.people import API, PASSWORD, Team, bearer


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setenv("DROPSCOPE_HOME", str(team.settings.home))
    monkeypatch.setattr(logging.root, "handlers", list(logging.root.handlers))  # commands set up their own log
    return team


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_other_addresses_need_accounts_and_names(host: str, capfd: pytest.CaptureFixture[str], here: Team) -> None:
    assert answer(["up", "--host", host, "--port", "0", "--no-browser"]) == 1
    said = capfd.readouterr().err
    assert "DROPSCOPE_AUTH=on" in said
    assert "Traceback" not in said
    with pytest.raises(StartupError, match="--allowed-hosts"):
        exposure.check(Settings(host=host, auth=True))
    exposure.check(Settings(host=host, auth=True, allowed_hosts=("dropscope.example.org",)))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_this_machine_needs_none(host: str) -> None:
    assert is_loopback(host)
    exposure.check(Settings(host=host))


@pytest.mark.parametrize("name", ["localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "", "10.0.0.1"])
def test_names_that_only_look_local_are_not(name: str) -> None:
    assert not is_loopback(name)


def test_a_worker_elsewhere_needs_postgres(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DROPSCOPE_BROKER_URL", "rediss://:secret@queue.example.org:6380/0")
    assert answer(["worker"]) == 1
    said = capfd.readouterr().err
    assert "SQLite" in said
    assert "DROPSCOPE_DATABASE_URL" in said
    assert "secret" not in said
    for url in ("redis://127.0.0.2:6379/0", "redis+socket:///run/valkey.sock"):
        check_worker(Settings.model_validate({"broker_url": url}))
    check_worker(
        Settings.model_validate({"broker_url": "redis://queue.example.org", "database_url": "postgresql://x/y"})
    )


def test_tokens_are_made_listed_and_revoked_on_the_server(here: Team, capfd: pytest.CaptureFixture[str]) -> None:
    member = here.person("member")
    email = f"{member.id}@example.org"
    assert answer(["token", "create", "--email", email, "--scope", "run", "--name", "nightly"]) == 0
    text = capfd.readouterr().out.strip()
    assert here.client.get(f"{API}/me", headers=bearer(text)).json()["user_id"] == member.id
    assert answer(["token", "create", "--email", email, "--scope", "admin"]) == 1
    assert answer(["token", "create", "--email", "nobody@example.org"]) == 2
    assert answer(["token", "list", "--email", email]) == 0
    assert "nightly" in capfd.readouterr().out
    assert answer(["token", "revoke", str(credentials.token_id(text))]) == 0
    assert here.client.get(f"{API}/me", headers=bearer(text)).status_code == 401


def test_a_lost_password_is_set_on_the_server(here: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    member = here.person("member")
    email = f"{member.id}@example.org"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    assert answer(["account", "password", "--email", email]) == 0
    assert here.client.get(f"{API}/me", headers=member.headers).status_code == 401
    login = here.client.post(f"{API}/auth/login", json={"email": email, "password": PASSWORD})
    assert login.status_code == 200


def test_the_audit_log_names_who_did_what_and_only_grows(any_team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    member, viewer = any_team.person("member"), any_team.person("viewer")
    made = any_team.client.post(f"{API}/studies", json=study(), headers=member.headers).json()
    any_team.client.post(f"{API}/studies/{made['id']}/cancel", headers=viewer.headers)
    any_team.client.post(f"{API}/auth/login", json={"email": "\x1b[31mx@example.org", "password": "no"})
    any_team.client.get(f"{API}/studies", headers=viewer.headers)
    any_team.client.post(f"{API}/studies", json=study())
    monkeypatch.setenv("DROPSCOPE_HOME", str(any_team.settings.home))
    url = any_team.settings.database_url
    if url is not None:
        monkeypatch.setenv("DROPSCOPE_DATABASE_URL", url.get_secret_value())
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dropscope"), "audit"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if "studies_" in line or "auth_" in line]
    assert len(lines) == 3
    for line, words in zip(
        lines,
        (
            ("nobody known", "auth_login", "401", "[31mx@example.org"),
            (viewer.id, "studies_cancel", "403"),
            (member.id, made["id"], "202"),
        ),
        strict=True,
    ):
        assert all(word in line for word in words), line
    assert "\x1b" not in done.stdout
    admin = any_team.person("admin")
    first = any_team.client.get(f"{API}/audit", params={"limit": 2}, headers=admin.headers).json()
    rest = any_team.client.get(f"{API}/audit", params={"cursor": first["next_cursor"]}, headers=admin.headers).json()
    listed = [(one["action"], one["outcome"], one["user_name"]) for one in [*first["items"], *rest["items"]]]
    assert listed == [
        ("auth_login", 401, None),
        ("studies_cancel", 403, "A viewer"),
        ("studies_create", 202, "A member"),
    ]
    assert any_team.client.get(f"{API}/audit", headers=member.headers).status_code == 403
    for statement in ("UPDATE audit_log SET outcome = 200", "DELETE FROM audit_log"):
        with pytest.raises((DatabaseError, psycopg.Error), match="only grows"):
            with any_team.database.write() as session:
                session.connection().exec_driver_sql(statement)


@pytest.mark.slow
def test_the_first_start_prints_a_link_that_works_once(tmp_path: Path) -> None:
    environment = {**os.environ, "DROPSCOPE_HOME": str(tmp_path), "DROPSCOPE_AUTH": "on", "DROPSCOPE_PORT": "0"}
    command = [str(Path(sys.executable).parent / "dropscope"), "up", "--no-browser", "--workers", "0"]
    with (tmp_path / "said.txt").open("w+") as said:
        process = subprocess.Popen(command, env=environment, stderr=said, start_new_session=True)
        try:
            until = time.monotonic() + 60
            while "/setup#" not in (text := (tmp_path / "said.txt").read_text()):
                assert time.monotonic() < until, text
                assert process.poll() is None, text
                time.sleep(0.1)
            link = text.partition("with this link: ")[2].split()[0]
            url, _, secret = link.partition("/setup#")
            new = {"secret": secret, "email": "ada@example.org", "name": "Ada", "password": PASSWORD}
            assert httpx.get(f"{url}{API}/studies").status_code == 401
            assert httpx.post(f"{url}{API}/auth/setup", json=new, timeout=30).json()["role"] == "admin"
            assert httpx.post(f"{url}{API}/auth/setup", json=new, timeout=30).status_code == 401
        finally:
            process.terminate()
            assert process.wait(30) == 0
