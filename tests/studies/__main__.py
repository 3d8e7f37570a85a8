"""`make studies`: the paper's question on three small tasks, through the product itself, with what held and what not.

MiniLM on 256 rows of sst2, mrpc and trec6, eight epochs (128 steps of 16), eight arms and six seeds, one look of a
plan. A method that has a rate is trained at each of RATES, and plain LoRA at half its learning rate and three times its
weight decay as well: each method's setting is chosen on validation rows and reported on test rows, at the last step
and stopped in time. Data sets are read from ../shared/data, which is not part of the project. Writes one JSON a study
and a page of tables and one figure.
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
# rows held out to choose on, rows held out to report on, longest text
TASKS = {"sst2": (360, 512, 64), "mrpc": (160, 248, 96), "trec6": (200, 300, 32)}
ROWS, EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 256, 8, 16, 2e-3, 0.1
METHODS: list[dict[str, Any]] = [
    {"method": "none"},
    {"method": "native_dropout"},
    {"method": "adapter_dropout", "rate": RATES},
    {"method": "hiddenkey", "rate": RATES},
    {"method": "none", "learning_rate": LEARNING_RATE / 2, "label": "half the learning rate"},
    {"method": "none", "weight_decay": 3 * WEIGHT_DECAY, "label": "three times the weight decay"},
]
CLOCKS = ("last", "stopped")


def study(task: str, seeds: int) -> dict[str, Any]:
    """The study of one task: 128 steps of 16 whatever the number of rows."""
    validation, test, length = TASKS[task]
    return {
        "name": f"{task}: settings chosen on validation rows",
        "model": "minilm-l6",
        "dataset": task,
        "train_rows": ROWS,
        "validation_rows": validation,
        "test_rows": test,
        "lora": {"rank": 8, "alpha": 16, "target_modules": ["query", "value"]},
        "training": {
            "epochs": EPOCHS,
            "batch_size": BATCH,
            "learning_rate": LEARNING_RATE,
            "weight_decay": WEIGHT_DECAY,
            "max_length": length,
            "evaluations": 8,
            "fp32_loss": False,  # no adapter is held against it here, and it is a seventh of a run's time
        },
        "seeds": seeds,
        "baseline": "No dropout",
        "plan": {"metric": "test/loss", "smallest": 0.02},
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
    found: dict[str, Any] = {"seconds": time.monotonic() - begun}
    with stack.http as http:
        for clock in CLOCKS:
            for name, metric in (("loss", "validation/loss"), ("score", "validation/accuracy")):
                asked = {"metric": metric, "clock": clock, "curves": "false"}
                answer = http.get(f"/api/v1/studies/{study_id}/comparison", params=asked)
                answer.raise_for_status()
                found[f"{name}_{clock}"] = answer.json()
    (folder / f"{task}.json").write_text(json.dumps(found))
    return found


def main() -> None:
    """Run all studies and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.studies", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=6)
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
