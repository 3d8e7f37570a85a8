"""How many slots fit, from two looks at a step, and what counts as running out of memory."""

import pytest
import torch

from worker.engine.failures import is_out_of_memory
from worker.engine.stacked.memory import slots_that_fit


@pytest.mark.parametrize(
    ("fixed", "each", "room", "expected"),
    [(100, 50, 1000, 18), (0, 10, 100, 10), (100, 50, 149, 1), (100, 50, 200, 2), (100, 50, 0, 1)],
)
def test_as_many_slots_as_their_steps_fit_into_the_room(fixed: int, each: int, room: int, expected: int) -> None:
    asked: list[int] = []

    def peak(slots: int) -> int:
        asked.append(slots)
        return fixed + each * slots

    assert slots_that_fit(peak, room) == expected
    assert asked == [1, 2]
    assert expected == 1 or peak(expected) <= room < peak(expected + 1)


def test_where_two_do_not_fit_one_is_trained_alone() -> None:
    def peak(slots: int) -> int:
        if slots > 1:
            raise torch.OutOfMemoryError("planted")
        return 10

    assert slots_that_fit(peak, 1000) == 1


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_a_gpu_says_in_several_ways_that_its_memory_is_out(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
