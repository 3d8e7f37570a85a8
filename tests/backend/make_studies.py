"""Studies to post, and a worker that trains them in no time through the real queue."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from backend.accounts.principal import Principal
from backend.shared.database import Database
from backend.shared.files import sha256_of
from backend.shared.process import this_process
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.store import endings, queue, records, workers
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.shared.trainer_protocol import Evaluation, Log, Started, Steps
from backend.studies import service as studies

API = "/api/v1"


def study(**changes: Any) -> dict[str, Any]:
    """Two arms, two seeds, on the model and data that come with the product."""
    return {
        "name": "two arms",
        "model": "minilm-l6",
        "dataset": "rotten-tomatoes",
        "train_rows": 64,
        "validation_rows": 32,
        "training": {"epochs": 2, "batch_size": 16},
        "seeds": 2,
        "arms": [{"method": "none"}, {"method": "hiddenkey", "rate": 0.1}],
    } | changes


def post(client: TestClient, **changes: Any) -> dict[str, Any]:
    """Post a study and return the answer's body."""
    answer = client.post(f"{API}/studies", json=study(**changes))
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def make(database: Database, settings: Settings, **changes: Any) -> str:
    """Store a study without the API; return its id."""
    owner = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
    return studies.create(database, settings, StudySpec.model_validate(study(**changes)), owner)


def validation_loss(seed: int, arm: int, step: int) -> float:
    """A curve that turns up in the first arm and falls in the others."""
    return 0.6 + 0.01 * seed + (0.02 * abs(step - 4) if arm == 0 else -0.01 * step)


def train(
    database: Database,
    home: Path,
    loss: Callable[[int, int, int], float] = validation_loss,
    packs: int = 100,
    finish: bool = True,
) -> list[str]:
    """Claim and train up to `packs` packs as a worker would; return the runs' ids in the order they ended."""
    done: list[str] = []
    with database.write() as session:
        worker_id = workers.register(session, this_process(), "cpu", "test")
    for _ in range(packs):
        with database.write() as session:
            pack = queue.claim_pack(session, worker_id, pack_size=12, lease_s=30)
        if pack is None:
            break
        for index, run in enumerate(pack.runs):
            with database.write() as session:
                lost = records.record(session, _reports(run.run_id, run.fence, run.seed, index, loss))
                assert not lost
                if finish:
                    assert endings.finish(
                        session, run.run_id, run.fence, 8, {"flops": 1e9}, [_adapter(home, run.run_id)]
                    )
            done.append(run.run_id)
        if not finish:
            break
        with database.write() as session:
            workers.release(session, worker_id, tokens_per_second=1000.0)
    return done


def _reports(
    run_id: str, fence: int, seed: int, arm: int, loss: Callable[[int, int, int], float]
) -> list[records.Recorded]:
    own: dict[str, Any] = {"run_id": run_id, "fence": fence}
    hooks: tuple[dict[str, object], ...] = ({"position": "hidden", "layers": [3, 4, 5]},)
    started = Started(**own, step=0, total_steps=8, trainable_parameters=99, hooks=hooks, record={"device": "cpu"})
    losses = tuple(1.0 / step if step != 5 else math.nan for step in range(1, 9))
    steps = Steps(**own, first_step=1, losses=losses, seconds_per_step=0.01)
    evaluations = [
        Evaluation(
            **own,
            step=step,
            epoch=step / 4,
            values={
                "validation/loss": loss(seed, arm, step),
                "validation/loss_se": 0.01,
                "validation/accuracy": 0.5 + 0.01 * step,
                "probe/loss": 0.6 - 0.05 * step - 0.001 * seed,
                "train/loss": 0.7,
                "train/seconds": 0.01 * step,
            },
        )
        for step in (2, 4, 6, 8)
    ]
    return [started, steps, *evaluations, Log(**own, level="info", text="trained")]


def _adapter(home: Path, run_id: str) -> endings.NewArtifact:
    key = f"runs/{run_id}/adapter"
    folder = home / "artifacts" / key
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(run_id.encode() * 1000)
    files = {file.name: sha256_of(file) for file in sorted(folder.iterdir())}
    return endings.NewArtifact("adapter", key, files, 2 + 1000 * len(run_id))
