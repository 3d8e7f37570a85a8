"""A real nginx in front of the service: TLS, and the product under a path of its own."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from backend.embedded.web_server import bind

CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location {path}/ {{
      proxy_pass http://127.0.0.1:{upstream}{stripped};
      proxy_http_version 1.1; proxy_buffering off; client_max_body_size 1g;
      proxy_set_header Host $host:$server_port;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""
SUBJECT = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with bind("127.0.0.1", 0) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def nginx(folder: Path, port: int, upstream: int, path: str, *, strips: bool) -> Iterator[str]:
    """Serve what listens at `upstream` under https and a path, which is taken off on the way where it `strips`.

    Yields the address; the test is skipped where there is no nginx.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or shutil.which("openssl") is None:
        pytest.skip("no nginx is installed; scripts/browser brings Debian's")
    folder.mkdir(parents=True)
    pair = ("-keyout", folder / "key.pem", "-out", folder / "cert.pem")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *map(str, pair), *SUBJECT]
    subprocess.run(made, check=True, capture_output=True)
    told = CONFIG.format(folder=folder, port=port, upstream=upstream, path=path, stripped="/" if strips else "")
    (folder / "nginx.conf").write_text(told)
    process = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        yield _answering(f"https://127.0.0.1:{port}{path}", process)
    finally:
        process.terminate()
        process.wait(20)


def _answering(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(100):
        try:
            if httpx.get(f"{url}/healthz", verify=False).status_code == 200:  # its own certificate
                return url
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("nginx does not answer; see its error.log")
