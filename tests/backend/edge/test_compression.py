"""Answers come as small as the client takes them, and say the same in every coding."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard
from fastapi.testclient import TestClient
from starlette.testclient import TestClient as Plain

from backend.edge.page import SinglePage
from tests.backend.make_studies import API, post

UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}


def raw(client: TestClient, path: str, taken: str | None, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer and its body as it was sent."""
    asked = {"Accept-Encoding": taken or "identity", **headers}
    with client.stream("GET", path, headers=asked) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("coding", UNPACK)
def test_an_answer_says_the_same_in_every_coding_and_is_smaller(client: TestClient, coding: str) -> None:
    study = post(client)["id"]
    path = f"{API}/studies/{study}/comparison"
    plain, body = raw(client, path, None)
    packed, small = raw(client, path, coding)
    assert plain.headers.get("content-encoding") is None
    assert packed.headers["content-encoding"] == coding
    assert UNPACK[coding](small) == body
    assert len(small) < len(body) / 2
    assert "accept-encoding" in packed.headers["vary"].lower()
    again, nothing = raw(client, path, coding, **{"If-None-Match": packed.headers["etag"]})
    assert (again.status_code, nothing) == (304, b"")
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["etag"].startswith("W/"), "one tag for several byte strings is a weak one"


@pytest.mark.parametrize(("taken", "sent"), [("gzip;q=0, br", "br"), ("br;q=0.0, *", "zstd"), ("deflate", None)])
def test_what_a_client_refuses_is_not_sent(client: TestClient, taken: str, sent: str | None) -> None:
    answer, _ = raw(client, f"{API}/openapi.json", taken)
    assert answer.headers.get("content-encoding") == sent


def test_small_answers_stay_as_they_are(client: TestClient) -> None:
    answer, body = raw(client, "/healthz", "gzip, br, zstd")
    assert answer.headers.get("content-encoding") is None
    assert json.loads(body)["status"] == "ok"


@pytest.fixture
def page(tmp_path: Path) -> Plain:
    """A built page: one script with both codings, one with none."""
    (tmp_path / "index.html").write_text("<html></html>")
    (tmp_path / "assets").mkdir()
    script = b"console.log(1);" * 200
    for name in ("both.js", "none.js"):
        (tmp_path / "assets" / name).write_bytes(script)
    (tmp_path / "assets" / "both.js.br").write_bytes(brotli.compress(script))
    (tmp_path / "assets" / "both.js.gz").write_bytes(gzip.compress(script))

    async def nothing(scope: object, receive: object, send: object) -> None:
        raise AssertionError("the page answers this")

    return Plain(SinglePage(nothing, tmp_path))


@pytest.mark.parametrize(
    ("name", "taken", "sent"),
    [
        ("both.js", "gzip, deflate, br, zstd", "br"),
        ("both.js", "gzip, deflate", "gzip"),
        ("both.js", "*", "br"),
        ("both.js", "br;q=0, gzip", "gzip"),
        ("both.js", "", None),
        ("none.js", "gzip, br", None),
    ],
)
def test_built_files_are_sent_as_the_build_compressed_them(page: Plain, name: str, taken: str, sent: str) -> None:
    answer, body = raw(page, f"/assets/{name}", taken)
    assert answer.headers.get("content-encoding") == sent
    assert (UNPACK[sent](body) if sent else body) == b"console.log(1);" * 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]
    again, nothing = raw(page, f"/assets/{name}", taken, **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, nothing) == (304, b"")
