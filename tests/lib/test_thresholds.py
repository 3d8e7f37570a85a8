"""Of the 65,536 numbers a rate drops exactly its share, rounded to the nearest, whoever made the numbers."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from transformer_dropout.masks import kept

EVERY = torch.arange(1 << 16, dtype=torch.int32)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.int32])
@pytest.mark.parametrize(
    ("rate", "dropped"),
    [
        (0.0, 0),
        (0.1, 6554),
        (0.15, 9830),
        (0.5, 32768),
        (0.9, 58982),
        (1 / 65536, 1),
        (0.4 / 65536, 0),
        (0.99999, 65535),
    ],
)
def test_so_many_numbers_are_dropped(dtype: torch.dtype, rate: float, dropped: int) -> None:
    keep = kept(EVERY.to(dtype), rate)
    assert int((~keep).sum()) == dropped
    assert bool(keep[dropped:].all())  # the lowest ones go: what a low rate drops a high one drops, too


@given(rate=st.floats(0, 1, exclude_max=True))
@example(rate=6553.5 / 65536)
def test_the_share_is_the_nearest_there_is(rate: float) -> None:
    dropped = int((~kept(EVERY, rate)).sum())
    assert abs(dropped - rate * 65536) <= 0.5 or dropped == 65535
    assert int((~kept(EVERY.to(torch.uint16), rate)).sum()) == dropped
