"""Files as other programs write them: read as they are meant, and what is left out of them is told."""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.datasets.files.importing import open_table
from backend.datasets.files.plan import ImportPlan
from backend.datasets.files.table import source_of
from backend.datasets.hub import _values
from backend.datasets.preview import preview
from backend.datasets.schemas import PreviewPlan
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.budget import Budget
from tests.backend.datasets.test_files import NAMING, import_rows, take

ROWS = [{"text": f"film number {i} was long", "label": str(i % 2)} for i in range(40)]
BODY = "".join(f"{row['text']},{row['label']}\n" for row in ROWS)
FRAME = pd.DataFrame(ROWS)


def stored(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for split in ("train", "validation")
        for line in (folder / "out" / f"{split}.jsonl").read_text("utf-8").splitlines()
    ]


def read(folder: Path, content: bytes | str, name: str, **plan: Any) -> DatasetFacts:
    """Import a file; a preview of it must say the same."""
    folder.mkdir(exist_ok=True)
    facts = take(folder, content, name, **plan)
    seen = preview(folder, source_of(folder / name, quotes=plan.get("quotes", "auto")), PreviewPlan(**plan))
    assert (seen.problems, seen.warnings, seen.kept, seen.refused) == (
        (),
        facts.warnings,
        facts.kept,
        facts.refused,
    )
    return facts


def told(facts: DatasetFacts, part: str) -> bool:
    return any(part in sentence for sentence in facts.warnings)


SAME: dict[str, tuple[bytes | str, str]] = {
    "plain": ("text,label\n" + BODY, "mine.csv"),
    "pandas with its index": (FRAME.to_csv(), "mine.csv"),
    "two index columns": (",,text,label\n" + "".join(f"0,1,{line}\n" for line in BODY.splitlines()), "mine.csv"),
    "commas at the ends": ("text,label,,\n" + BODY.replace("\n", ",,\n"), "mine.csv"),
    "commas at the ends of rows": ("text,label\n" + BODY.replace("\n", ",\n"), "mine.csv"),
    "a comma at the end of the header": ("text,label,\n" + BODY, "mine.csv"),
    "as many commas as a spreadsheet has columns": ("text,label" + "," * 1000 + "\n" + BODY, "mine.csv"),
    "old Mac line ends": (("text,label\n" + BODY).replace("\n", "\r"), "mine.csv"),
    "old Mac line ends in JSON lines": ("\r".join(map(json.dumps, ROWS)), "mine.jsonl"),
    "packed CSV": (gzip.compress(("text,label\n" + BODY).encode()), "mine.csv.gz"),
    "packed JSON lines": (gzip.compress("\n".join(map(json.dumps, ROWS)).encode()), "MINE.JSONL.GZ"),
    "in two packs": (gzip.compress(b"text,label\n") + gzip.compress(BODY.encode()), "mine.csv.gz"),
    "unpacked on the way": ("text,label\n" + BODY, "mine.csv.gz"),
    "JSON lines": ("\n".join(map(json.dumps, ROWS)), "mine.json"),
    "array on one line": (json.dumps(ROWS), "mine.json"),
    "array, a row a line": ("[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n", "mine.json"),
    "array, pretty": (json.dumps(ROWS, indent=2), "mine.json"),
    "array, old Mac line ends": (json.dumps(ROWS, indent=2).replace("\n", "\r"), "mine.json"),
    "array of rows": (json.dumps([["text", "label"], *(list(row.values()) for row in ROWS)]), "mine.json"),
    "objects, pretty": ("\n".join(json.dumps(row, indent=1) for row in ROWS), "mine.json"),
    "records": (FRAME.to_json(orient="records"), "mine.json"),
    "columns": (FRAME.to_json(orient="columns"), "mine.json"),
    "index": (FRAME.to_json(orient="index"), "mine.json"),
    "split": (FRAME.to_json(orient="split"), "mine.json"),
    "table": (FRAME.to_json(orient="table"), "mine.json"),
    "lists": (json.dumps(FRAME.to_dict(orient="list"), indent=1), "mine.json"),
    "under a name": (json.dumps({"version": "1", "data": ROWS}), "mine.json"),
}


