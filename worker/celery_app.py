"""The Celery side of a worker: one prefork child that supervises, told by the doorbell to look into the queue.

Messages carry no state and are acknowledged at once; recovery is the lease's and the reaper's work, never the broker's.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from types import FrameType
from typing import Any

import psutil
from celery import Celery, signals
from sqlalchemy.exc import DBAPIError

from backend.shared import doorbell, logs
from backend.shared.addresses import check_worker
from backend.shared.child_process import die_with_parent
from backend.shared.database import open_database
from backend.shared.errors import StartupError, Unavailable
from backend.shared.process import this_host
from backend.shared.settings import Settings
from backend.shared.store import workers
from worker.supervisor.heartbeat import Heartbeat
from worker.supervisor.supervisor import Supervisor
from worker.supervisor.trainer_process import TRAINER

log = logging.getLogger(__name__)
CONFIGURATION: dict[str, Any] = {
    "task_acks_late": False,
    "task_ignore_result": True,
    "result_backend": None,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_default_queue": doorbell.QUEUE,
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    "worker_concurrency": 1,
    "worker_pool": "prefork",
    "worker_send_task_events": False,
    "worker_enable_remote_control": False,
    "worker_hijack_root_logger": False,
    "worker_proc_alive_timeout": 60,  # a child waits for a database that is away before it reports
    "broker_connection_retry_on_startup": True,
    "broker_channel_error_retry": True,  # a broker whose disk is full refuses commands: no reason to end
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 30,
        "visibility_timeout": 3600,
    },
}


class Held:
    """What the supervising child holds from its start to its end, and whether its parent has told it to drain."""

    supervisor: Supervisor | None = None
    heartbeat: Heartbeat | None = None
    told = False


def create_app(settings: Settings, drain_s: float, trainer_command: Sequence[str] = TRAINER) -> Celery:
    """The Celery application of a worker; its only task is `dropscope.look`."""
    app = Celery("dropscope", broker=settings.resolved_broker_url)
    app.conf.update(CONFIGURATION)
    held = Held()

    def ring() -> None:
        """Tell the next idle worker; a lost ring is rung again by the reaper."""

        def send() -> None:
            try:
                doorbell.ring(app)
            except Exception as error:  # whatever the broker's client raises
                log.info("the doorbell could not be rung: %s", error)

        threading.Thread(target=send, name="ring", daemon=True).start()

    def start_child(**_: Any) -> None:
        die_with_parent(signal.SIGKILL, os.getppid())
        database = open_database(settings)  # opened here: connections do not survive a fork
        held.heartbeat = Heartbeat(database, settings, device=_device(), version=_version())
        held.heartbeat.start()  # waits for a database that is away
        held.supervisor = Supervisor(database, settings, held.heartbeat, ring, drain_s, trainer_command)

        def drain(_signal: int, _frame: FrameType | None) -> None:
            assert held.heartbeat is not None
            held.heartbeat.draining = True

        signal.signal(signal.SIGTERM, drain)  # sent to a whole control group, for example by systemd
        held.supervisor.warm_up()

    def stop_child(**_: Any) -> None:
        if held.supervisor is not None and held.heartbeat is not None:
            held.supervisor.close()
            held.heartbeat.stop()

    def look() -> None:
        """Claim and train until nothing waits; lost or told twice, it changes nothing."""
        if held.supervisor is not None:
            held.supervisor.look()

    def shutting_down(**_: Any) -> None:
        """In the parent, at each SIGTERM: Celery tells nobody else, so the word goes through the database, once.

        In a thread, as a signal handler is entered again by the next signal (a dying parent sends several): the second
        would wait for the lock that the first one holds.
        """
        if not held.told:
            held.told = True
            children = [child.pid for child in psutil.Process().children()]
            threading.Thread(target=tell, args=(children,), name="drain", daemon=True).start()

    def tell(children: list[int]) -> None:
        database = open_database(settings)
        try:
            with database.write() as session:
                workers.drain(session, this_host(), children)
        except (Unavailable, DBAPIError) as error:
            log.warning("could not mark the worker as draining: %s", error)
        finally:
            database.close()

    signals.worker_process_init.connect(start_child, weak=False)
    signals.worker_process_shutdown.connect(stop_child, weak=False)
    signals.worker_shutting_down.connect(shutting_down, weak=False)
    app.task(look, name=doorbell.LOOK)
    return app


def run_worker(settings: Settings, drain_s: float, trainer_command: Sequence[str] = TRAINER) -> None:
    """Work until SIGTERM or Ctrl-C; a second signal stops at once."""
    logs.configure([logging.StreamHandler(sys.stderr)], settings.log_level, settings.log_format)
    check_worker(settings)
    _check_database(settings)
    app = create_app(settings, drain_s, trainer_command)
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--hostname=dropscope-{os.getpid()}@{socket.gethostname()}",
            f"--queues={doorbell.QUEUE}",
            "--pool=prefork",
            "--concurrency=1",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            f"--loglevel={settings.log_level}",
        ]
    )


def _check_database(settings: Settings) -> None:
    """Raises StartupError where the database cannot be opened, or has not been set up."""
    database = open_database(settings)
    try:
        with database.read() as session:
            workers.running(session)
    except (Unavailable, DBAPIError) as error:
        why = error.message if isinstance(error, Unavailable) else "it has no table of workers"
        raise StartupError(f"the database cannot be used ({why}); start the web server first: it sets it up") from error
    finally:
        database.close()


def _device() -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return f"cuda:{visible}" if visible else "cpu"


def _version() -> str:
    try:
        return version("dropscope")
    except PackageNotFoundError:
        return "0"
