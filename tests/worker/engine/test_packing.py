"""Packed batches give what padded ones give, in every supported family, padded left or right."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.pytorch_utils import Conv1D

from tests.worker.models.tiny import DECODERS, tiny_config
from worker.data.rows import Rows
from worker.engine.batches import Reading, make_batch
from worker.engine.packing import LENGTH_MULTIPLE, TOKEN_MULTIPLE, make_layout
from worker.engine.pass_state import Adapter
from worker.engine.single.passes import Host

FAMILIES = (
    "bert",
    "roberta",
    "xlm-roberta",
    "electra",
    "distilbert",
    "gpt2",
    "gpt_neox",
    "opt",
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "smollm3",
    "phi3",
)
ROTARY = ("gpt_neox", "llama", "mistral", "qwen2", "qwen3", "smollm3", "phi3")
LENGTHS = (5, 9, 17, 1, 12, 33)


def some_rows(causal: bool = False) -> Rows:
    maker = np.random.default_rng(0)
    ids = [maker.integers(4, 32, n).astype(np.int32) for n in LENGTHS]
    types = [np.array([0] * (n // 2) + [1] * (n - n // 2), dtype=np.int32) for n in LENGTHS]
    starts = np.array([n // 2 for n in LENGTHS]) if causal else None
    return Rows(ids, np.array([0, 1, 2, 0, 1, 2]), None if causal else types, starts)


def padded(rows: Rows, left: bool) -> dict[str, torch.Tensor]:
    """The same rows as a rectangle."""
    width = max(LENGTHS) + 2
    found = {name: torch.zeros(len(LENGTHS), width, dtype=torch.long) for name in ("input_ids", "attention_mask")}
    for at, ids in enumerate(rows.input_ids):
        span = slice(width - len(ids), width) if left else slice(0, len(ids))
        found["input_ids"][at, span] = torch.from_numpy(ids).long()
        found["attention_mask"][at, span] = 1
    return found


def test_a_layout_places_every_token_once_and_rounds_its_sizes() -> None:
    layout = make_layout(LENGTHS)
    total = sum(LENGTHS)
    assert layout.tokens % TOKEN_MULTIPLE == 0
    assert all(group.length % LENGTH_MULTIPLE == 0 for group in layout.groups)
    assert sorted(row for group in layout.groups for row in group.rows) == list(range(len(LENGTHS)))
    assert torch.equal(layout.to_padded[layout.to_packed[:total]], torch.arange(total))
    assert layout.positions[:total].tolist() == [place for n in LENGTHS for place in range(n)]
    assert layout.first.tolist() == [0, 5, 14, 31, 32, 44]
    assert layout.last.tolist() == [4, 13, 30, 31, 43, 76]


@given(st.lists(st.integers(1, 70), min_size=1, max_size=40))
def test_dummies_and_padding_never_meet_a_real_token(lengths: list[int]) -> None:
    layout = make_layout(lengths)
    total = sum(lengths)
    real = torch.cat([group.visible.reshape(-1) for group in layout.groups])
    assert int(real.sum()) == total
    assert bool(real[layout.to_packed[:total]].all())
    assert not bool(real[layout.to_packed[total:]].any())
    assert bool((layout.to_padded[~real] >= total).all())
    assert bool((layout.to_padded[real] < total).all())


@pytest.mark.parametrize(("family", "left"), [(name, False) for name in FAMILIES] + [(name, True) for name in ROTARY])
def test_packed_logits_equal_padded_ones(family: str, left: bool) -> None:
    config = tiny_config(family)
    config.num_labels, config.pad_token_id = 3, 0
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    rows, inputs = with_segments(some_rows(), left, int(getattr(config, "type_vocab_size", 0)))
    with torch.no_grad():
        expected = model(**inputs).logits
    head = [name for name, _ in model.named_parameters() if name.startswith(("classifier", "score", "pre_classifier"))]
    reading = Reading("classification", family in DECODERS, 0)
    host = Host(model, reading, adapted(model), head)
    with torch.no_grad():
        features = host.features(make_batch(rows, np.arange(len(LENGTHS)), reading), silent(host), None)
        logits = host.logits(features, {name: model.get_parameter(name) for name in head}, None)
    torch.testing.assert_close(logits, expected, atol=2e-6, rtol=1e-5)
    assert (host.encoder is not None) == (family in ("bert", "roberta", "xlm-roberta"))


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen2"])
def test_packed_completions_equal_padded_ones(family: str) -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(tiny_config(family)).eval()
    rows = some_rows(causal=True)
    with torch.no_grad():
        expected = model(**padded(rows, left=False)).logits
    reading = Reading("causal_lm", True, 0)
    host = Host(model, reading, adapted(model), ())
    batch = make_batch(rows, np.arange(len(LENGTHS)), reading)
    with torch.no_grad():
        logits = host.logits(host.features(batch, None, None), {}, None)
    at = 0
    for row, length in enumerate(LENGTHS):
        for place in range(max(1, length // 2), length):  # each completion token, from the place before it
            assert int(batch.labels[at]) == int(rows.input_ids[row][place])
            torch.testing.assert_close(logits[at], expected[row, place - 1], atol=2e-6, rtol=1e-5)
            at += 1
    assert at == len(logits)


def with_segments(rows: Rows, left: bool, segments: int) -> tuple[Rows, dict[str, torch.Tensor]]:
    """Rows and padded inputs with token types, where the model has as many as two."""
    inputs = padded(rows, left)
    if segments < 2 or rows.token_type_ids is None:
        return Rows(rows.input_ids, rows.labels), inputs
    types = torch.zeros_like(inputs["input_ids"])
    for at, found in enumerate(rows.token_type_ids):
        types[at, : len(found)] = torch.from_numpy(found).long()
    return rows, inputs | {"token_type_ids": types}


def adapted(model: torch.nn.Module) -> list[str]:
    """Names of the first layer's linear modules."""
    found = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear | Conv1D) and ".0." in n]
    return [name for name in found if "classifier" not in name]


def silent(host: Host) -> tuple[Adapter, ...]:
    """Adapters that add nothing."""
    return tuple(
        Adapter(torch.ones(2, into), torch.zeros(out, 2), 1.0) for out, into in (t.shape for t in host.targets)
    )
