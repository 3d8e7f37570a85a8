"""Where a method's state goes: into checkpoints, copies and files, and out again without leaving anything behind."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformer_dropout import DropoutSpec, InjectionError, Site, preset
from transformer_dropout.hf import ConsistencyTrainer, DropoutCallback, inject_dropout, injection_of
from transformers import BertForSequenceClassification, Trainer, set_seed

from tests.lib.test_trainer import Rows, arguments, losses
from tests.lib.tiny import FAMILIES, batch, classifier

SITES = (
    Site("attention_logits", "column", 0.4, layers="all"),
    Site("attention_weights", "element", 0.4, layers="all"),
    Site("hidden", "element", 0.4, layers="all"),
    Site("hidden", "span", 0.4, layers="all", place="ffn_inner"),
    Site("input", "span", 0.4),
    Site("output", "element", 0.4),
)
EVERYTHING = [
    DropoutSpec(SITES),
    DropoutSpec(SITES, preset("hiddenkey").consistency, native=True, noise_alpha=5.0),
    preset("native_dropout"),
]
IDS = ["sites", "everything", "native"]


def run(folder: Path, kind: type[Trainer], spec: DropoutSpec, seed: int | None, **options: Any) -> Any:
    """Train, from a checkpoint where `resume` names one; the losses of its steps."""
    resume = options.pop("resume", None)
    set_seed(0)
    model = get_peft_model(
        classifier("bert"), LoraConfig(task_type=TaskType.SEQ_CLS, r=2, target_modules=["query", "value"])
    )
    injection = inject_dropout(model, spec, generator_seed=seed)
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(3, 60, (32, 8), generator=generator)
    rows = Rows({"input_ids": ids, "labels": torch.randint(0, 2, (32,), generator=generator)})
    more = {
        "save_strategy": "steps",
        "save_steps": 3,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "seed": 0,
    }
    callbacks = [] if issubclass(kind, ConsistencyTrainer) else [DropoutCallback()]
    trainer = kind(model=model, args=arguments(folder, **(more | options)), train_dataset=rows, callbacks=callbacks)
    trainer.train(resume_from_checkpoint=resume)
    return losses(trainer), injection


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize(
    ("kind", "name"),
    [(ConsistencyTrainer, "hiddenkey"), (ConsistencyTrainer, "rdrop"), (Trainer, "hiddenkey_minus")],
)
def test_a_resumed_run_equals_the_unbroken_one(
    tmp_path: Path, kind: type[Trainer], name: str, accumulation: int
) -> None:
    options = {"gradient_accumulation_steps": accumulation, "lr_scheduler_type": "constant"}
    whole, injection = run(tmp_path / "whole", kind, preset(name), 7, max_steps=6, **options)
    run(tmp_path / "first", kind, preset(name), 7, max_steps=3, **options)
    saved = tmp_path / "first" / "checkpoint-3"
    # the seed is another one at first: it travels with the step
    rest, resumed = run(tmp_path / "rest", kind, preset(name), 8, max_steps=6, resume=str(saved), **options)
    assert rest[-3:] == whole[3:]
    assert resumed.step == injection.step == 6 * accumulation - 1
    assert resumed.report.seed == 7


def test_a_checkpoint_of_before_is_gone_on_from(tmp_path: Path) -> None:
    run(tmp_path, ConsistencyTrainer, preset("hiddenkey"), 7, max_steps=3)
    saved = tmp_path / "checkpoint-3" / "trainer_state.json"
    text = saved.read_text(encoding="utf-8")
    assert '"DropoutCallback"' in text
    saved.write_text(text.replace('"DropoutCallback"', '"Other"'), encoding="utf-8")
    _, injection = run(
        tmp_path,
        ConsistencyTrainer,
        preset("hiddenkey"),
        9,
        max_steps=5,
        resume=str(saved.parent),
        restore_callback_states_from_checkpoint=True,
    )
    assert injection.report.seed == 9


def test_callbacks_restored_by_transformers(tmp_path: Path) -> None:
    options = {"lr_scheduler_type": "constant", "restore_callback_states_from_checkpoint": True}
    whole, _ = run(tmp_path / "whole", ConsistencyTrainer, preset("hiddenkey"), 7, max_steps=6, **options)
    run(tmp_path, ConsistencyTrainer, preset("hiddenkey"), 7, max_steps=3, **options)
    saved = str(tmp_path / "checkpoint-3")
    rest, _ = run(tmp_path, ConsistencyTrainer, preset("hiddenkey"), 8, max_steps=6, resume=saved, **options)
    assert rest[-3:] == whole[3:]


def test_a_training_that_begins_anew_with_smaller_batches(tmp_path: Path) -> None:
    options = {"max_steps": 3, "auto_find_batch_size": True, "save_strategy": "no"}
    model, passes = classifier("bert"), list[int]()

    def short_of_memory(module: Any, args: Any, kwargs: Any) -> None:
        passes.append(len(kwargs["input_ids"]))
        if passes[-1] == 4 and len(passes) > 1:
            raise RuntimeError("CUDA out of memory.")

    injection = inject_dropout(model, preset("hiddenkey_minus"), generator_seed=7)
    steps: list[tuple[int, int]] = []
    model.register_forward_pre_hook(short_of_memory, with_kwargs=True)
    model.register_forward_hook(lambda *_: steps.append((passes[-1], injection.step)))
    rows = Rows({"input_ids": torch.full((32, 8), 5), "labels": torch.zeros(32, dtype=torch.long)})
    args = arguments(tmp_path, per_device_train_batch_size=4, **options)
    trainer = Trainer(model=model, args=args, train_dataset=rows, callbacks=[DropoutCallback()])
    trainer.train()
    smaller = passes[-1]
    assert smaller < 4
    assert steps == [(4, 0), *((smaller, step) for step in range(3))]
    trainer.train()  # another training, by the same person, goes on counting
    assert injection.step == 5


def logits(model: Any) -> torch.Tensor:
    found: torch.Tensor = model(**batch()).logits
    return found


@pytest.mark.parametrize("spec", EVERYTHING, ids=IDS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_a_copy_has_a_method_of_its_own(way: str, family: str, spec: DropoutSpec) -> None:
    if spec.native and family not in ("bert", "gpt2"):
        pytest.skip("no dropout of its own")
    model = classifier(family)
    clean = logits(model.eval())
    injection = inject_dropout(model.train(), spec, generator_seed=3)
    first = logits(model)
    injection.step = -1
    twin = copy.deepcopy(model) if way == "deepcopy" else pickle.loads(pickle.dumps(model))
    own = injection_of(twin)
    assert own is not None
    assert own is not injection
    assert torch.equal(logits(twin), first)
    assert injection.step == -1
    second = logits(twin)
    own.remove()
    assert torch.equal(logits(twin.eval()), clean)
    assert own is not injection_of(twin)
    assert injection_of(model) is injection
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in twin.modules())
    assert torch.equal(logits(model), first)  # the original has lost nothing
    assert torch.equal(logits(model), second)
    injection.remove()
    assert torch.equal(logits(model.eval()), clean)


def test_a_model_saved_whole_drops_in_another_process(tmp_path: Path) -> None:
    model = classifier("bert").train()
    injection = inject_dropout(model, DropoutSpec(SITES), generator_seed=3)
    torch.save(model, tmp_path / "model.pt")
    torch.save((batch(), logits(model)), tmp_path / "expected.pt")
    assert injection.step == 0
    code = f"""
