"""The service with a puppet for its worker, for tests of the page and its pictures.

`python -m tests.e2e.page_server FOLDER` serves it to look at.
"""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from backend.accounts.principal import Principal
from backend.embedded.web_server import WebServer, address, bind
from backend.main import create_app
from backend.shared.database import Database, open_database
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.studies import service as studies
from tests.e2e.puppet import Puppet

OWNER = Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")
HOSTILE = "<script>alert(1)</script> שלום " + "a long name 🎛️ " * 9
DEMO = Path(__file__).parents[2] / "docs" / "studies" / "demo.yaml"


@dataclass(frozen=True)
class Served:
    """A running service: its address, its database, and the puppet that plays its worker."""

    url: str
    database: Database
    settings: Settings
    puppet: Puppet

    def queue(self, **changes: Any) -> str:
        """Store the demo study with some parts changed; returns its id."""
        demo = yaml.safe_load(DEMO.read_text())
        demo["training"] |= {"epochs": 8, "evaluations": 8}  # the pages are looked at with this many steps and points
        spec = {**demo, "validation_rows": 256, **changes}
        return studies.create(self.database, self.settings, StudySpec.model_validate(spec), OWNER)


@contextmanager
def served(folder: Path, port: int = 0, *, auth: bool = False, **further: Any) -> Iterator[Served]:
    """Serve from a data folder of its own, on a free port unless one is named. further: settings."""
    settings = Settings(home=folder, port=port, auth=auth, lease_s=600.0, reaper_s=600.0, **further)
    listening = bind("127.0.0.1", port)
    app = create_app(settings)
    web = WebServer(app, listening, "warning", app.state.watch.end_soon)
    web.start()
    database = open_database(settings)
    try:
        yield Served(address(listening, "127.0.0.1"), database, settings, Puppet(database, settings))
    finally:
        database.close()
        web.stop()


def fill(service: Served) -> dict[str, str]:
    """Studies in every state that the page has to show; name → id."""
    made = {"done": service.queue(name="demo")}
    service.puppet.work(failed=frozenset({3}))
    ranks = [8, 32]
    made["ranks"] = service.queue(
        name="ranks and rates 🎛️",
        seeds=6,
        baseline=None,
        arms=[
            {"method": "none", "rank": ranks},
            {"method": "adapter_dropout", "rate": [0.05, 0.1], "rank": ranks},
            {"method": "hiddenkey", "rate": [0.05, 0.1, 0.2], "rank": ranks},
        ],
    )
    service.puppet.work()
    made["one seed"] = service.queue(name="one seed only", seeds=1)
    service.puppet.work()
    made["hostile"] = service.queue(name=HOSTILE, seeds=2)
    service.puppet.work()
    made["running"] = service.queue(name="running now", seeds=3)
    service.puppet.work(packs=1)
    return made


def main() -> None:
    """Serve a filled folder on port 8399 until Enter is pressed; the last study goes on training slowly."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="dropscope-page-"))
    stop = threading.Event()
    with served(folder, 8399) as service:
        if not (folder / "filled").exists():
            fill(service)
            (folder / "filled").touch()
        while not stop.wait(2):
            pack = service.puppet.claim()
            if pack is None:
                continue
            for _ in service.puppet.evaluations(pack):
                stop.wait(1)
            service.puppet.end(pack)


if __name__ == "__main__":
    main()
