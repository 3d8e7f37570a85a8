"""`make studies`: the paper's question on three small tasks, through the product itself, with what held and what not.

MiniLM on sst2 (512 rows), mrpc (512) and cola (1,024), 128 steps of 16, six arms and eight seeds. A method that has
a rate is trained at each of RATES; the rate is chosen on validation rows and reported on test rows. Data sets are
read from ../shared/data, which is not part of the project. Writes one JSON a study and a page of tables and figures.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.e2e.stack import Stack, start

DATA = Path(os.environ.get("DROPSCOPE_STUDY_DATA", Path(__file__).parents[3] / "shared" / "data"))
RATES = [0.05, 0.15]
# rows to train on, held-out rows to choose on, held-out rows to report on, longest text
TASKS = {"sst2": (512, 360, 512, 64), "mrpc": (512, 160, 248, 96), "cola": (1024, 400, 640, 32)}
METHODS: list[dict[str, Any]] = [
    {"method": "none"},
    {"method": "native_dropout"},
    {"method": "adapter_dropout", "rate": RATES},
    {"method": "hiddenkey", "rate": RATES},
]


def study(task: str, seeds: int) -> dict[str, Any]:
    """The study of one task: 128 steps of 16 whatever the number of rows."""
    rows, validation, test, length = TASKS[task]
    return {
        "name": f"{task}: rates chosen on validation rows",
        "model": "minilm-l6",
        "dataset": task,
        "train_rows": rows,
        "validation_rows": validation,
        "test_rows": test,
        "lora": {"rank": 8, "alpha": 16, "target_modules": ["query", "value"]},
        "training": {
            "epochs": 128 * 16 / rows,
            "batch_size": 16,
            "learning_rate": 2e-3,
            "weight_decay": 0.1,
            "max_length": length,
            "evaluations": 4,
            "fp32_loss": False,  # no adapter is held against it here, and it is a seventh of a run's time
        },
        "seeds": seeds,
        "baseline": "none",
        "arms": METHODS,
    }


def add(stack: Stack, task: str) -> None:
    """Add a data set by the command line, as a person would."""
    import subprocess

    folder = DATA / task
    command = [str(Path(sys.executable).parent / "dropscope"), "data", "add", str(folder / "train.jsonl")]
    command += ["--validation", str(folder / "validation.jsonl"), "--name", task, "--task", "classification"]
    subprocess.run(command, env=stack.environment, check=True)


def run(stack: Stack, task: str, seeds: int, folder: Path) -> dict[str, Any]:
    """Train the study of a task to its end; its comparison, also kept as a file."""
    begun = time.monotonic()
    study_id = stack.queue(study(task, seeds))
    ended = stack.wait(study_id, timeout_s=4 * 3600)
    print(f"{task}: {ended['counts']} in {time.monotonic() - begun:.0f} s", flush=True)
    with stack.http as http:
        answer = http.get(f"/api/v1/studies/{study_id}/comparison", params={"metric": "validation/loss"})
        by_score = http.get(f"/api/v1/studies/{study_id}/comparison", params={"metric": SCORE[task]})
    found = {"loss": answer.json(), "score": by_score.json(), "seconds": time.monotonic() - begun}
    (folder / f"{task}.json").write_text(json.dumps(found))
    return found


SCORE = {"sst2": "validation/accuracy", "mrpc": "validation/accuracy", "cola": "validation/matthews"}


def main() -> None:
    """Run all studies and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.studies", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--out", type=Path, default=Path("build/studies"))
    parser.add_argument("--page-only", action="store_true", help="write the page from the files of an earlier run")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    if not asked.page_only:
        if not DATA.is_dir():
            sys.exit("make studies reads ../shared/data (sst2, mrpc, cola), which is not here.")
        with tempfile.TemporaryDirectory(prefix="dropscope-studies-", ignore_cleanup_errors=True) as home:
            stack = start(Path(home))
            try:
                for task in asked.tasks:
                    add(stack, task)
                for task in asked.tasks:
                    run(stack, task, asked.seeds, asked.out)
            finally:
                stack.process.terminate()
                stack.process.wait(60)
    from tests.studies.page import write_page

    write_page(asked.out)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
