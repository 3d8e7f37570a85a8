"""Passes and steps: gradient checkpointing, two passes, cached decoding, compiled, autocast and copied models."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from transformer_dropout import DropoutSpec, InjectionError, Site, preset
from transformer_dropout.consistency import consistency_loss
from transformer_dropout.hf import inject_dropout, two_pass_loss
from transformer_dropout.spec import Consistency

from tests.lib.tiny import batch, classifier, language_model

try:
    from transformers.integrations import neftune_post_forward_hook
except ImportError:  # of the oldest versions
    from transformers.trainer_utils import neftune_post_forward_hook

KITCHEN_SINK = DropoutSpec(
    (
        Site("attention_logits", "column", 0.3, layers="all"),
        Site("attention_weights", "element", 0.3, layers="all"),
        Site("hidden", "element", 0.3, layers="all"),
        Site("input", "span", 0.3),
        Site("output", "element", 0.3),
    )
)


def gradients(model: Any) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("spec", [KITCHEN_SINK, preset("native_dropout"), replace(KITCHEN_SINK, native=True)])
def test_checkpointing_replays_the_same_masks(spec: DropoutSpec, family: str, reentrant: bool) -> None:
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    options = {"attention_dropout": 0.2} if family == "llama" else {}

    def two_passes(checkpointed: bool) -> dict[str, torch.Tensor]:
        model = classifier(family, **options).double().train()
        with inject_dropout(model, spec, generator_seed=1) as injection:
            if checkpointed:
                model.gradient_checkpointing_enable({"use_reentrant": reentrant})
                model.get_input_embeddings().weight.requires_grad_(True)
            first = model(**inputs)
            with injection.second_pass():
                second = model(**inputs)  # runs before the first pass's layers are replayed
            with injection.clean_pass(), torch.no_grad():
                model(**inputs)
            (first.loss + consistency_loss("kl_both", first.logits, second.logits)).backward()
        return gradients(model)

    plain, replayed = two_passes(False), two_passes(True)
    assert plain.keys() == replayed.keys()
    for name in plain:
        torch.testing.assert_close(replayed[name], plain[name], atol=1e-9, rtol=1e-8, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("name", ["hiddenkey", "rdrop", "hiddencut_original"])
@pytest.mark.parametrize("family", ["bert", "llama"])
def test_checkpointing_of_a_whole_step(family: str, name: str) -> None:
    """The second pass of `kl` runs before the first; each is replayed with its own masks."""
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    found = []
    for checkpointed in (False, True):
        model = classifier(family, **({"attention_dropout": 0.2} if family == "llama" else {})).double().train()
        if checkpointed:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        with inject_dropout(model, preset(name), generator_seed=1) as injection:

            def run() -> tuple[torch.Tensor, Any]:
                out = model(**inputs)  # noqa: B023
                return out.loss, out

            for _ in range(2):
                loss, _ = two_pass_loss(injection, run, inputs)
                loss.backward()
            assert injection.step == 1
        found.append(gradients(model))
    for key in found[0]:
        torch.testing.assert_close(found[1][key], found[0][key], atol=1e-9, rtol=1e-8)


def test_accelerate_prepares_a_model_that_carries_a_method() -> None:
    inputs = batch() | {"labels": torch.tensor([0, 1, 1])}
    found = []
    for prepared in (False, True):
        model = classifier("bert").train()
        with inject_dropout(model, replace(preset("hiddenkey_minus"), native=True), generator_seed=1) as injection:
            ready = Accelerator(cpu=True).prepare(model) if prepared else model
            loss = ready(**inputs).loss
            loss.backward()
            assert injection.step == 0
        found.append(gradients(model))
    assert found[0].keys() == found[1].keys()
    for key in found[0]:
        torch.testing.assert_close(found[1][key], found[0][key])


def test_the_same_seed_gives_the_same_run_and_a_step_can_be_resumed() -> None:
    model, inputs = classifier("bert").train(), batch()
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4), generator_seed=9) as injection:
        three = [model(**inputs).logits for _ in range(3)]
        assert injection.step == 2
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4), generator_seed=9) as injection:
        injection.step = 1
        assert torch.equal(model(**inputs).logits, three[2])
    torch.manual_seed(4)
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4)) as injection:
        drawn = injection.report.seed
    torch.manual_seed(4)
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4)) as injection:
        assert injection.report.seed == drawn


def test_evaluation_in_between_does_not_advance_the_step() -> None:
    model, inputs = classifier("bert"), batch()
    with inject_dropout(model, preset("hiddenkey_minus"), generator_seed=9) as injection:
        model.train()(**inputs)
        model.eval()(**inputs)
        assert injection.step == 0


def test_evaluation_draws_nothing(no_draws: None) -> None:
    model, inputs = classifier("bert").eval(), batch()
    state = torch.get_rng_state()
    with inject_dropout(model, replace(KITCHEN_SINK, native=True), generator_seed=9):
        model(**inputs)
        with pytest.raises(AssertionError, match="were drawn"):
            model.train()(**inputs)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_texts_of_one_token(family: str) -> None:
    """Their only key is never lost; a hidden span takes the token whole."""
    model = classifier(family).train()
    inputs = {"input_ids": torch.tensor([[5], [7]]), "attention_mask": torch.ones(2, 1, dtype=torch.long)}
    clean = model.eval()(**inputs).logits
    model.train()
    for structure in ("element", "column", "span"):
        for position in ("attention_logits", "attention_weights"):
            with inject_dropout(model, DropoutSpec((Site(position, structure, 0.9, layers="all"),))):
                torch.testing.assert_close(model(**inputs).logits, clean)
        with inject_dropout(model, DropoutSpec((Site("hidden", structure, 0.9, layers="all"),))):
            out = model(**inputs).logits
            out.sum().backward()
            assert torch.isfinite(out).all()


def test_two_passes_differ_and_are_equal_at_rate_zero() -> None:
    model, inputs = classifier("bert").train(), batch()
    for rate, differs in ((0.3, True), (0.0, False)):
        spec = preset("hiddenkey", rate=rate)
        with inject_dropout(model, spec, generator_seed=2) as injection:
            first = model(**inputs).logits
            with injection.second_pass():
                second = model(**inputs).logits
            loss = consistency_loss("kl", first, second).item()
            assert (loss > 1e-6) if differs else (loss == 0.0)


@pytest.mark.parametrize("name", ["hiddenkey", "rdrop"])
def test_the_second_pass_may_come_first_and_draws_the_same(name: str) -> None:
    model, inputs = classifier("bert").train(), batch()
    with inject_dropout(model, preset(name), generator_seed=2) as injection:
        model(**inputs)
        first = model(**inputs).logits
        with injection.second_pass():
            second = model(**inputs).logits
        injection.step = 0
        with injection.second_pass(ahead=True):
            assert torch.equal(model(**inputs).logits, second)
        assert injection.step == 0
        assert torch.equal(model(**inputs).logits, first)
        assert injection.step == 1
        injection.step = -1
        with injection.second_pass(ahead=True):
            model(**inputs)  # before the very first pass, too


def test_a_second_pass_needs_a_first() -> None:
    model = classifier("bert").train()
    with inject_dropout(model, preset("hiddenkey")) as injection, injection.second_pass():
        with pytest.raises(InjectionError, match="first pass"):
            model(**batch())


def test_the_clean_pass_leaves_modes_and_random_state_alone() -> None:
    model, inputs = classifier("bert").train(), batch()
    clean = model.eval()(**inputs).logits
    model.train()
    spec = DropoutSpec(KITCHEN_SINK.sites, Consistency("js_paper"), native=True)
    with inject_dropout(model, spec, generator_seed=2) as injection:
        state = torch.get_rng_state()
        with injection.clean_pass():
            found = model(**inputs).logits
        torch.testing.assert_close(found, clean, atol=1e-6, rtol=1e-5)
        assert torch.equal(torch.get_rng_state(), state)
        assert injection.step == -1
        assert model.training
        with pytest.raises(RuntimeError, match="planned"), injection.clean_pass():
            raise RuntimeError("planned")
        assert not torch.equal(model(**inputs).logits, clean)  # everything is on again


@torch.no_grad()
@pytest.mark.parametrize("alpha", [5, 0.5])
def test_the_clean_pass_is_without_the_trainers_noise_too(alpha: float) -> None:
    model, inputs = language_model("llama"), batch()
    clean = model.eval()(**inputs).logits
    embedding = model.train().get_input_embeddings()
    embedding.neftune_noise_alpha = alpha  # as Trainer(neftune_noise_alpha=...) does
    embedding.register_forward_hook(neftune_post_forward_hook)
    with inject_dropout(model, DropoutSpec(KITCHEN_SINK.sites, Consistency("js_paper"))) as injection:
        with injection.clean_pass():
            torch.testing.assert_close(model(**inputs).logits, clean, atol=1e-6, rtol=1e-5)
        assert embedding.neftune_noise_alpha == alpha


@torch.no_grad()
@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_generation_with_a_cache_is_untouched(kernel: str) -> None:
    model = language_model("llama", kernel=kernel).eval()
    prompt = {"input_ids": batch(rows=2)["input_ids"][:1], "attention_mask": torch.ones(1, 9, dtype=torch.long)}
    options = {"max_new_tokens": 5, "do_sample": False}
    expected = model.generate(**prompt, **options)
    with inject_dropout(model, KITCHEN_SINK, generator_seed=3) as injection:
        assert torch.equal(model.generate(**prompt, **options), expected)
        assert injection.step == -1
        # a decoding step with a filled cache stays clean even in training mode
        cache = model(**prompt, use_cache=True).past_key_values
        step = {"input_ids": prompt["input_ids"][:, -1:], "attention_mask": torch.ones(1, 10, dtype=torch.long)}
        after = model(**step, past_key_values=copy.deepcopy(cache)).logits
        model.train()
        assert torch.equal(model(**step, past_key_values=cache).logits, after)


def test_attention_weights_can_be_asked_for() -> None:
    model = classifier("bert", kernel="eager").train()
    inputs = batch()
    with inject_dropout(model, DropoutSpec((Site("attention_weights", "column", 0.4),)), generator_seed=3):
        weights = model(**inputs, output_attentions=True).attentions
    assert len(weights) == 2
    dropped = (weights[0] == 0).all(2)  # [B, H, K]
    assert dropped[0].any()
    assert torch.allclose(weights[0][0].sum(-1), torch.ones(4, 9))


def test_autocast() -> None:
    model, inputs = classifier("bert").train(), batch()
    for name in ("hiddenkey_minus", "dropattention", "dropattention_grad"):
        with inject_dropout(model, preset(name, rate=0.3), generator_seed=3) as injection:
            full = model(**inputs).logits
            injection.step = -1
            with torch.autocast("cpu", dtype=torch.bfloat16):
                half = model(**inputs).logits
            half.float().sum().backward()
        torch.testing.assert_close(half.float(), full, atol=0.1, rtol=0.1)


def test_half_precision_models() -> None:
    for dtype in (torch.bfloat16, torch.float16):
        for name in ("hiddenkey_minus", "dropattention", "dropkey_element", "attention_dropout"):
            model = classifier("llama").to(dtype).train()
            with inject_dropout(model, preset(name, rate=0.5), generator_seed=3):
                out = model(**batch()).logits
                out.float().sum().backward()
            assert torch.isfinite(out).all()
            assert all(torch.isfinite(g).all() for g in gradients(model).values())


HALF = (Site("hidden", "element", 0.4), Site("attention_logits", "column", 0.4), Site("input", "span", 0.4))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "spec"),
    [
        ("bert", preset("hiddenkey_minus", rate=0.4)),
        ("bert", preset("native_dropout")),
        ("llama", DropoutSpec(HALF)),  # hooks in some layers only, and all layers share what is compiled
    ],
)
def test_compiled_models_draw_the_same_masks(family: str, spec: DropoutSpec) -> None:
    torch.compiler.reset()
    model, inputs = classifier(family, layers=3).train(), batch()
    with inject_dropout(model, spec, generator_seed=3) as injection:
        expected = [model(**inputs).logits for _ in range(2)]
        compiled = torch.compile(model, backend="eager")
        injection.step = -1
        for logits in expected:
            torch.testing.assert_close(compiled(**inputs).logits, logits, atol=1e-6, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "name"), [("bert", "hiddenkey_minus"), ("bert", "hiddencut_original"), ("llama", "hiddenkey")]
)
def test_compiled_models_that_checkpoint_their_layers(family: str, name: str) -> None:
    torch.compiler.reset()
    inputs, found = batch() | {"labels": torch.tensor([0, 1, 1])}, []
    for compiled in (False, True):
        model = classifier(family).double().train()
        model.config.use_cache = False
        if compiled:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        with inject_dropout(model, preset(name), generator_seed=1) as injection:
            called = torch.compile(model, backend="eager") if compiled else model

            def run() -> tuple[torch.Tensor, Any]:
                out = called(**inputs)  # noqa: B023
                return out.loss, out

            two_pass_loss(injection, run, inputs)[0].backward()
        found.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for key, gradient in found[0].items():
        torch.testing.assert_close(found[1][key], gradient, atol=1e-9, rtol=1e-7)


def test_a_copied_model_carries_its_own_method() -> None:
    model, inputs = classifier("bert").train(), batch()
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4), generator_seed=3) as injection:
        twin = copy.deepcopy(model)
        first = model(**inputs).logits
        assert torch.equal(twin(**inputs).logits, first)
        assert injection.step == 0
    assert not torch.equal(model(**inputs).logits, first)


def test_embeddings_can_be_given_instead_of_ids() -> None:
    model, inputs = classifier("bert").train(), batch()
    embeds = model.get_input_embeddings()(inputs["input_ids"])
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4), generator_seed=3) as injection:
        expected = model(**inputs).logits
        injection.step = -1
        found = model(inputs_embeds=embeds, attention_mask=inputs["attention_mask"]).logits
    torch.testing.assert_close(found, expected)
