"""Odd requests without end: schemathesis against a real server, as admin, member, viewer and nobody.

`python -m tests.team.fuzz [--requests 10000] [--seed N] [--only ROLE]`; exit code 0 when no answer was a 5xx or off the
schema, no route let in whom it should not, the process did not grow, and the credentials did open doors. Requests are
counted by the server, not by the client.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from backend.accounts.principal import Role
from backend.embedded import web_server
from backend.migrations.runner import migrate
from backend.shared.settings import Settings
from tests.backend.make_studies import post, train
from tests.team.people import Team, serving

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,unsupported_method,ignored_auth,object_level_authorization,use_after_free"
)
ENDLESS = ("studies_stream", "shared_stream")
LARGEST_GROWTH_MIB = 200
WHO = ("admin", "member", "viewer", "anonymous")
_ROLES: dict[str, Role] = {"admin": "admin", "member": "member", "viewer": "viewer"}
EXAMPLES = 13  # of an operation, a turn


@dataclass
class Counted:
    """ASGI middleware of the outside: how many requests came, and what they were answered."""

    app: Any
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on and count."""

        async def look(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[message["status"]] += 1
                if message["status"] >= 500 and message["status"] != 503:
                    self.failures.append(f"{message['status']} {scope['method']} {scope['path']}")
            await send(message)

        await self.app(scope, receive, look)


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, Counted, Team]]:
    """A server with accounts, one finished study and a share of it."""
    settings = Settings(home=folder)
    migrate(settings)
    with serving(settings) as team:
        counted = Counted(team.app)
        listening = web_server.bind("127.0.0.1", 0)
        running = web_server.WebServer(counted, listening, "ERROR", team.app.state.watch.end_soon)
        running.start()
        try:
            yield web_server.address(listening, "127.0.0.1"), counted, team
        finally:
            running.stop()


def attack(url: str, headers: dict[str, str], phases: str, examples: int, seed: int, report: Path) -> bool:
    """Run schemathesis once; whether every check held. Its report is printed where one did not."""
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{url}/api/v1/openapi.json"]
    command += ["--checks", CHECKS, "--phases", phases, "--max-examples", str(examples)]
    command += ["--seed", str(seed), "--no-shrink", "--continue-on-failure", "--warnings", "off", "--no-color"]
    command += [
        "--generation-with-security-parameters",
        "false",
        "--suppress-health-check",
        "all",
        "--generation-database",
        ":memory:",
        "--request-timeout",
        "30",
    ]
    for operation in (*ENDLESS, "auth_logout"):
        command += ["--exclude-operation-id", operation]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=report.parent)
    report.write_text(done.stdout + done.stderr)
    return done.returncode == 0


def main(requests: int, seed: int, out: Any = sys.stdout, who: Sequence[str] = WHO) -> int:
    """Attack as these people until that many requests were answered; return the exit code.

    Under 2,500 requests for each of them the phases that go through every odd value of every parameter, and through
    sequences of operations, are left out.
    """
    thorough = requests >= 2500 * len(who)
    phases = "examples,coverage,fuzzing,stateful" if thorough else "examples,fuzzing"
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (url, counted, team):
        team.client.headers.update(team.person("member").headers)
        post(team.client, seeds=1)
        train(team.database, team.settings.home)
        before, held, turn = psutil.Process().memory_info().rss, True, 0
        answered: dict[str, Counter[int]] = {one: Counter() for one in who}
        while sum(counted.statuses.values()) < requests or turn < len(who):
            one = who[turn % len(who)]
            report, so_far = Path(folder) / f"{turn}-{one}.txt", counted.statuses.copy()
            if not attack(url, _headers(team, one, url), phases, EXAMPLES, seed + turn, report):
                held = False
                out.write(f"as {one}, seed {seed + turn}:\n{report.read_text()[-6000:]}\n")
            answered[one] += counted.statuses - so_far
            out.write(f"{sum(counted.statuses.values())} requests after {one}: {dict(sorted(answered[one].items()))}\n")
            out.flush()
            turn += 1
        grown = (psutil.Process().memory_info().rss - before) / 2**20
    doors_open = all(one == "anonymous" or counts[401] < counts.total() / 3 for one, counts in answered.items())
    out.write(f"{sum(counted.statuses.values())} requests; by status {dict(sorted(counted.statuses.items()))}; ")
    out.write(f"the server grew by {grown:.0f} MiB\n")
    for failure in counted.failures:
        out.write(f"{failure}\n")
    return 0 if held and not counted.failures and doors_open and grown <= LARGEST_GROWTH_MIB else 1


def _headers(team: Team, role: str, url: str) -> dict[str, str]:
    """Of somebody new: whoever attacked before may have deactivated all others."""
    if role == "anonymous":
        return {}
    return {"Cookie": team.person(_ROLES[role]).headers["Cookie"], "Origin": url}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=WHO, help="attack as this one alone, for a part of the whole")
    arguments = parser.parse_args()
    sys.exit(main(arguments.requests, arguments.seed, who=[arguments.only] if arguments.only else WHO))