import torch
model = torch.load({str(tmp_path / "model.pt")!r}, weights_only=False)
inputs, expected = torch.load({str(tmp_path / "expected.pt")!r})
assert torch.equal(model(**inputs).logits, expected)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_models_that_share_one_config(order: tuple[int, int]) -> None:
    one = classifier("bert")
    two = BertForSequenceClassification(one.config)
    two.load_state_dict(one.state_dict())
    models = (one, two)
    injections = [inject_dropout(model.train(), preset("dropkey", rate=0.5), generator_seed=3) for model in models]
    assert torch.equal(logits(one), logits(two))
    left = models[order[1]]
    expected = logits(left)
    injections[order[1]].step = 0
    injections[order[0]].remove()
    assert torch.equal(logits(left), expected)
    clean = logits(models[order[0]])
    assert torch.equal(logits(models[order[0]]), clean)
    injections[order[1]].remove()
    assert one.config._attn_implementation == "sdpa"


def test_removal_after_an_exception_leaves_nothing() -> None:
    model = classifier("bert").train()
    model.gradient_checkpointing_enable({"use_reentrant": False})
    state = {name: dict(module.__dict__) for name, module in model.named_modules()}
    hooks = {name: len(module._forward_hooks) for name, module in model.named_modules()}
    injection = inject_dropout(model, replace(EVERYTHING[1], sites=SITES[:3]), generator_seed=3)

    def fail(*_: object) -> None:
        raise RuntimeError("planned")

    handle = model.bert.encoder.layer[1].register_forward_hook(fail)
    for within in (injection.second_pass(ahead=True), injection.clean_pass()):
        with pytest.raises(RuntimeError, match="planned"), within:
            logits(model)
    injection.on_removal(fail)
    with pytest.raises(RuntimeError, match="planned"):
        injection.remove()
    handle.remove()
    for name, module in model.named_modules():
        assert module.__dict__.keys() == state[name].keys(), name
        assert module.__dict__.get("_gradient_checkpointing_func") is state[name].get("_gradient_checkpointing_func")
        assert len(module._forward_hooks) == hooks[name]
        assert not module._forward_pre_hooks
        assert getattr(module, "p", None) == state[name].get("p")
    assert model.config._attn_implementation == "sdpa"
    assert injection_of(model) is None
    inject_dropout(model, preset("hiddenkey_minus")).remove()


def test_state_of_a_loop_of_ones_own() -> None:
    model = classifier("bert").train()
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4), generator_seed=3) as injection:
        logits(model)
        state = injection.state_dict()
        second = logits(model)
    with inject_dropout(model, preset("hiddenkey_minus", rate=0.4)) as injection:
        injection.load_state_dict(state)
        assert torch.equal(logits(model), second)
        assert injection.report.seed == 3
    with pytest.raises(InjectionError, match="still being made"):
        type(injection)(model, injection.spec, 0).load_state_dict(state)
