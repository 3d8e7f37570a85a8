"""`python -m worker [--drain-s SECONDS]`: one worker of the queue; people start it as `dropscope worker`."""

import argparse
import sys

from pydantic import ValidationError

from backend.shared.errors import StartupError
from backend.shared.settings import Settings
from worker.celery_app import run_worker


def main() -> int:
    """Work until told to stop; exit code 1 and a sentence where that cannot begin."""
    parser = argparse.ArgumentParser(prog="dropscope worker")
    parser.add_argument("--drain-s", type=float, default=None, help="seconds a drain may take; default: the grace")
    arguments = parser.parse_args()
    try:
        settings = Settings()
        run_worker(settings, settings.cancel_grace_s if arguments.drain_s is None else arguments.drain_s)
    except (StartupError, ValidationError) as error:
        sys.stderr.write(f"dropscope worker: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
