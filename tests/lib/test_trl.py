"""The real trainers of TRL, where it is installed: the consistency loss trains, and passes are counted once.

`scripts/library-versions trl-oldest` and `trl-newest` run it; seen to pass with TRL 1.6, 1.10 and 1.16 on transformers
5.23.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformer_dropout import Consistency, DropoutSpec, InjectionError, Site
from transformer_dropout.hf import ConsistencyMixin, Injection, inject_dropout
from transformers import PreTrainedTokenizerFast, set_seed

from tests.lib.tiny import language_model

trl = pytest.importorskip("trl")
pytestmark = pytest.mark.slow

WORDS = ["<pad>", "<eos>", "<unk>", "what", "about", "number", "warm", "and", "clever", "cold", "dull", "0", "1", "2"]
HIDDEN = (Site("hidden", "element", 0.3, layers="all"),)


def tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def rows(kind: str) -> Any:
    from datasets import Dataset

    answers = {"SFT": {"completion": "warm and clever"}, "DPO": {"chosen": "warm and clever", "rejected": "cold dull"}}
    return Dataset.from_list([{"prompt": f"what about number {i % 3}"} | answers[kind] for i in range(8)])


def trained(
    folder: Path, kind: str, spec: DropoutSpec, mixin: tuple[type, ...] = (ConsistencyMixin,), **options: Any
) -> tuple[Any, Injection]:
    """Two steps of a TRL trainer; its log and the injection."""
    from peft import LoraConfig, get_peft_model

    set_seed(0)
    lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    model = get_peft_model(language_model("llama"), lora)
    injection = inject_dropout(model, spec, generator_seed=7)
    quiet = {"report_to": [], "use_cpu": True, "disable_tqdm": True, "save_strategy": "no", "bf16": False}
    more = {"max_steps": 2, "per_device_train_batch_size": 8, "logging_steps": 1, "max_grad_norm": 1e9} | quiet
    arguments = getattr(trl, f"{kind}Config")(output_dir=str(folder), **(more | options))
    made = type("Mixed", (*mixin, getattr(trl, f"{kind}Trainer")), {})
    trainer = made(model=model, args=arguments, train_dataset=rows(kind), processing_class=tokenizer())
    trainer.train()
    return [entry for entry in trainer.state.log_history if "grad_norm" in entry], injection


# TRL 1.10's own default loss cannot be smoothed, with or without a method.
SMOOTHED = {"label_smoothing_factor": 0.1} | ({"loss_type": "nll"} if trl.__version__.startswith("1.10.") else {})


@pytest.mark.parametrize("options", [{}, SMOOTHED], ids=["plain", "smoothed"])
@pytest.mark.parametrize("kind", ["kl", "kl_both", "js_paper", "js", "js_hiddencut"])
def test_the_term_trains_in_sft(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    without, _ = trained(tmp_path, "SFT", DropoutSpec(HIDDEN, Consistency(kind, 0.0)), **options)
    seen, injection = trained(tmp_path, "SFT", DropoutSpec(HIDDEN, Consistency(kind, 500.0)), **options)
    assert seen[0]["loss"] > without[0]["loss"]
    assert seen[0]["grad_norm"] != pytest.approx(without[0]["grad_norm"], rel=1e-3)
    assert injection.step == 1
    if kind in ("kl", "js_paper"):  # the second pass is not the trainer's to count
        plain, _ = trained(tmp_path, "SFT", DropoutSpec(HIDDEN), **options)
        assert seen[-1]["num_tokens"] == plain[-1]["num_tokens"]


def test_the_term_trains_in_dpo(tmp_path: Path) -> None:
    without, _ = trained(tmp_path, "DPO", DropoutSpec(HIDDEN, Consistency("kl", 0.0)))
    seen, injection = trained(tmp_path, "DPO", DropoutSpec(HIDDEN, Consistency("kl", 500.0)))
    assert seen[0]["loss"] > without[0]["loss"]
    assert seen[0]["grad_norm"] != pytest.approx(without[0]["grad_norm"], rel=1e-3)
    assert injection.step == 1


@pytest.mark.parametrize("kind", ["SFT", "DPO"])
def test_without_the_mixin_the_first_step_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InjectionError, match="ConsistencyMixin"):
        trained(tmp_path, kind, DropoutSpec(HIDDEN, Consistency("kl")), mixin=())
    assert torch.is_grad_enabled()
