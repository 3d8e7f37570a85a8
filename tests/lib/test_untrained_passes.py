"""Passes that train nothing are what they are without the library, in training mode too, and count for nothing."""

import copy
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from peft import LoraConfig, PrefixTuningConfig, TaskType, get_peft_model
from torch import nn
from transformer_dropout import Consistency, DropoutSpec, InjectionError, Site, preset
from transformer_dropout.hf import ConsistencyTrainer, inject_dropout
from transformer_dropout.hf.context import Clock
from transformers import Trainer

from tests.lib.test_trainer import Rows, arguments
from tests.lib.tiny import DECODERS, batch, language_model

SITES = (
    Site("attention_logits", "column", 0.5, layers="all"),
    Site("hidden", "element", 0.5, layers="all"),
    Site("output", "element", 0.5),
)
METHODS = [DropoutSpec(SITES), DropoutSpec(SITES, Consistency("kl")), preset("neftune")]


def adapted(family: str = "llama", **options: Any) -> Any:
    model = language_model(family)
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM, r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, **options
    )
    return get_peft_model(model, lora)


@pytest.mark.parametrize("cached", [True, False, "static"])
@pytest.mark.parametrize("spec", METHODS, ids=["sites", "kl", "noise"])
@pytest.mark.parametrize("family", DECODERS)
def test_generation_in_training_mode(family: str, spec: DropoutSpec, cached: bool | str) -> None:
    model = language_model(family, **({"dropout": 0.0} if family == "opt" else {}))
    prompt = {"input_ids": batch(rows=2)["input_ids"][:1], "attention_mask": torch.ones(1, 9, dtype=torch.long)}
    options = {"max_new_tokens": 4, "do_sample": False, "use_cache": bool(cached), "return_dict_in_generate": True}
    options |= {"output_logits": True} | ({"cache_implementation": cached} if isinstance(cached, str) else {})
    expected = model.eval().generate(**prompt, **options)
    with inject_dropout(model.train(), spec, generator_seed=3) as injection:
        injection.step = 4
        found = model.generate(**prompt, **options)
        assert torch.equal(found.sequences, expected.sequences)
        assert all(torch.equal(a, b) for a, b in zip(found.logits, expected.logits, strict=True))
        assert injection.step == 4
        assert not torch.equal(model(**prompt).logits, model(**prompt).logits)  # and after it training goes on
        assert injection.step == 6
    assert "generate" not in model.__dict__


def test_generation_through_peft_and_of_a_copy() -> None:
    model = adapted()
    prompt = {"input_ids": batch(rows=2)["input_ids"][:1], "attention_mask": torch.ones(1, 9, dtype=torch.long)}
    options = {"max_new_tokens": 4, "do_sample": False, "use_cache": False}
    expected = model.eval().generate(**prompt, **options)
    with inject_dropout(model.train(), METHODS[0], generator_seed=3) as injection:
        assert torch.equal(model.generate(**prompt, **options), expected)
        twin = copy.deepcopy(model)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        assert torch.equal(twin.generate(**prompt, **options), expected)
        assert injection.step == -1


def test_a_failed_generation_leaves_training_on() -> None:
    model = language_model("llama").train()
    with inject_dropout(model, METHODS[0]) as injection:
        with pytest.raises(ValueError, match="max_length"):
            model.generate(input_ids=torch.ones(1, 3, dtype=torch.long), max_length=-1)
        model(**batch())
        assert injection.step == 0


@pytest.mark.parametrize("reference", ["off", "ref", "reference"])
@pytest.mark.parametrize("spec", METHODS, ids=["sites", "kl", "noise"])
def test_a_reference_pass(reference: str, spec: DropoutSpec) -> None:
    """As TRL's DPO, KTO and GRPO make it: in training mode, without gradient, the adapter off or another one on."""
    model, inputs = adapted(), batch()
    if reference != "off":
        model.add_adapter(reference, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))

    def as_reference() -> AbstractContextManager[Any]:
        if reference == "off":
            off: AbstractContextManager[Any] = model.disable_adapter()
            return off
        model.set_adapter(reference)
        return nullcontext()

    with torch.no_grad(), as_reference():
        expected = model.eval()(**inputs).logits
    model.set_adapter("default")
    with inject_dropout(model.train(), spec, generator_seed=3) as injection:
        first = model(**inputs).logits
        with torch.no_grad(), as_reference():
            assert torch.equal(model(**inputs).logits, expected)
        model.set_adapter("default")
        assert injection.step == 0
        assert not torch.equal(model(**inputs).logits, first)


def test_a_pass_without_gradient_in_a_loop_of_ones_own_drops_as_torch_does() -> None:
    model, inputs = adapted().train(), batch()
    with inject_dropout(model, METHODS[0], generator_seed=3) as injection, torch.no_grad():
        assert not torch.equal(model(**inputs).logits, model(**inputs).logits)
        assert injection.step == 1


class Metrics(Trainer):
    """A trainer that looks at its model once more, without gradient."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **options: Any) -> Any:
        found = super().compute_loss(model, dict(inputs), return_outputs=True, **options)
        with torch.no_grad():
            self.seen = model(**inputs).logits
        return found if return_outputs else found[0]


@pytest.mark.parametrize("spec", METHODS, ids=["sites", "kl", "noise"])
def test_a_trainers_metrics_count_for_nothing(tmp_path: Path, spec: DropoutSpec) -> None:
    model, inputs = language_model("llama"), batch(rows=4)
    expected = model.eval()(**inputs).logits
    kind = type("Mixed", (ConsistencyTrainer, Metrics), {})
    with inject_dropout(model, spec, generator_seed=3) as injection:
        rows = Rows(inputs | {"labels": inputs["input_ids"]})
        options = {"max_steps": 3, "per_device_train_batch_size": 4, "learning_rate": 0.0}
        trainer = kind(model=model, args=arguments(tmp_path, **options), train_dataset=rows)
        trainer.train()
        assert injection.step == 2
        kept = sorted(trainer.seen.sum((1, 2)).tolist())
        assert kept == pytest.approx(sorted(expected.sum((1, 2)).tolist()), rel=1e-4)


class Renamed(nn.Module):
    """A backbone that calls its cache as transformers does since 5.24."""

    def forward(self, input_ids: Any = None, attention_mask: Any = None, **kwargs: Any) -> None:
        """Nothing: only its arguments matter."""


@pytest.mark.parametrize("name", ["past_key_values", "cache"])
@pytest.mark.parametrize("length", [0, 7])
def test_a_cache_is_known_by_both_of_its_names(name: str, length: int) -> None:
    clock, entry = Clock(1), Renamed().train()
    given = {"input_ids": torch.ones(1, 1, dtype=torch.long), name: SimpleNamespace(get_seq_length=lambda: length)}
    with torch.no_grad():
        clock.begin(entry, (), given)
    assert clock.current is None
    assert clock.step == -1
    if length:
        with pytest.raises(InjectionError, match="prefix tuning"):
            clock.begin(entry, (), given)
    else:  # handed in empty by a training loop
        clock.begin(entry, (), given)
        assert clock.step == 0


def test_prefix_tuning_is_refused_by_name() -> None:
    config = PrefixTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=3)
    model, inputs = get_peft_model(language_model("llama"), config).train(), batch()
    with inject_dropout(model, METHODS[0]), pytest.raises(InjectionError, match="prefix tuning"):
        model(**inputs)
