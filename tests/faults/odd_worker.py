"""A worker that is not quite the real one: `python odd_worker.py DRAIN_S TRAINER`; its trainer may be the toy.

With HOSTILE_BROKER it acknowledges late and its broker delivers what is not acknowledged again after two seconds.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    from backend.shared.settings import Settings
    from worker.celery_app import CONFIGURATION, run_worker
    from worker.supervisor.trainer_process import TRAINER

    if os.environ.get("HOSTILE_BROKER"):
        again = {"visibility_timeout": 2, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
        CONFIGURATION["task_acks_late"] = True
        CONFIGURATION["broker_transport_options"].update(again)

    toy = (sys.executable, str(ROOT / "tests" / "worker" / "toy_trainer.py"))
    run_worker(Settings(), float(sys.argv[1]), toy if sys.argv[2] == "toy" else TRAINER)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
