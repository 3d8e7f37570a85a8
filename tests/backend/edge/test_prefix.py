"""Under the path of a proxy: taken off or passed on, the same is answered, and addresses name it."""

from pathlib import Path

from fastapi.testclient import TestClient

from backend.edge.page import SinglePage
from backend.edge.prefix import Prefix
from backend.main import create_app
from backend.shared.settings import Settings
from tests.backend.make_studies import API, study

ROOT = "/tools/dropscope"


def test_the_path_is_taken_off_where_the_proxy_did_not(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(home=tmp_path, root_path=ROOT)), base_url="http://127.0.0.1") as client:
        for path in (f"{API}/methods", "/healthz"):
            assert client.get(ROOT + path).text == client.get(path).text
        assert client.get(ROOT + "x/healthz", headers={"Accept": "text/html"}).headers["content-type"] != "text/plain"
        assert client.get(f"{ROOT}/api/v1/nothing").status_code == 404
        made = client.post(f"{ROOT}{API}/studies", json=study())
        assert made.headers["location"] == f"{ROOT}{API}/studies/{made.json()['id']}"
        assert client.get(made.headers["location"]).status_code == 200


def test_the_page_names_its_files_under_the_path(tmp_path: Path) -> None:
    head = '<head>\n<link href="./assets/a.css">'
    (tmp_path / "index.html").write_text(head + '<script src="./assets/a.js"></script></head>')

    async def nothing(*_: object) -> None:
        raise AssertionError

    for root in ("", ROOT):
        app = Prefix(SinglePage(nothing, tmp_path, root), root) if root else SinglePage(nothing, tmp_path, root)
        for address in ("/", f"{root}/studies/x", f"{root}/"):
            page = TestClient(app).get(address, headers={"Accept": "text/html"}).text
            assert f'href="{root}/assets/a.css"' in page
            assert f'src="{root}/assets/a.js"' in page
            assert f'<meta name="dropscope-root" content="{root}" />' in page
