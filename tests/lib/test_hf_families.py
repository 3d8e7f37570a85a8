"""Every supported family: what is hooked is active in training only, and leaves without a trace."""

from typing import Any

import pytest
import torch
import transformers
from transformer_dropout import PRESETS, DropoutSpec, Site, SpecError, UnsupportedModelError, preset
from transformer_dropout.hf import FAMILIES, families, inject_dropout

from tests.lib.tiny import DECODERS, ENCODERS, batch, classifier, config, language_model

METHODS = [
    name for name in PRESETS if name not in ("none", "native_dropout", "rdrop", "adapter_dropout", "adapter_rank")
]


def spec_of(name: str, rate: float) -> DropoutSpec:
    return preset(name, rate=rate) if PRESETS[name].default_rate is not None else preset(name)


def logits(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(**inputs).logits
        return found


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
@pytest.mark.parametrize("family", FAMILIES)
def test_active_in_training_and_nowhere_else(family: str, kernel: str) -> None:
    model = classifier(family, kernel=kernel)
    inputs = batch()
    clean = logits(model.eval(), inputs)
    # the kernels differ in attention only, so that the second one checks the attention cells
    methods = METHODS if kernel == "sdpa" else [name for name in METHODS if "key" in name or "attention" in name]
    state = {name: dict(module.__dict__) for name, module in model.named_modules()}
    for name in methods:
        with inject_dropout(model, spec_of(name, 0.5), generator_seed=3) as injection:
            assert injection.report.family == family
            assert all(site.modules > 0 for site in injection.report.sites)
            assert torch.equal(logits(model.eval(), inputs), clean), name
            model.train()
            first, second = logits(model, inputs), logits(model, inputs)
            assert torch.isfinite(first).all()
            assert not torch.equal(first, clean), name
            assert not torch.equal(first, second), name  # the step advanced
            injection.step = -1
            assert torch.equal(logits(model, inputs), first), name
            with injection.second_pass():
                other = logits(model, inputs)
            assert injection.step == 0
            assert not torch.equal(other, first), name
            with injection.clean_pass():
                torch.testing.assert_close(logits(model, inputs), clean, atol=1e-6, rtol=1e-5)
        assert torch.equal(logits(model.eval(), inputs), clean), name
    for name, module in model.named_modules():
        assert module.__dict__.keys() == state[name].keys()
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


@pytest.mark.parametrize("family", FAMILIES)
def test_rate_zero_is_bit_identical_and_draws_nothing(family: str, no_draws: None) -> None:
    model = classifier(family)
    inputs = batch()
    clean = model.eval()(**inputs).logits
    sites = tuple(
        Site(position, structure, 0.0)
        for position, structure in (
            ("attention_logits", "column"),
            ("attention_weights", "element"),
            ("hidden", "span"),
            ("input", "column"),
            ("output", "element"),
        )
    )
    with inject_dropout(model, DropoutSpec(sites)):
        model.train()
        assert torch.equal(model(**inputs).logits, clean)  # native dropout is off, so nothing is left
        assert torch.equal(model.eval()(**inputs).logits, clean)


@pytest.mark.parametrize(
    "name", ["hiddenkey_minus", "dropattention", "dropkey_element", "hiddencut_span", "input_cutoff"]
)
@pytest.mark.parametrize("family", FAMILIES)
def test_padding_never_matters(family: str, name: str) -> None:
    """A row alone, padded on the right, and beside others: the same masks, the same result."""
    model = classifier(family).train()
    spec = spec_of(name, 0.4)
    inputs = batch(rows=2)
    first = {key: value[:1] for key, value in inputs.items()}  # without padding
    with inject_dropout(model, spec, generator_seed=5) as injection:
        together = logits(model, inputs)
        injection.step = -1
        alone = logits(model, first)
        torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=1e-4)
        poisoned = inputs["input_ids"].clone()
        poisoned[inputs["attention_mask"] == 0] = 7 if family in ENCODERS else 0  # decoders find the last token by it
        wider = {
            "input_ids": torch.nn.functional.pad(poisoned, (0, 2)),
            "attention_mask": torch.nn.functional.pad(inputs["attention_mask"], (0, 2)),
        }
        injection.step = -1
        torch.testing.assert_close(logits(model, wider), together, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", [name for name in DECODERS if name not in ("gpt2", "opt")])
def test_left_padding_equals_right_padding(family: str) -> None:
    """Families with relative positions: the same row moved to the right has the same masks and the same logits."""
    model = language_model(family).train()
    right, left = batch(left=False), batch(left=True)
    left["input_ids"] = torch.zeros_like(left["input_ids"])
    left["input_ids"][left["attention_mask"] == 1] = right["input_ids"][right["attention_mask"] == 1]
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4), generator_seed=6) as injection:
        one = logits(model, right)
        injection.step = -1
        two = logits(model, left)
    real = [t["attention_mask"] == 1 for t in (right, left)]
    torch.testing.assert_close(two[real[1]], one[real[0]], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("family", DECODERS)
def test_no_query_ever_sees_the_future(family: str, kernel: str, masked: bool) -> None:
    """With half of all keys dropped many early rows are rescued; still nothing before a changed token may change."""
    model = language_model(family, kernel=kernel).train()
    inputs = batch(rows=2) if masked else {"input_ids": batch(rows=2)["input_ids"][:1]}
    changed = dict(inputs)
    changed["input_ids"] = inputs["input_ids"].clone()
    changed["input_ids"][:, 5] += 1
    for structure in ("column", "element", "span"):
        for position in ("attention_logits", "attention_weights"):
            spec = DropoutSpec((Site(position, structure, 0.6, layers="all"),))
            with inject_dropout(model, spec, generator_seed=7) as injection:
                before = logits(model, inputs)
                injection.step = -1
                after = logits(model, changed)
            assert torch.equal(before[0, :5], after[0, :5])
            assert not torch.equal(before[0, 5:], after[0, 5:])


def test_decoders_drop_in_the_latter_half_and_encoders_everywhere() -> None:
    for family, expected in (("llama", (2, 3)), ("bert", (0, 1, 2, 3))):
        with inject_dropout(classifier(family, layers=4), preset("hiddenkey_minus")) as injection:
            assert [site.layers for site in injection.report.sites] == [expected, expected]
            assert injection.report.decoder == (family == "llama")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_family_table_finds_every_place(family: str) -> None:
    model = classifier(family, layers=3)
    assert families.layer_count(model) == 3
    assert len(families.attention_modules(model)) == 3
    for place in ("ffn_output", "ffn_inner"):
        assert len(families.hidden_modules(model, place)) == 3
    assert families.head_module(model).out_features == 2


@pytest.mark.parametrize("name", ["t5", "bart", "deberta-v2", "mamba"])
def test_other_families_are_refused_by_name(name: str) -> None:
    kinds = {"t5": "T5Config", "bart": "BartConfig", "deberta-v2": "DebertaV2Config", "mamba": "MambaConfig"}
    with pytest.raises(UnsupportedModelError, match=f"'{name}' cannot be hooked"):
        families.family_of(getattr(transformers, kinds[name])())


def test_odd_configs_are_refused_with_the_remedy() -> None:
    with pytest.raises(UnsupportedModelError, match="chunk_size_feed_forward = 0"):
        families.family_of(config("bert", chunk_size_feed_forward=2))
    with pytest.raises(UnsupportedModelError, match="cross-attention"):
        families.family_of(config("bert", is_decoder=True, add_cross_attention=True))
    with pytest.raises(SpecError, match="layer 9"):
        inject_dropout(classifier("bert"), DropoutSpec((Site("hidden", "element", 0.1, layers=(9,)),)))