@pytest.mark.parametrize("case", SAME)
def test_one_table_is_one_data_set_however_it_is_written(case: str, tmp_path: Path) -> None:
    content, name = SAME[case]
    facts = read(tmp_path, content, name)
    assert (facts.kept, facts.refused, facts.label_names) == (40, 0, ("0", "1"))
    assert facts.content_hash == read(tmp_path / "plain", *SAME["plain"]).content_hash


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]))] * 2), min_size=2, max_size=9), st.data())
def test_json_is_the_same_in_lines_arrays_and_columns(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    found = [{"text": one, "label": other} for one, other in rows]
    indent = data.draw(st.sampled_from([None, 0, 3]))
    ways = (
        "\n".join(map(json.dumps, found)),
        json.dumps(found, indent=indent, ensure_ascii=False),
        json.dumps({key: [row[key] for row in found] for key in ("text", "label")}, indent=indent),
        json.dumps({str(i): row for i, row in enumerate(found)}, indent=indent),
        " ".join(json.dumps(row, indent=2) for row in found),
    )
    folder = tmp_path_factory.mktemp("json")
    for way in ways:
        if "\0" in way:
            continue
        (folder / "rows.json").write_text(way, "utf-8", newline="")
        table = open_table(source_of(folder / "rows.json"))
        assert table.columns == ["text", "label"]
        assert [row for _, row in table.rows] == found


def test_a_large_array_is_read_row_by_row(tmp_path: Path) -> None:
    draw = random.Random(0)
    rows = [{"text": "é" * draw.randrange(4000) + str(i), "label": i % 2} for i in range(2000)]
    (tmp_path / "rows.json").write_text(json.dumps(rows, indent=draw.randrange(3), ensure_ascii=False), "utf-8")
    assert [row for _, row in open_table(source_of(tmp_path / "rows.json")).rows] == rows


REFUSED: dict[str, tuple[bytes | str, str, str]] = {
    "a cell under no name": ("text,label,\nfilm,1,\ngood, film,1\n", "mine.csv", "Line 3 has a cell in a column witho"),
    "a nameless column between others": ("text,,label\nfilm,,1\n", "mine.csv", "Column 2 of the header"),
    "no name at all": (",,\nfilm,1,\n", "mine.csv", "Column 1 of the header"),
    "cells beyond the header": ("text,label\nfilm,1,\ngood, film,1\n", "mine.csv", "Line 3 has 3 cells"),
    "an array that is cut": (json.dumps(ROWS, indent=1)[:-40], "mine.json", "is not valid JSON"),
    "an array that is never closed": (json.dumps(ROWS)[:-1], "mine.json", "the array is never closed"),
    "text after an array": (json.dumps(ROWS) + "\n{}", "mine.json", "Line 2 is not valid JSON: something follows"),
    "rows without a comma": (json.dumps(ROWS).replace("}, {", "} {", 1), "mine.json", "Expecting ',' delimiter"),
    "a comma too many": ('[{"text": "a", "label": 0}, ]', "mine.json", "Line 1 is not valid JSON: .* at character 29"),
    "a comma too many, lower": (
        '[\n{"text": "a", "label": 0},\n ]',
        "mine.json",
        "Line 3 is not valid JSON: .* at character 2",
    ),
    "a row of another length": ('[["text", "label"], ["film"]]', "mine.json", "Row 2 of the array is not a list of 2"),
    "several tables": (json.dumps({"train": ROWS, "test": ROWS}), "mine.json", r"several tables \(train, test\)"),
    "uneven columns": ('{"text": ["a", "b"], "label": [1]}', "mine.json", "different lengths"),
    "a pack that is cut": (gzip.compress(("text,label\n" + BODY).encode())[:-20], "mine.csv.gz", "damaged or cut off"),
    "a broken pack": (gzip.compress(BODY.encode())[:12] + b"\xff" * 40, "mine.csv.gz", "damaged or cut off"),
    "a pack in a pack": (gzip.compress(gzip.compress(BODY.encode())), "mine.csv.gz", "compressed with gzip"),
    "a packed parquet": (gzip.compress(b"PAR1"), "mine.parquet.gz", "Parquet is packed itself"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_so_is_refused_by_what_it_is(case: str, tmp_path: Path) -> None:
    content, name, sentence = REFUSED[case]
    with pytest.raises(InvalidInput, match=sentence):
        take(tmp_path, content, name, task="classification")


def tsv(rows: list[tuple[str, str]], **writing: Any) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n", **writing).writerows([("text", "label"), *rows])
    return out.getvalue()


QUOTED = [('"So it goes" , she said', "1"), ('an "odd', "0"), ('"never closed', "1"), ('closed never"', "0")]


def test_a_quote_in_tsv_is_a_character_where_the_file_shows_it(tmp_path: Path) -> None:
    rows = [(f"{i} {text}" if i % 2 else f"{text} {i}", label) for i in range(9) for text, label in QUOTED]
    read(tmp_path, "text\tlabel\n" + "".join("\t".join(row) + "\n" for row in rows), "mine.tsv")
    assert sorted(row["text"] for row in stored(tmp_path)) == sorted(text for text, _ in rows)
    swallowing = 'text\tlabel\n"one\t1\ntwo"\t0\n' + "".join(f"film {i}\t{i % 2}\n" for i in range(9))
    assert read(tmp_path / "2", swallowing, "mine.tsv").kept == 11  # a quoted cell over two lines would make it ten


CELLS = st.text('ab"\t ', min_size=1) | st.text('ab"\n ', min_size=1)  # with both, only a quoted header tells


@given(
    st.lists(st.tuples(CELLS.filter(str.strip), st.sampled_from("01")), max_size=9),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
@example([("a\t1\nb", "0")], csv.QUOTE_ALL)
def test_tsv_that_a_writer_quoted_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], quoting: Any
) -> None:
    file = tmp_path_factory.mktemp("tsv") / "rows.tsv"
    file.write_text(tsv(rows, quoting=quoting), "utf-8", newline="")
    assert [tuple(row.values()) for _, row in open_table(source_of(file)).rows] == rows


@given(st.lists(st.tuples(st.text('ab" ', min_size=1).filter(str.strip), st.sampled_from("01")), max_size=9))
def test_quotes_may_be_told_to_be_characters(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    for name, sign in (("rows.tsv", "\t"), ("rows.csv", ",")):
        file = tmp_path_factory.mktemp("plain") / name
        file.write_text("".join(sign.join(row) + "\n" for row in [("text", "label"), *rows]), "utf-8", newline="")
        assert [tuple(row.values()) for _, row in open_table(source_of(file, quotes="plain")).rows] == rows


def test_columns_of_later_rows_are_seen(tmp_path: Path) -> None:
    rows = [{"text": f"film {i}"} | ({} if i == 0 else {"label": i % 2}) for i in range(40)]
    facts = read(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl")
    assert (facts.kept, facts.refused) == (39, 1)
    refused = json.loads((tmp_path / "out" / "refused.jsonl").read_text())
    assert (refused["place"], refused["column"], refused["reason"]) == ("line 1", "label", "is missing")
    late = [{"text": f"film {i}", "label": i % 2} | ({"text_pair": "b"} if i == 1500 else {}) for i in range(1600)]
    facts = read(tmp_path / "late", "\n".join(map(json.dumps, late)), "mine.jsonl")
    assert told(facts, "The column 'text_pair' is not read: it first appears in line 1,501")


def test_nan_matters_in_mapped_columns_only(tmp_path: Path) -> None:
    rows = [{"text": f"film {i}", "label": i % 2, "score": float("nan"), "far": -float("inf")} for i in range(40)]
    assert read(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl").kept == 40
    rows[3]["label"] = rows[4]["text"] = float("nan")
    facts = read(tmp_path / "2", json.dumps(rows), "mine.json")
    assert (facts.kept, facts.refused) == (38, 2)
    assert told(facts, "1 × column 'label' is missing: NaN is not JSON")


def parquet(folder: Path, table: pa.Table) -> bytes:
    pq.write_table(table, folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def test_parquet_columns_of_other_types_are_named(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": [f"film {i}" for i in range(40)],
            "label": [i % 2 for i in range(40)],
            "meta": [{"year": i} for i in range(40)],
            "blob": [b"\0"] * 40,
            "when": pa.array([0] * 40, pa.timestamp("s")),
        }
    )
    facts = read(tmp_path, parquet(tmp_path, table), "mine.parquet")
    assert told(facts, "left out: 'meta' (struct<year: int64>), 'blob' (binary), 'when' (timestamp[ms])")
    odd = {
        r"Which column is the label\?.*left out: 'meta' \(struct<year": table.drop(["label"]),
        r"No column holds text or numbers. The file has: 'blob' \(binary\)": table.select(["blob"]),
    }
    for number, (sentence, made) in enumerate(odd.items()):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(InvalidInput, match=sentence):
            take(tmp_path / str(number), parquet(tmp_path, made), "mine.parquet")


def with_names(names: Any, labels: list[int]) -> pa.Table:
    table = pa.table({"text": [f"film {i}" for i in range(len(labels))], "label": labels})
    about = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}, "text": {"dtype": "string"}}}}
    return table.replace_schema_metadata({"huggingface": json.dumps(about)})


def test_parquet_tells_the_names_of_its_classes(tmp_path: Path) -> None:
    facts = read(tmp_path, parquet(tmp_path, with_names(["neg", "None", "pos"], [0, 1, 2, -1, 7] * 9)), "m.parquet")
    assert (facts.label_names, facts.kept, facts.refused) == (("None", "neg", "pos"), 27, 18)
    assert told(facts, "9 × column 'label' is -1, the sign for 'no label'")
    (tmp_path / "2").mkdir()
    scores = take(tmp_path / "2", parquet(tmp_path, with_names(["a", "b"], [0, 1] * 9)), "m.parquet", task="regression")
    assert scores.label_range == (0, 1)


def test_the_hub_hands_class_names_on(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(parquet(tmp_path, with_names(["neg", "pos"], [0, 1, -1])))
    for named, labels in ((True, ["neg", "pos", -1]), (False, [0, 1, -1])):
        rows = _values(tmp_path / "train.parquet", named, Budget(tmp_path, 1 << 20, 1 << 20, 0))
        assert [row["label"] for row in rows] == labels


@pytest.mark.parametrize("names", [None, 3, [["a"]], {"0": "a"}])
def test_odd_metadata_is_no_reason_to_fail(names: Any, tmp_path: Path) -> None:
    assert read(tmp_path, parquet(tmp_path, with_names(names, [0, 1] * 20)), "m.parquet").kept == 40


ALPACA = [
    {"instruction": f"Say {i}.", "input": f"in {i}" if i % 3 == 0 else "", "output": f"out {i}"} for i in range(60)
]
INSTRUCTIONS: dict[str, tuple[Callable[[dict[str, str]], dict[str, Any]], int]] = {
    "alpaca": (dict, 60),
    "with the whole text beside": (lambda row: {**row, "text": "Below is an instruction."}, 60),
    "without an input": (lambda row: {key: row[key] for key in ("instruction", "output")}, 0),
    "null for no input": (lambda row: {**row, "input": row["input"] or None}, 60),
    "dolly": (lambda row: {"instruction": row["instruction"], "context": row["input"], "response": row["output"]}, 60),
}


@pytest.mark.parametrize("case", INSTRUCTIONS)
def test_instructions_keep_their_input_and_no_row_is_lost(case: str, tmp_path: Path) -> None:
    change, inputs = INSTRUCTIONS[case]
    body = "\n".join(json.dumps(change(row)) for row in ALPACA)
    facts = read(tmp_path, body, "mine.jsonl", task="causal_lm")
    assert (facts.kept, facts.refused) == (60, 0)
    expected = {(f"Say {i}." + (f"\nin {i}" if inputs and i % 3 == 0 else ""), f"out {i}") for i in range(60)}
    assert {(row["prompt"], row["completion"]) for row in stored(tmp_path)} == expected
    file = tmp_path / "mine.jsonl"
    assert preview(tmp_path, source_of(file), PreviewPlan()).task == "causal_lm"


def test_what_is_left_of_an_instruction_is_told(tmp_path: Path) -> None:
    body = "\n".join(json.dumps({**row, "system": "Be brief.", "history": []}) for row in ALPACA)
    assert told(read(tmp_path, body, "mine.jsonl", task="causal_lm"), "not trained on: 'system', 'history'")
    alone = [{"input": row["instruction"], "output": row["output"]} for row in ALPACA]
    facts = read(tmp_path / "2", "\n".join(map(json.dumps, alone)), "mine.jsonl", task="causal_lm")
    assert facts.kept == 60  # an input alone is the prompt, as ever


def test_marks_of_a_chat_in_texts_are_told(tmp_path: Path) -> None:
    rows = [{"prompt": f"<|im_start|>user\nHello {i}<|im_end|>", "completion": f" Hi {i}"} for i in range(40)]
    facts = read(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl", task="causal_lm")
    assert told(facts, "40 rows hold marks of a chat ('<|im_start|>') as text")


def test_files_held_out_may_be_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\n" + BODY)
    held = [{"text": f"held {i}", "label": i % 2} for i in range(10)]
    (tmp_path / "held.json.gz").write_bytes(gzip.compress(json.dumps(held).encode()))
    (tmp_path / "out").mkdir()
    plan = ImportPlan(task="classification")
    facts = import_rows(tmp_path / "out", tmp_path / "train.csv", tmp_path / "held.json.gz", plan, NAMING)
    assert (facts.rows, facts.label_names) == ({"train": 40, "validation": 10}, ("0", "1"))
