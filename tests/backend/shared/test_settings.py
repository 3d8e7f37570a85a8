"""A setting that is not what it should be is a sentence that names it and says what to write; lists have commas."""

from pathlib import Path
from typing import Any

import pytest

from backend.cli.app import answer
from backend.embedded import exposure
from backend.main import application
from backend.shared.database import open_database
from backend.shared.errors import StartupError
from backend.shared.settings import Settings

GOOD: list[tuple[str, str, str, Any]] = [
    ("ALLOWED_HOSTS", "example.org", "allowed_hosts", ("example.org",)),
    ("ALLOWED_HOSTS", " a.example.org , [::1],10.0.0.1 ", "allowed_hosts", ("a.example.org", "[::1]", "10.0.0.1")),
    ("ALLOWED_HOSTS", '["a.example.org", "localhost"]', "allowed_hosts", ("a.example.org", "localhost")),
    ("ALLOWED_HOSTS", "[::1]", "allowed_hosts", ("[::1]",)),
    ("TRUSTED_PROXIES", "127.0.0.1, 10.1.2.3/8,::1", "trusted_proxies", ("127.0.0.1/32", "10.0.0.0/8", "::1/128")),
    ("TRUSTED_PROXIES", "", "trusted_proxies", ()),
    ("PORT", "", "port", 8321),
    ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("AUTH", "on", "auth", True),
    ("ROOT_PATH", "/tools/dropscope/", "root_path", "/tools/dropscope"),
    ("ROOT_PATH", "/", "root_path", ""),
    ("HOME", "~/elsewhere", "home", Path.home() / "elsewhere"),
    ("HOME", "elsewhere", "home", Path.cwd() / "elsewhere"),
    ("SERVICE_PORT_HTTP", "8321", "port", 8321),  # Kubernetes', of a service called "dropscope"
    ("DOMAIN", "example.org", "port", 8321),  # docker-compose.yml's
]
BAD = [
    ("ALLOWED_HOSTS", '["example.org"', 'write a,b or ["a","b"]'),
    ("ALLOWED_HOSTS", "https://example.org", "without http://"),
    ("ALLOWED_HOSTS", "example.org:8321", "port or path"),
    ("ALLOWED_HOSTS", "*.example.org", "no name of a host"),
    ("ALLOWED_HOSTS", ",", "at least 1"),
    ("TRUSTED_PROXIES", "*", "name your proxies"),
    ("TRUSTED_PROXIES", "proxy.example.org", "neither an IP address nor a network"),
    ("AUTH", "perhaps", "write on or off"),
    ("PORT", "tcp://10.0.0.1:8321", "give a whole number"),
    ("PORT", "70000", "less than or equal to 65535"),
    ("LEASE_S", "soon", "give a number"),
    ("LEASE_S", "1e400", "finite"),
    ("LOG_LEVEL", "loud", "'DEBUG', 'INFO'"),
    ("LOG_FORMAT", "xml", "'text' or 'json'"),
    ("DATABASE_URL", "/var/lib/dropscope.db", "postgresql://user:password@host/name"),
    ("DATABASE_URL", "mysql://a:secret@host/name", "postgresql://"),
    ("DATABASE_URL", "postgresql://a:se/cret@host/name", "%40"),
    ("BROKER_URL", "localhost:6379", "redis://"),
    ("URL", "localhost:8321", "http://127.0.0.1:8321"),
    ("ROOT_PATH", "dropscope", "one like /dropscope"),
    ("ROOT_PATH", "/a//b", "one like /dropscope"),
    ("ROOT_PATH", "/a b", "one like /dropscope"),
    ("HOME", "~nobody-of-that-name/x", "nobody here has that name"),
    ("AUHT", "on", "did you mean DROPSCOPE_AUTH?"),
    ("MAX_RUN", "3", "did you mean DROPSCOPE_MAX_RUNS?"),
    ("COLOUR", "blue", "docs/operations.md"),
]


@pytest.mark.parametrize(("name", "given", "field", "value"), GOOD)
def test_what_people_write_is_taken(
    name: str, given: str, field: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DROPSCOPE_{name}", given)
    assert getattr(Settings(), field) == value


@pytest.mark.parametrize(("name", "given", "hint"), BAD)
def test_what_is_wrong_is_a_sentence(
    name: str, given: str, hint: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"DROPSCOPE_{name}", given)
    assert answer(["doctor"]) == 1
    said = capfd.readouterr().err
    assert f"DROPSCOPE_{name}" in said
    assert hint in said
    assert "Traceback" not in said
    assert "secret" not in said


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, given in (("AUHT", "on"), ("PORT", "x"), ("LEASE_S", "-1")):
        monkeypatch.setenv(f"DROPSCOPE_{name}", given)
    with pytest.raises(StartupError) as refused:
        Settings()
    assert all(f"DROPSCOPE_{name}" in refused.value.message for name in ("AUHT", "PORT", "LEASE_S"))


def test_a_database_url_names_any_driver_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg", "postgresql+psycopg2"):
        monkeypatch.setenv("DROPSCOPE_DATABASE_URL", f"{scheme}://a:b@127.0.0.1:1/name")
        database = open_database(Settings())
        assert database.engine.url.drivername == "postgresql+psycopg"
        database.close()


@pytest.mark.parametrize("name", ["dropscope.example.org", "10.0.0.7", "gpu-box", "[2001:db8::1]"])
def test_a_name_that_others_use_needs_accounts(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSCOPE_HOME", str(tmp_path))
    monkeypatch.setenv("DROPSCOPE_ALLOWED_HOSTS", f"localhost,{name}")
    assert answer(["up", "--port", "0", "--no-browser"]) == 1
    said = capfd.readouterr().err
    assert name in said
    assert "DROPSCOPE_AUTH=on" in said
    with pytest.raises(StartupError, match="DROPSCOPE_AUTH=on"):
        application()
    exposure.check(Settings(auth=True))
    monkeypatch.setenv("DROPSCOPE_ALLOWED_HOSTS", "localhost,127.0.0.9,[::1]")
    exposure.check(Settings())
