"""Attention logits that a model bounds stay bounded where keys are dropped, by key, by pair and by weight."""

import pytest
import torch
from transformer_dropout import DropoutSpec, Site
from transformer_dropout.hf import inject_dropout

from tests.lib.tiny import batch, classifier

BOUND = 0.5  # which every logit feels
LEAST = 1 / 65536  # masks of this rate spare every key here, and go the way of all others
SITES = [
    Site("attention_logits", "column", LEAST, layers="all"),
    Site("attention_logits", "element", LEAST, layers="all"),
    Site("attention_weights", "column", LEAST, layers="all"),
    Site("attention_weights", "element", LEAST, layers="all", rescale="inverted"),
]


def logits(bound: float | None, *sites: Site) -> torch.Tensor:
    model = classifier("gemma2", attn_logit_softcapping=bound, query_pre_attn_scalar=1).train()
    with inject_dropout(model, DropoutSpec(sites), generator_seed=3):
        found: torch.Tensor = model(**batch()).logits.detach()
    return found


@pytest.mark.parametrize("site", SITES, ids=lambda site: f"{site.position} {site.structure}")
def test_the_bound_is_the_models_own(site: Site) -> None:
    assert not torch.allclose(logits(None), logits(BOUND), atol=1e-2)
    torch.testing.assert_close(logits(BOUND, site), logits(BOUND), atol=2e-4, rtol=1e-4)
    assert not torch.equal(
        logits(BOUND, site.__class__(site.position, site.structure, 0.5, layers="all")), logits(BOUND)
    )
