"""Conversations trained: the loss is over the tokens that transformers' own template marks as the assistant's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedTokenizerFast

from backend.shared.chat import reader_for, tokenizer_folder
from backend.shared.errors import TrainingError
from backend.shared.specs import GenerationSpec, TrainingSpec
from tests.backend.shared.chat.styles import STYLES, byte_tokenizer
from tests.worker.data.stored import store
from tests.worker.engine.tiny_pack import Told, World, start, trained
from tests.worker.models.tiny import register_tiny, tiny_config
from worker import data as datasets
from worker.engine.batches import Reading, make_batch
from worker.engine.loaded import Warm
from worker.engine.pack import run_pack


def conversation(i: int) -> dict[str, Any]:
    said = [
        ("user", f"hello {i}"),
        ("assistant", "the answer"),
        ("user", "and after?"),
        ("assistant", f"what you said{i}"),
    ]
    return {"messages": [{"role": role, "content": content} for role, content in said[: 4 if i % 2 else 2]]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A tiny Llama with a template that tags what it generates, and conversations of one and two rounds."""
    home = Path(tmp_path_factory.mktemp("chat"))
    torch.manual_seed(0)
    config = tiny_config("llama")
    config.vocab_size, config.max_position_embeddings = 400, 256
    AutoModelForCausalLM.from_config(config).save_pretrained(home / "weights")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_tokenizer(), bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = STYLES["tagged"]
    tokenizer.save_pretrained(home / "weights")
    model = register_tiny(home, home / "weights", "tiny-chat")
    rows = [("train" if i % 3 else "validation", conversation(i)) for i in range(18)]
    facts = store(home, "talks", "causal_lm", rows)
    return World(home, model, facts, "causal_lm", model.default_target_modules, home / "weights")


def stacked(world: World, folder: Path, arms: dict[str, Any]) -> Told:
    told = Told()
    run_pack(
        start(world, folder, arms), Warm(world.home, torch.device("cpu"), stacked=True, stream="philox"), told, tuple
    )
    return told


def test_a_run_is_measured_on_the_tokens_that_stock_transformers_marks(world: World, tmp_path: Path) -> None:
    arm = world.arm(max_length=200).model_copy(update={"generation": GenerationSpec(rows=3, max_new_tokens=4)})
    one = trained(world, tmp_path / "one", {"a": arm})
    base = AutoModelForCausalLM.from_pretrained(world.weights)
    model = PeftModel.from_pretrained(base, one.artifact("a").folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(world.weights)
    losses = []
    for i in range(0, 18, 3):
        turns = conversation(i)["messages"]
        found = tokenizer.apply_chat_template(turns, return_dict=True, return_assistant_tokens_mask=True)
        ids, marked = torch.tensor([found["input_ids"]]), torch.tensor(found["assistant_masks"]).bool()
        with torch.no_grad():
            logits = model(ids).logits
        losses.append(F.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="none")[marked[1:]])
    assert one.final("a")["validation/loss_fp32"] == pytest.approx(float(torch.cat(losses).mean()), rel=1e-5)
    together = stacked(world, tmp_path / "two", {"a": arm, "b": arm})
    assert together.final("a")["validation/loss_fp32"] == pytest.approx(
        one.final("a")["validation/loss_fp32"], rel=2e-2
    )
    assert {"validation/bleu", "validation/chrf"} <= one.values("a")[-1].keys()


def test_an_answer_ends_with_every_mark_that_ends_answers(world: World, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    original = GenerationConfig.__init__

    def remembered(self: Any, **settings: Any) -> None:
        seen.update({key: value for key, value in settings.items() if key == "eos_token_id"})
        original(self, **settings)

    tokenizer = AutoTokenizer.from_pretrained(world.weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GenerationConfig, "__init__", remembered)
        arm = world.arm(max_length=200, epochs=1, evaluations=1)
        trained(world, tmp_path, {"a": arm.model_copy(update={"generation": GenerationSpec(rows=1, max_new_tokens=2)})})
    assert set(seen["eos_token_id"]) >= set(tokenizer.convert_tokens_to_ids(["</s>", "<|im_end|>"]))


def test_preview_and_training_read_the_same_tokens_and_masks(world: World) -> None:
    training = TrainingSpec(max_length=40)
    tokenizer = AutoTokenizer.from_pretrained(world.weights)
    dataset = datasets.load(world.data.ref, "causal_lm", world.home)
    reader = datasets.reader_of(dataset, world.model.ref, tokenizer, training, world.home)
    rows = datasets.tokenise(dataset, world.model.ref, tokenizer, 40, world.home, reader)
    folder = tokenizer_folder(world.home, world.model.id, world.model.revision)
    shown = reader_for(folder, Tokenizer.from_file(str(folder / "tokenizer.json")), ("messages",), training, 40)
    kept = rows.splits["train"].take(np.arange(len(rows.splits["train"])))
    assert kept.trained is not None
    assert kept.lines is not None
    stored = list(dataset.rows("train"))
    for at, line in enumerate(kept.lines):
        read = shown.read(stored[int(line)])
        assert kept.input_ids[at].tolist() == read.ids[: read.kept].tolist()
        assert kept.trained[at].tolist() == read.trained[: read.kept].tolist()
    batch = make_batch(kept, np.arange(3), Reading("causal_lm", True, 0))
    counted = np.concatenate([kept.input_ids[row][kept.trained[row]] for row in range(3)])
    assert batch.labels.tolist() == counted.tolist()  # no row begins with a trained token
    assert (rows.truncated["train"] > 0, rows.dropped["train"]) == (True, 0)


def test_what_a_template_does_to_rows_is_told(world: World, tmp_path: Path) -> None:
    dataset = datasets.load(world.data.ref, "causal_lm", world.home)
    tokenizer = AutoTokenizer.from_pretrained(world.weights)
    template = world.weights / "chat_template.jinja"
    own = template.read_text()

    def notes(source: str, **training: Any) -> str:
        template.write_text(source)
        try:
            reader = datasets.reader_of(dataset, world.model.ref, tokenizer, TrainingSpec(**training), world.home)
        finally:
            template.write_text(own)
        return "; ".join(datasets.tokenise(dataset, world.model.ref, tokenizer, 200, world.home, reader).notes)

    assert "were trained on their last answer only" in notes(STYLES["qwen3"], max_length=200)
    assert "26 July 2024" in notes(STYLES["dated"], max_length=200)
    refusing = "{% if messages|length > 2 %}{{ raise_exception('one round only') }}{% endif %}" + STYLES["tagged"]
    assert "left out: The template says: one round only" in notes(refusing, max_length=200)
    assert notes(STYLES["tagged"], template="alpaca", max_length=200) == ""
    template.unlink()
    try:
        with pytest.raises(TrainingError, match="no chat template of its own"):
            datasets.reader_of(dataset, world.model.ref, tokenizer, TrainingSpec(template="model"), world.home)
    finally:
        template.write_text(own)
