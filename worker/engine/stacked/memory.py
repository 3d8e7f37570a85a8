"""How many slots a stack may have: two looks at the memory that a step takes."""

from collections.abc import Callable, Sequence

import torch

from worker.engine.batches import Batch
from worker.engine.failures import is_out_of_memory
from worker.engine.slot import Slot
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.random_bits import Stream
from worker.engine.stacked.shape import StackShape, second_pass
from worker.engine.stacked.stack import Stack

SHARE = 0.9  # of what is free; the rest is for evaluations, the fp32 twin's batches and the allocator's gaps
_WAYS = ("none", "detached", "paired")


def slots_that_fit(peak: Callable[[int], int], room: int) -> int:
    """The most slots whose step stays within `room` bytes; peak(n): bytes that a step of n slots takes. At least 1."""
    one = peak(1)
    try:
        two = peak(2)
    except Exception as error:
        if is_out_of_memory(error):
            return 1
        raise
    each = max(1, two - one)
    return max(1, 1 + (room - one) // each)


def measured_slots(host: StackHost, slots: Sequence[Slot], batch: Batch, stream: Stream, reserve: int = 0) -> int:
    """How many slots like the costliest of these fit on a GPU with their largest `batch`; reserve: bytes to leave."""
    device = host.device
    costliest = max(slots, key=lambda slot: (_WAYS.index(second_pass(slot)), len(slot.method.sites), slot.arm.rank))

    def peak(count: int) -> int:
        held = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        several = [costliest] * count
        stack = Stack(host, several, StackShape.of(several), stream)
        stack.tensors.backward(stack.losses(batch, 0).sum())
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - held

    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info(device)[0]
    found = slots_that_fit(peak, int(SHARE * (free - reserve)))
    torch.cuda.empty_cache()
    return found
