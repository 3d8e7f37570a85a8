"""How the doorbell is rung: one message that says "look", put into the broker's queue only where none waits there yet.

It carries no expiry: that would be told by two machines' clocks, and a worker whose clock is ahead would throw every
ring away. One waiting ring is enough: whoever hears it claims what it can and rings for the next.
"""

from typing import Any

LOOK = "dropscope.look"
QUEUE = "dropscope"


def ring(celery: Any) -> bool:
    """Ring, with a Celery application on a Redis or Valkey broker; False where a ring waits already.

    Raises whatever the broker's client raises.
    """
    with celery.pool.acquire(block=True, timeout=5) as connection:
        if connection.default_channel.client.llen(QUEUE):
            return False
        celery.send_task(LOOK, queue=QUEUE, retry=False, ignore_result=True, connection=connection)
    return True
