"""One writer of T16, as a process: reads a number, adds one and writes it back, through the product's own sessions."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    from backend.shared.database import open_database
    from backend.shared.settings import Settings
    from backend.shared.tables import Study

    study_id, times = sys.argv[1], int(sys.argv[2])
    database = open_database(Settings())
    for _ in range(times):
        with database.write() as session:
            study = session.get_one(Study, study_id)
            study.priority = study.priority + 1
    database.close()


if __name__ == "__main__":
    main()
