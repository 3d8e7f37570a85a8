"""The doorbell as a Celery task: it says "look" and nothing else, so losing or doubling it changes nothing."""

from typing import TYPE_CHECKING

from celery import Celery

from backend.shared.bell import LOOK

if TYPE_CHECKING:
    from worker.celery_app import Held


def add_look(app: Celery, held: "Held") -> None:
    """Register the task that has this process's supervisor claim and train until nothing waits."""

    def look() -> None:
        if held.supervisor is not None:
            held.supervisor.look()

    app.task(look, name=LOOK)
