"""Conversations in the shapes that people have them: read to one form, split whole, refused by what is wrong."""

import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.datasets.files.table import source_of
from backend.datasets.preview import preview
from backend.datasets.schemas import PreviewPlan
from backend.shared.errors import InvalidInput
from backend.shared.rows.chat import conversation, written
from backend.shared.rows.split import row_key
from tests.backend.datasets.test_file_kinds import read, stored, told
from tests.backend.datasets.test_files import take

Turns = list[dict[str, Any]]
WANTED = [[("user", f"Hello {i}?"), ("assistant", f"Hi {i}.")] for i in range(20)]


def said(i: int) -> Turns:
    return [{"role": "user", "content": f"Hello {i}?"}, {"role": "assistant", "content": f"Hi {i}."}]


def human(i: int) -> Turns:
    return [{"from": "human", "value": f"Hello {i}?"}, {"from": "gpt", "value": f"Hi {i}."}]


def parts(i: int) -> Turns:
    return [
        {"role": "user", "content": [{"type": "text", "text": "Hello "}, {"type": "text", "text": f"{i}?"}]},
        {"role": "assistant", "content": f"Hi {i}."},
    ]


ROWS: dict[str, list[dict[str, Any]]] = {
    "messages": [{"messages": said(i)} for i in range(20)],
    "messages beside a prompt": [{"prompt": f"Hello {i}?", "messages": said(i)} for i in range(20)],
    "ShareGPT": [{"id": str(i), "conversations": human(i)} for i in range(20)],
    "two lists": [{"prompt": said(i)[:1], "completion": said(i)[1:]} for i in range(20)],
    "a list and a text": [{"prompt": said(i)[:1], "completion": f"Hi {i}."} for i in range(20)],
    "parts": [{"messages": parts(i)} for i in range(20)],
    "an empty system turn": [
        {"messages": [{"role": "system", "content": ""}, {"role": "Human", "content": f"Hello {i}?"}, said(i)[1]]}
        for i in range(20)
    ],
}


@pytest.mark.parametrize("form", ["lines", "array"])
@pytest.mark.parametrize("shape", ROWS)
def test_a_conversation_is_one_however_it_is_written(shape: str, form: str, tmp_path: Path) -> None:
    rows = ROWS[shape]
    content = json.dumps(rows) if form == "array" else "\n".join(map(json.dumps, rows))
    name = "mine.json" if form == "array" else "mine.jsonl"
    facts = read(tmp_path, content, name, task="causal_lm")
    assert (facts.kept, facts.refused, facts.columns) == (20, 0, ("messages",))
    found = [[(turn["role"], turn["content"]) for turn in row["messages"]] for row in stored(tmp_path)]
    assert sorted(found) == sorted(WANTED)
    seen = preview(tmp_path, source_of(tmp_path / name), PreviewPlan())
    assert seen.task == "causal_lm"
    assert "Hello 0?" in (next(text for text in seen.sample[0].values() if text and "Hello" in text))


