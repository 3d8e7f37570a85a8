"""Odd files: each is refused with a sentence that names the place, or read to the last character."""

import csv
import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from backend.datasets.files.delimited import read_delimited
from backend.datasets.files.importing import import_rows
from backend.datasets.files.plan import ImportPlan
from backend.datasets.files.text_file import text_lines
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.row import ColumnMapping

GOOD = "".join(f"film {i} is {'good' if i % 2 else 'bad'},{i % 2}\n" for i in range(20))
NAMING = {"id": "mine", "title": "mine", "builtin": False, "source": "test", "licence": "none"}


def take(tmp_path: Path, content: bytes | str, name: str = "mine.csv", **plan: Any) -> DatasetFacts:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    folder = tmp_path / "out"
    folder.mkdir()
    return import_rows(folder, file, None, ImportPlan(**{"task": "classification"} | plan), NAMING)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mine.csv", "text,label\n" + GOOD)
    return buffer.getvalue()


REFUSED: dict[str, tuple[bytes | str, str]] = {
    "empty": ("", "is empty"),
    "header only": ("text,label\n", "No usable row"),
    "duplicate header": ("text,label,text\n" + GOOD, "'text' occurs twice in the header"),
    "unnamed column": ("text,,label\na,b,1\n", "Column 2 of the header"),
    "wrong separator": ("text;label\nfilm 1\n", "is the separator"),
    "one class": ("text,label\n" + "film,1\n" * 9, "same label '1'"),
    "unclosed quote": ("text,label\n" + GOOD + '"film,1\n' + GOOD, "line 22 cannot be read: a quoted cell is never"),
    "text after quote": ('text,label\nfine,0\n"film" x,1\n', "Line 3 cannot be read: there is text after a closing"),
    "ragged": ("text,label\nfilm,1\nfilm,again,0\n", "Line 3 has 3 cells where the header has 2"),
    "short row": ("text,label\nfilm,1\nfilm\n", "Line 3 has 1 cells"),
    "nul": ("text,label\nfilm,1\nfi\0lm,0\n", "Line 3 holds a NUL"),
    "latin-1": ("text,label\nfilm,1\ncafé,0\n".encode("latin-1"), "Line 3 is not UTF-8"),
    "utf-16": (("text,label\n" + GOOD).encode("utf-16"), "UTF-16"),
    "gzip": (gzip.compress(GOOD.encode()), "gzip"),
    "zip": (zipped(), "zip archive"),
    "pickled": (pickle.dumps({"text": ["film"]}), "pickled"),
    "parquet": (b"PAR1" + b"\0" * 20, "Parquet"),
    "huge cell": ("text,label\n" + "a" * ((1 << 20) + 1) + ",1\n" + GOOD, "Line 2 cannot be read: a cell is larger"),
    "huge cell in bytes": (
        "text,label\nfilm,0\n" + "é" * (1 << 19) + "éé,1\n",
        "Line 3, column 'text': a cell of more",
    ),
    "no text column": ("words,more,label\n" + GOOD, r"Which column is the text\?"),
    "too many columns": (",".join(f"c{i}" for i in range(300)) + "\n", "300 columns"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_odd_file_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    content, sentence = REFUSED[case]
    with pytest.raises(InvalidInput, match=sentence):
        take(tmp_path, content)


REFUSED_JSON: dict[str, tuple[str, str]] = {
    "not json": ('{"text": "a", "label": 1}\n{"text": "a"\n', "Line 2 is not valid JSON"),
    "a list": ("[1, 2]\n", "Line 1 is not a JSON object"),
    "duplicate key": ('{"text": "a", "label": 1, "text": "b"}\n', "'text' occurs twice"),
    "nan": ('{"text": "a", "label": NaN}\n', "NaN is not JSON"),
    "lone surrogate": ('{"text": "a\\ud800", "label": 1}\n', "Line 1, column 'text': half of a surrogate pair"),
    "escaped nul": ('{"text": "a", "label": 1}\n{"text": "a\\u0000", "label": 0}\n', "Line 2, column 'text': a NUL"),
    "deep": ("[" * 100_000, "nested too deep"),
    "blank lines only": ("\n\n\n", "holds no row"),
}


@pytest.mark.parametrize("case", REFUSED_JSON)
def test_odd_json_lines_are_refused_with_their_place(tmp_path: Path, case: str) -> None:
    content, sentence = REFUSED_JSON[case]
    with pytest.raises(InvalidInput, match=sentence):
        take(tmp_path, content, "mine.jsonl")


def test_rows_read_are_rows_kept_and_refused(tmp_path: Path) -> None:
    facts = take(tmp_path, "text,label\n" + GOOD + "  ,1\nfilm,\n" + GOOD)
    assert (facts.read, facts.kept, facts.refused) == (42, 40, 2)
    refused = [json.loads(line) for line in (tmp_path / "out" / "refused.jsonl").read_text().splitlines()]
    assert refused == [
        {"place": "line 22", "column": "text", "reason": "is empty", "values": {"text": "  ", "label": "1"}},
        {"place": "line 23", "column": "label", "reason": "is missing", "values": {"text": "film", "label": ""}},
    ]
    assert sum(facts.rows.values()) == 40


def test_regression_labels_must_be_finite_numbers(tmp_path: Path) -> None:
    facts = take(tmp_path, "text,label\na,1.5\nb,inf\nc,high\nd,-2\n", task="regression")
    assert (facts.kept, facts.refused, facts.label_range) == (2, 2, (-2.0, 1.5))


def test_columns_are_guessed_or_told(tmp_path: Path) -> None:
    body = "Sentence1,Sentence2,Label\na,b,yes\nc,d,no\ne,f,yes\ng,h,no\n"
    facts = take(tmp_path, body)
    assert facts.columns == ("label", "text", "text_pair")
    assert facts.label_names == ("no", "yes")
    told = import_rows(
        (tmp_path / "two").mkdir() or tmp_path / "two",
        tmp_path / "mine.csv",
        None,
        ImportPlan(task="classification", mapping=ColumnMapping(text="Sentence2", text_pair="Sentence1")),
        NAMING,
    )
    assert told.content_hash != facts.content_hash
    with pytest.raises(InvalidInput, match="no column 'words'"):
        import_rows(
            (tmp_path / "three").mkdir() or tmp_path / "three",
            tmp_path / "mine.csv",
            None,
            ImportPlan(task="classification", mapping=ColumnMapping(text="words")),
            NAMING,
        )


def test_tabs_byte_order_marks_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    body = ("text\tlabel\r\n" + GOOD.replace(",", "\t").replace("\n", "\r\n")).encode("utf-8-sig")
    assert take(tmp_path, body, "mine.tsv").kept == 20


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))] * 3), max_size=20
    )
)
def test_what_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]) -> None:
    file = tmp_path_factory.mktemp("csv") / "rows.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerows([("a", "b", "c"), *rows])
    columns, found = read_delimited(file, ",")
    assert columns == ["a", "b", "c"]
    assert [tuple(row.values()) for _, row in found] == rows


@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa")
@example(b"\xef\xbb")
def test_any_bytes_end_in_text_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "any.csv"
    file.write_bytes(content)
    assume(not content.startswith((b"PK", b"BZh", b"PAR1", b"%PDF")))
    try:
        expected = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        expected = "\0"
    if content and "\0" not in expected:
        assert "".join(text_lines(file)) == expected
    else:
        with pytest.raises(InvalidInput, match=r"\.$"):
            list(text_lines(file))


@pytest.mark.parametrize(("spoil", "sentence"), [(b"\xff", "is not UTF-8"), (b"\0", "holds a NUL")])
def test_places_are_right_beyond_the_first_chunk(tmp_path: Path, spoil: bytes, sentence: str) -> None:
    lines = [f"é film number {i},{i % 2}".encode() for i in range(60_000)]
    lines[54_321] += spoil
    (tmp_path / "long.csv").write_bytes(b"\n".join(lines))
    assert (tmp_path / "long.csv").stat().st_size > 1 << 20
    with pytest.raises(InvalidInput, match=f"Line 54,322 {sentence}"):
        for _ in text_lines(tmp_path / "long.csv"):
            pass
