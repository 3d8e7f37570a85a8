"""The processes of a distributed run draw masks of their own, and each the same ones every time."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformer_dropout import preset
from transformer_dropout.hf import inject_dropout

from tests.lib.tiny import batch, classifier


@contextmanager
def process(rank: int, of: int = 4) -> Iterator[None]:
    """Be one process of several, by torch's own group that talks to nobody."""
    torch.distributed.init_process_group("fake", store=FakeStore(), rank=rank, world_size=of)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def outputs(seed: int = 1) -> list[torch.Tensor]:
    """Of two steps with both their passes."""
    model = classifier("bert").train()
    found = []
    with inject_dropout(model, preset("hiddenkey_minus", 0.4), generator_seed=seed) as injection:
        for _ in range(2):
            found.append(model(**batch()).logits.detach())
            with injection.second_pass():
                found.append(model(**batch()).logits.detach())
    return found


def test_ranks_draw_masks_of_their_own() -> None:
    alone = outputs()
    by_rank = []
    for rank in range(3):
        with process(rank):
            by_rank.append(outputs())
            again = outputs()
        assert all(torch.equal(a, b) for a, b in zip(by_rank[-1], again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(by_rank[0], alone, strict=True))  # rank 0 goes on as one process
    for one in range(3):
        for other in range(one):
            assert not any(torch.equal(a, b) for a, b in zip(by_rank[one], by_rank[other], strict=True))
    with process(1):
        other_seed = outputs(seed=2)
    assert not any(torch.equal(a, b) for a, b in zip(by_rank[1], other_seed, strict=True))
