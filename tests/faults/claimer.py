"""One claimer of T7, as a process: claims from a database until nothing waits, and prints what it got.

Between claims it rests for up to 20 ms, where a worker would train: eight processes without any rest hold SQLite's lock
all of the time, and its way of waiting, by polling, is then not fair.
"""

import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    from backend.shared.database import open_database
    from backend.shared.process import this_process
    from backend.shared.settings import Settings
    from backend.shared.store import queue, workers

    database = open_database(Settings())
    with database.write() as session:
        worker_id = workers.register(session, this_process(), "cpu", "0")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    pack_size = int(os.environ["PACK_SIZE"])
    while True:
        with database.write() as session:
            pack = queue.claim_pack(session, worker_id, pack_size, 30)
            workers.release(session, worker_id)
        if pack is None:
            break
        time.sleep(random.random() / 50)
        for run in pack.runs:
            sys.stdout.write(f"{run.run_id} {run.fence}\n")
    database.close()


if __name__ == "__main__":
    main()
