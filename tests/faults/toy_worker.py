"""A real worker, but for its trainer, which is the toy: `python toy_worker.py DRAIN_S`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    from backend.shared.settings import Settings
    from worker.celery_app import run_worker

    toy = (sys.executable, str(ROOT / "tests" / "worker" / "toy_trainer.py"))
    run_worker(Settings(), float(sys.argv[1]), toy)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
