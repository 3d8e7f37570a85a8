"""What a row's masks depend on besides its own tokens: how many stand before it. Rows behind it change nothing."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_dropout import DropoutSpec, Site, preset
from transformer_dropout.hf import inject_dropout
from transformer_dropout.masks import (
    Draw,
    Rows,
    attention_keep,
    embedding_noise,
    head_keep,
    native_attention_keep,
    native_keep,
    vector_keep,
)

from tests.lib.test_masks import ATTENTIONS, VECTORS
from tests.lib.tiny import batch, classifier

KINDS = [*VECTORS, *ATTENTIONS, "noise", "native", "native attention", "head"]
DEVICES = ["cpu", "cpu:0"]  # the second takes the stream of other devices


def masks(kind: Site | str, draw: Draw, lengths: tuple[int, ...]) -> list[torch.Tensor]:
    """The mask of every row by itself."""
    rows, heads, features = Rows(lengths), 3, 4
    if kind == "head":
        keep = head_keep(Site("output", "element", 0.4), 0.4, draw, len(lengths), features).keep
        return list(keep)
    if kind == "native attention" or (isinstance(kind, Site) and kind.position.startswith("attention")):
        found = (
            attention_keep(kind, 0.4, draw, 2, rows, heads)
            if isinstance(kind, Site)
            else native_attention_keep(draw, 2, 0.4, rows, heads)
        )
        return [found.padded((b,), max(1, n)) for b, n in enumerate(lengths)]
    if kind == "noise":
        return list(embedding_noise(5.0, draw, rows, features).split(lengths))
    if kind == "native":
        flat = torch.Size((rows.total, features))
        return list(native_keep(draw, 7, 0, 0.4, rows, flat).split(lengths))
    assert isinstance(kind, Site)
    return list(vector_keep(kind, 0.4, draw, 2, rows, features).keep.split(lengths))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=10)
@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5), step=st.integers(0, 1000))
def test_rows_behind_change_nothing(kind: Site | str, device: str, lengths: list[int], step: int) -> None:
    draw = Draw(11, step, device=device)
    whole = masks(kind, draw, tuple(lengths))
    for last in range(1, len(lengths) + 1):
        for alone, beside in zip(masks(kind, draw, tuple(lengths[:last])), whole, strict=False):
            assert torch.equal(alone, beside)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_same_row_twice_draws_twice(kind: Site | str, device: str) -> None:
    """A row is not known by its text: repeats in a batch must not lose the same tokens."""
    seen = [masks(kind, Draw(11, step, device=device), (6, 6, 6)) for step in range(3)]
    assert any(not torch.equal(found[0], found[1]) for found in seen)
    assert any(not torch.equal(found[1], found[2]) for found in seen)


SPECS = {
    "hiddenkey_minus": preset("hiddenkey_minus", rate=0.4),
    "elements": DropoutSpec(
        (
            Site("attention_weights", "element", 0.4, layers="all"),
            Site("input", "span", 0.4),
            Site("output", "element", 0.4),
        )
    ),
    "native": preset("native_dropout"),
    "neftune": preset("neftune"),
}


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("family", ["bert", "llama"])
def test_every_row_of_a_batch_is_dropped_in_as_with_fewer_behind_it(family: str, name: str, left: bool) -> None:
    options = {"attention_dropout": 0.3} if family == "llama" else {}
    model, inputs = classifier(family, **options).train(), batch(rows=4, left=left)

    def logits(rows: dict[str, torch.Tensor]) -> torch.Tensor:
        injection.step = 4
        found: Any = model(**rows).logits
        return found

    with torch.no_grad(), inject_dropout(model, SPECS[name], generator_seed=3) as injection:
        whole = logits(inputs)
        for last in (1, 2, 3):
            fewer = logits({key: values[:last] for key, values in inputs.items()})
            torch.testing.assert_close(fewer, whole[:last], atol=1e-5, rtol=1e-4)
        # a row of the same length before it may hold anything; one of another length moves what it draws
        other = inputs["input_ids"].clone()
        other[0] = other[0].flip(0)
        torch.testing.assert_close(logits(inputs | {"input_ids": other})[1:], whole[1:], atol=1e-5, rtol=1e-4)
        swapped = logits({key: values[[1, 0, 2, 3]] for key, values in inputs.items()})
        assert (swapped[:2] - whole[[1, 0]]).abs().amin() > 1e-6
        torch.testing.assert_close(swapped[2:], whole[2:], atol=1e-5, rtol=1e-4)  # as many tokens before them
