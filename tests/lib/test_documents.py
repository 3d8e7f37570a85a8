"""Rows that hold several texts one behind the other, told by position ids: each is dropped in as if it stood alone."""

from typing import Any

import pytest
import torch
from transformer_dropout import PRESETS, DropoutSpec, Site, preset
from transformer_dropout.hf import inject_dropout
from transformer_dropout.masks import Rows

from tests.lib.tiny import language_model

LENGTHS = (5, 9, 4)
NAMES = [name for name, found in PRESETS.items() if not name.startswith("adapter") and found.default_rate] + ["neftune"]
MORE = {
    "per row": DropoutSpec((Site("attention_logits", "span", 0.4, layers="all", per_row=True, keep_first=True),)),
    "diagonal": DropoutSpec((Site("attention_logits", "column", 0.6, layers="all", keep_diagonal=True),)),
    "pairs, diagonal": DropoutSpec((Site("attention_weights", "element", 0.6, "inverted", "all", keep_diagonal=True),)),
    "scaled span": DropoutSpec((Site("hidden", "span", 0.4, "normalized", "all"),)),
    "first": DropoutSpec((Site("input", "column", 0.6, keep_first=True),)),
    "windows": DropoutSpec((Site("attention_logits", "column", 0.5, layers="all", window=2),)),
}


def texts() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(3, 60, (n,), generator=generator) for n in LENGTHS]


def padded() -> dict[str, torch.Tensor]:
    ids = torch.nn.utils.rnn.pad_sequence(texts(), batch_first=True)
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


def packed(rows: int = 1) -> dict[str, torch.Tensor]:
    """The texts in one row, or in two rows of nine tokens (5 + 4, and 9)."""
    order = texts() if rows == 1 else [texts()[0], texts()[2], texts()[1]]
    places = torch.cat([torch.arange(len(text)) for text in order])
    return {"input_ids": torch.cat(order).view(rows, -1), "position_ids": places.view(rows, -1)}


def run(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    found: torch.Tensor = model(**inputs, use_cache=False).logits
    return found


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2"])
@pytest.mark.parametrize("name", [*NAMES, *MORE])
def test_packed_texts_are_dropped_in_as_padded_ones(name: str, family: str) -> None:
    spec = MORE[name] if name in MORE else preset(name) if name == "neftune" else preset(name, rate=0.4)
    model, real = language_model(family).train(), padded()["attention_mask"] == 1
    with inject_dropout(model, spec, generator_seed=5) as injection:
        one = run(model, padded())[real]
        injection.step = -1
        two = run(model, packed())[0]
    torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("family", ["gpt2", "phi3"])
def test_native_dropout_of_packed_texts(family: str) -> None:
    options = {"resid_pdrop": 0.3} | ({"attn_pdrop": 0.2} if family == "gpt2" else {"attention_dropout": 0.2})
    options |= {"embd_pdrop": 0.0} if family == "gpt2" else {}
    model, real = language_model(family, **options).train(), padded()["attention_mask"] == 1
    with inject_dropout(model, preset("native_dropout"), generator_seed=5) as injection:
        one = run(model, padded())[real]
        injection.step = -1
        two = run(model, packed())[0]
    torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-3)


def test_two_rows_of_texts() -> None:
    model = language_model("llama").train()
    order = [texts()[0], texts()[2], texts()[1]]
    ids = torch.nn.utils.rnn.pad_sequence(order, batch_first=True)
    with inject_dropout(model, DropoutSpec(preset("hiddenkey_minus", rate=0.4).sites), generator_seed=5) as injection:
        one = run(model, {"input_ids": ids, "attention_mask": (ids != 0).long()})[ids != 0]
        injection.step = -1
        two = run(model, packed(2)).flatten(0, 1)
    torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-3)


def test_every_text_loses_its_span() -> None:
    """Over the whole row a span of 10 % would spare most texts."""
    site = Site("hidden", "span", 0.1, layers=(0,))
    model = language_model("llama").train()
    module = model.model.layers[0].mlp.down_proj
    seen: list[torch.Tensor] = []
    with inject_dropout(model, DropoutSpec((site,)), generator_seed=5):
        handle = module.register_forward_hook(lambda _, args, out: seen.append((out == 0).all(-1)[0]))
        for _ in range(5):
            run(model, packed())
        handle.remove()
    for lost in seen:
        assert [part.sum().item() for part in lost.split(LENGTHS)] == [1, 1, 1]


def test_positions_that_only_count_on_are_one_text() -> None:
    assert Rows.documents(torch.arange(6)[None]) is None
    assert Rows.documents(torch.arange(4, 10).expand(2, -1)) is None
    assert Rows.documents(torch.tensor([[0, 1, 0, 1, 2, 0]])) == Rows((2, 3, 1))
    assert Rows.documents(torch.tensor([[0, 1, 2], [0, 0, 1]])) == Rows((3, 1, 2))
