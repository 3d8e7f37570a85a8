"""No address leads out of the artifacts' folder, and no answer names a path (after five years of MLflow's bypasses)."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from backend.accounts import permissions
from tests.backend.make_studies import post, study, train
from tests.team.people import API, Team
from tests.team.test_route_matrix import routes

CANARY = "canary-outside-the-root"
DEPTHS = (1, 2, 5, 8)


def strings(outside: Path) -> list[str]:
    """Two hundred ways that have led out of somebody's folder."""
    targets = [str(outside), outside.name, "etc/passwd", "dropscope.db"]
    ups = [
        "../",
        "..\\",
        "..;/",
        "....//",
        "%2e%2e/",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "..%c0%af",
        "..%5c",
        "\u2024\u2024/",
        "./..",
    ]
    made = [up * depth + target.lstrip("/") for up in ups for depth in DEPTHS for target in targets]
    made += [f"file://{outside}", f"//{outside}", f"\\\\?\\{outside}", f"C:{outside}", "~", "~root", "$HOME", "."]
    made += [
        "..",
        "...",
        "a/../..",
        "con",
        "nul",
        "x" * 5000,
        "%00",
        f"adapter_config.json\n{outside}",
        "%",
        "{0}",
        "{{7*7}}",
    ]
    return made


def test_no_traversal_string_reads_a_byte_from_outside(team: Team, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(CANARY)
    admin = team.person("admin")
    made = team.client.post(f"{API}/studies", json=study(seeds=1), headers=admin.headers).json()
    run_id = train(team.database, team.settings.home)[0]
    artifact = team.client.get(f"{API}/runs/{run_id}/artifacts", headers=admin.headers).json()["items"][0]["id"]
    tried = strings(outside)
    assert len(tried) >= 180
    parameters = [(path, op) for path, op, methods in routes(team.app) if "{" in path and "GET" in methods and op]
    for path, _ in parameters:
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for text in tried[:: len(parameters) // 2 or 1] if len(names) == 1 else tried[::7]:
            answer = team.client.get(
                path.format(**{name: quote(text, safe="%") for name in names}), headers=admin.headers
            )
            assert answer.status_code in (400, 404, 405, 422, 429, 503), (path, text, answer.status_code)
            assert CANARY not in answer.text
    for text in tried:
        answer = team.client.get(f"{API}/artifacts/{artifact}/download", params={"file": text}, headers=admin.headers)
        assert answer.status_code in (404, 422), text
        assert CANARY not in answer.text
    assert made["id"]
    assert {"name", "secret"} == permissions.NO_OBJECTS


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_a_link_planted_in_a_runs_folder_gives_nothing_away(link: str, team: Team, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(CANARY)
    admin = team.person("admin")
    team.client.headers.update(admin.headers)
    post(team.client, seeds=1)
    run_id = train(team.database, team.settings.home)[0]
    artifact = team.client.get(f"{API}/runs/{run_id}/artifacts").json()["items"][0]["id"]
    folder = team.settings.artifacts / f"runs/{run_id}/adapter"
    (folder / "adapter_config.json").unlink()
    target = folder / ("adapter_config.json" if link == "symbolic" else "planted.txt")
    target.symlink_to(outside) if link == "symbolic" else os.link(outside, target)
    for query in ({}, {"file": target.name}):
        answer = team.client.get(f"{API}/artifacts/{artifact}/download", params=query)
        assert answer.status_code == 404
        assert CANARY not in answer.text


def test_no_field_of_the_schema_is_a_path(team: Team) -> None:
    schema = team.app.openapi()["components"]["schemas"]
    allowed = {("InvitationCreated", "path"), ("ShareCreated", "path")}  # addresses on this server
    found = {
        (name, field)
        for name, described in schema.items()
        for field in described.get("properties", {})
        if any(word in field for word in ("path", "folder", "directory", "storage", "filename"))
    }
    assert found <= allowed
