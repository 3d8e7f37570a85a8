"""docker-compose.yml and the Dockerfiles: by the compose specification's own schema, and by what we promise of them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from backend.cli.app import app
from backend.embedded import exposure
from backend.shared.settings import Settings
from tests.team.compose import FILE, ROOT, services

VARIABLES = {
    "DROPSCOPE_POSTGRES_PASSWORD": "p" * 32,
    "DROPSCOPE_REDIS_PASSWORD": "r" * 32,
    "DROPSCOPE_DOMAIN": "dropscope.example.org",
}
OURS = ("api", "worker", "worker-gpu")


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    return services(VARIABLES)


def test_the_file_follows_the_compose_specification(tmp_path: Path) -> None:
    """By the schema that the package check-jsonschema carries (Apache-2.0)."""
    check = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(FILE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / "broken.yml"
    broken.write_text(FILE.read_text().replace("healthcheck:", "healthchek:", 1))
    assert subprocess.run([*check, str(broken)], capture_output=True, timeout=60).returncode == 1


def test_every_service_is_hardened_checked_and_pinned(found: dict[str, dict[str, Any]]) -> None:
    assert set(found) == {*OURS, "postgres", "redis"}
    for name, service in found.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service["user"].startswith(("0", "root")), name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert "privileged" not in service
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"\d+\.\d+", tag), f"{name} is not pinned: {service['image']}"
    assert {name for name, service in found.items() if "ports" in service} == {"api"}
    assert found["api"]["ports"] == ["127.0.0.1:8321:8321"]
    assert found["worker-gpu"]["profiles"] == ["gpu"]
    assert found["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


@pytest.mark.parametrize("missing", list(VARIABLES))
def test_no_secret_has_a_default(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        services({name: value for name, value in VARIABLES.items() if name != missing})
    assert not re.search(r"password\w*\s*[:=]\s*[\"']?[a-z0-9]+[\"']?\s*$", FILE.read_text(), re.I | re.M)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(
    name: str, found: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = found[name]["environment"]
    assert all(variable.removeprefix("DROPSCOPE_").lower() in Settings.model_fields for variable in given)
    for variable, value in given.items():
        monkeypatch.setenv(variable, str(value))
    settings = Settings()
    assert settings.database_url is not None
    assert settings.shared == Path("/srv/dropscope")
    if name == "api":
        exposure.check(settings.model_copy(update={"host": "0.0.0.0"}))
        assert settings.allowed_hosts[0] == "dropscope.example.org"


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_ours(name: str, found: dict[str, dict[str, Any]]) -> None:
    program, command, *options = found[name]["command"]
    assert program == "dropscope"
    get_command(app).commands[command].make_context(command, options)  # type: ignore[attr-defined]  # a Group


def _steps(dockerfile: str) -> list[str]:
    text = (ROOT / "docker" / dockerfile).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("dockerfile", ["Dockerfile.api", "Dockerfile.worker"])
def test_a_dockerfile_copies_what_is_there_and_runs_as_somebody(dockerfile: str) -> None:
    steps = _steps(dockerfile)
    ignored = (ROOT / ".dockerignore").read_text().split()
    for step in steps:
        if step.startswith("COPY") and "--from" not in step:
            for source in step.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in ignored, source
    images = [step.split()[1] for step in steps if step.startswith("FROM")]
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+", image) for image in images)
    assert next(step for step in reversed(steps) if step.startswith("USER")) == "USER 10001:10001"
    declared = [name for name, service in services(VARIABLES).items() if dockerfile in str(service.get("build"))]
    assert declared


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("dockerfile", ["Dockerfile.api", "Dockerfile.worker"])
def test_the_steps_of_a_dockerfile_work_in_a_clean_environment(dockerfile: str, tmp_path: Path) -> None:
    """The API's packages are installed for real; the worker's, which are gigabytes, are resolved to the last one."""
    source = tmp_path / "src"
    source.mkdir()
    for step in _steps(dockerfile):
        if step.startswith("COPY") and "--from" not in step and "frontend" not in step and "docs" not in step:
            *names, target = step.split()[1:]
            for name in names:
                subprocess.run(["cp", "-r", str(ROOT / name), str(source / target)], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    dry = ["--dry-run", "--quiet"] if dockerfile == "Dockerfile.worker" else ["--quiet"]
    installs = [step for step in _steps(dockerfile) if step.startswith("RUN pip install")]
    assert len(installs) >= 2
    for step in installs:
        arguments = [part.strip('"') for part in step.split()[3:]]
        done = subprocess.run(
            [python, "-m", "pip", "install", *dry, *arguments], cwd=source, capture_output=True, text=True, timeout=800
        )
        assert done.returncode == 0, done.stderr[-2000:]
    if dockerfile == "Dockerfile.api":
        code = "import backend.main, dropscope, sys; assert 'torch' not in sys.modules; print(backend.__file__)"
        done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "site-packages" in done.stdout
        doctor = [str(tmp_path / "venv" / "bin" / "dropscope"), "version"]
        assert subprocess.run(doctor, capture_output=True, timeout=60).returncode == 0


def test_the_file_is_yaml_that_everybody_reads_alike() -> None:
    assert yaml.safe_load(FILE.read_text())["name"] == "dropscope"
