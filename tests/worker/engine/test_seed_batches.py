"""The batches of a seed: packed once for all its arms, and gone as soon as nobody holds them."""

import gc
import weakref

import numpy as np

from tests.worker.engine.test_packing import LENGTHS, some_rows
from worker.data.draw import SeedData
from worker.engine.batches import Reading
from worker.engine.seed_batches import HeldOut, SeedBatches

READING = Reading("classification", False, 0)


def some_batches(steps: int = 12) -> SeedBatches:
    rows = some_rows()
    data = SeedData(train=rows, validation=rows, probe=rows, test=rows)
    orders = [np.roll(np.arange(len(LENGTHS)), step) for step in range(steps)]
    return SeedBatches(data, orders, READING, HeldOut.of(data, READING), 0)


def test_arms_that_are_a_few_steps_apart_get_the_same_batch() -> None:
    found = some_batches()
    first = [found.batch(step) for step in range(8)]
    assert all(found.batch(step) is first[step] for step in range(8))
    found.batch(8)
    assert found.batch(0) is not first[0], "the batch used longest ago is let go"
    np.testing.assert_array_equal(found.batch(0).examples, first[0].examples)


def test_batches_do_not_wait_for_the_garbage_collector() -> None:
    """A worker goes through many seeds; what waits for the collector comes to a quarter more memory."""
    found = some_batches()
    found.batch(0)
    gone = weakref.ref(found)
    gc.disable()
    try:
        del found
        assert gone() is None
    finally:
        gc.enable()