@pytest.mark.parametrize("turns", [said, human])
def test_turns_of_parquet_are_read(turns: Any, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    column = "messages" if turns is said else "conversations"
    pq.write_table(pa.table({column: [turns(i) for i in range(20)]}), tmp_path / "in" / "mine.parquet")
    content = (tmp_path / "in" / "mine.parquet").read_bytes()
    assert read(tmp_path, content, "mine.parquet", task="causal_lm").kept == 20
    assert sorted([(t["role"], t["content"]) for t in row["messages"]] for row in stored(tmp_path)) == sorted(WANTED)


def test_a_text_alone_is_learned_whole(tmp_path: Path) -> None:
    body = "\n".join(json.dumps({"text": f"line {i} of a book"}) for i in range(20))
    facts = read(tmp_path, body, "mine.jsonl", task="causal_lm")
    assert (facts.kept, facts.columns) == (20, ("text",))
    assert preview(tmp_path, source_of(tmp_path / "mine.jsonl"), PreviewPlan()).task == "causal_lm"


def test_chosen_answers_are_offered_and_can_be_trained_on(tmp_path: Path) -> None:
    bad = [*said(0)[:1], {"role": "assistant", "content": "no"}]
    body = "\n".join(json.dumps({"chosen": said(i), "rejected": bad}) for i in range(20))
    with pytest.raises(InvalidInput, match=r"preferences.*name it as messages"):
        take(tmp_path, body, "mine.jsonl", task="causal_lm")
    seen = preview(tmp_path, source_of(tmp_path / "mine.jsonl"), PreviewPlan())
    assert (seen.task, "preferences" in seen.problems[0].detail) == ("causal_lm", True)
    (tmp_path / "2").mkdir()
    facts = take(tmp_path / "2", body, "mine.jsonl", task="causal_lm", mapping={"messages": "chosen"})
    assert facts.kept == 20


def test_columns_of_two_shapes_are_not_one_row(tmp_path: Path) -> None:
    body = "\n".join(json.dumps({"messages": said(i), "prompt": f"a {i}", "completion": "b"}) for i in range(20))
    with pytest.raises(InvalidInput, match="of two kinds"):
        take(tmp_path, body, "mine.jsonl", task="causal_lm", mapping={"messages": "messages", "prompt": "prompt"})
    (tmp_path / "2").mkdir()
    asked = {"prompt": "prompt", "completion": "completion"}
    assert take(tmp_path / "2", body, "mine.jsonl", task="causal_lm", mapping=asked).columns == ("completion", "prompt")


@pytest.mark.parametrize("depth", [880, 920, 944, 960, 968, 976, 984, 992])
def test_at_no_depth_more_than_a_sentence_is_lost(depth: int, tmp_path: Path) -> None:
    turn = '{"role": "user", "content": ' + "[" * depth + "]" * depth + "}"
    body = "\n".join([f'{{"messages": [{turn}]}}', *(json.dumps({"messages": said(i)}) for i in range(20))])
    try:
        facts = take(tmp_path, body, "mine.jsonl", task="causal_lm")
        preview(tmp_path, source_of(tmp_path / "mine.jsonl"), PreviewPlan())
    except InvalidInput as refused:
        told = refused.message
    else:
        told = f"{facts.kept} kept, {facts.refused} refused"
    assert told in ("Line 1 is nested too deep.", "20 kept, 1 refused")


USER, ANSWER = said(0)
DEEP: Any = "x"
for _ in range(500):
    DEEP = [DEEP]
REFUSED: dict[str, tuple[Any, str]] = {
    "no list": ({"role": "user"}, "is no list of turns"),
    "a text": ("hello", "is a text, not a list of turns"),
    "no turn": ([], "holds no turn"),
    "a text for a turn": ([USER, "hi"], "no object with a role and a content: turn 2"),
    "nobody speaks": ([{"content": "hi"}], "does not say who speaks: turn 1"),
    "an unknown role": (
        [USER, {"role": "narrator", "content": "x"}],
        "unknown role 'narrator' in turn 2; known: system",
    ),
    "a role that is a list": ([{"role": ["user"], "content": "x"}], "unknown role"),
    "an empty answer": ([USER, {"role": "assistant", "content": " "}], r"empty turn: turn 2 \(assistant\)"),
    "an answer of null": ([USER, {"role": "assistant", "content": None}], r"empty turn: turn 2 \(assistant\)"),
    "a number": ([USER, {"role": "assistant", "content": 4}], r"no text in turn 2 \(assistant\)"),
    "a picture": (
        [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, ANSWER],
        "the kind 'image_url' in turn 1",
    ),
    "a call": ([USER, {**ANSWER, "tool_calls": [{"name": "x"}]}], r"a call of a tool \(tool_calls\) in turn 2"),
    "a weight": ([USER, {**ANSWER, "weight": 0}], r"turn 2 that it is not trained on \(weight\)"),
    "two users": ([USER, USER, ANSWER], "two user turns in a row: turn 2"),
    "two answers": ([USER, ANSWER, ANSWER], "two assistant turns in a row: turn 3"),
    "the assistant first": ([ANSWER, USER, ANSWER], "begins with the assistant's turn"),
    "a late system turn": ([USER, ANSWER, {"role": "system", "content": "x"}], "not the first: turn 3"),
    "a tool before all": ([{"role": "tool", "content": "x"}, ANSWER], "after none of the assistant"),
    "no answer": ([USER], "no turn of the assistant"),
    "too many": ([USER, ANSWER] * 600, "more than 1,000 turns"),
    "deep": ([USER, {"role": "assistant", "content": DEEP}], "no text in turn 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_conversation_is_refused_with_its_row(case: str, tmp_path: Path) -> None:
    value, reason = REFUSED[case]
    lines = [json.dumps({"messages": value}), *(json.dumps({"messages": said(i)}) for i in range(20))]
    facts = read(tmp_path, "\n".join(lines), "mine.jsonl", task="causal_lm")
    assert (facts.kept, facts.refused) == (20, 1)
    refused = json.loads((tmp_path / "out" / "refused.jsonl").read_text())
    assert (refused["place"], refused["column"]) == ("line 1", "messages")
    assert re.search(reason, refused["reason"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"messages": [{"role": "user", "role": "x", "content": "a"}]}', "Line 1 .* key 'role' occurs twice"),
        ('{"messages": [{"role": "user", "content": "a\\u0000"}]}', "Line 1, column 'messages': a NUL character"),
        ('{"messages": ' + "[" * 1000 + "]" * 1000 + "}", "Line 1 is nested too deep"),
        ('{"messages": ' + "[" * 100_000, "Line 1 is nested too deep"),
    ],
    ids=["a key twice", "a null byte", "a thousand deep", "a hundred thousand brackets"],
)
def test_what_no_text_file_holds_ends_the_reading(line: str, sentence: str, tmp_path: Path) -> None:
    body = "\n".join([line, *(json.dumps({"messages": said(i)}) for i in range(20))])
    with pytest.raises(InvalidInput, match=sentence):
        take(tmp_path, body, "mine.jsonl", task="causal_lm")
    with pytest.raises(InvalidInput, match=sentence) if "NUL" not in sentence else nullcontext():
        seen = preview(tmp_path, source_of(tmp_path / "mine.jsonl"), PreviewPlan(task="causal_lm"))
        assert "NUL" in seen.problems[0].detail


def test_conversations_that_begin_alike_stay_on_one_side_and_repeats_are_whole_ones(tmp_path: Path) -> None:
    other = [said(i)[0] | {"content": f" hello  {i}? "} for i in range(20)]
    rows = [{"messages": said(i)} for i in range(20)]
    rows += [{"messages": [other[i], {"role": "assistant", "content": f"Another {i}."}]} for i in range(20)]
    rows += [{"messages": said(i)} for i in range(5)]
    facts = read(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl", task="causal_lm")
    assert (facts.duplicates, facts.leaked) == (5, 0)
    first = {split: set() for split in ("train", "validation")}
    for split, begins in first.items():
        for line in (tmp_path / "out" / f"{split}.jsonl").read_text().splitlines():
            begins.add(" ".join(json.loads(line)["messages"][0]["content"].split()).lower())
    assert not first["train"] & first["validation"]
    assert row_key({"messages": said(1)}, 0) != row_key({"messages": said(1)}, 0, whole=True)


def test_leakage_is_judged_by_the_first_user_turn(tmp_path: Path) -> None:
    rows = [{"messages": said(i % 15), "split": "train" if i < 15 else "validation"} for i in range(20)]
    split = {"by": "column", "column": "split"}
    facts = read(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl", task="causal_lm", split=split)
    assert (facts.leaked, facts.duplicates) == (5, 5)


def test_conversations_that_end_with_a_user_are_told(tmp_path: Path) -> None:
    rows = [{"messages": [*said(i), {"role": "user", "content": "And?"}]} for i in range(20)]
    facts = read(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl", task="causal_lm")
    assert told(facts, "20 conversations end with no turn of the assistant")


def test_a_cell_is_shown_as_turns_below_each_other() -> None:
    assert written(human(1)) == "human: Hello 1?\ngpt: Hi 1."
    assert conversation(json.dumps(said(1)), "messages") == said(1)  # CSV has no lists
