"""How many optimizer steps a run takes; the service and the trainer must agree on it."""


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Batches that one pass over the rows takes; the last one may be smaller."""
    return -(-rows // batch_size)


def total_steps(rows: int, batch_size: int, epochs: float) -> int:
    """Steps of a run; a fraction of an epoch ends it early, and one step is the least."""
    return max(1, round(steps_per_epoch(rows, batch_size) * epochs))
