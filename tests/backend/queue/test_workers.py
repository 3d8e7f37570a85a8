"""Workers' rows do not pile up: each start makes one, and a machine is started often."""

from sqlalchemy import func, select

from backend.shared.database import Database
from backend.shared.process import ProcessId, this_process
from backend.shared.store import workers
from backend.shared.tables import Worker


def test_only_the_last_of_those_that_stopped_are_kept(database: Database) -> None:
    with database.write() as session:
        alive = workers.register(session, this_process(), "cpu", "test")
    for number in range(workers.STOPPED_KEPT + 20):
        with database.write() as session:
            newest = workers.register(session, ProcessId("host", number + 2, 1.0), "cpu", "test")
            workers.stop(session, newest)
    with database.read() as session:
        assert (session.scalar(select(func.count()).select_from(Worker)) or 0) <= workers.STOPPED_KEPT + 3
        assert [worker.id for worker in workers.running(session)] == [alive]
        assert session.get(Worker, newest) is not None
