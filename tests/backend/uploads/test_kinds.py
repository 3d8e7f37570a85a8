"""Files of every kind over REST: the preview, the stored data set and its warnings say the same."""

import gzip
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.backend.make_studies import API
from tests.backend.uploads.test_uploads import send

ROWS = [{"text": f"film number {i} was long", "label": i % 2} for i in range(60)]
KINDS: dict[str, tuple[bytes, str, dict[str, Any]]] = {
    "array": (json.dumps(ROWS, indent=1).encode(), "rows.json", {}),
    "packed": (gzip.compress("\n".join(map(json.dumps, ROWS)).encode()), "rows.jsonl.gz", {}),
    "format told": (json.dumps(ROWS).encode(), "rows.txt", {"format": "jsonl"}),
    "quotes told": (
        ("text,label\n" + "".join(f'"film" {i},{i % 2}\n' for i in range(60))).encode(),
        "rows.csv",
        {"quotes": "plain"},
    ),
    "labels that look alike": (
        ("text,label\n" + "".join(f"film {i},{'Yes' if i % 3 else 'yes'}\n" for i in range(60))).encode(),
        "rows.csv",
        {},
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_preview_and_the_data_set_say_the_same(case: str, sqlite_client: TestClient) -> None:
    content, name, plan = KINDS[case]
    upload = send(sqlite_client, content, name)
    seen = sqlite_client.post(f"{API}/uploads/{upload}/preview", json=plan).json()
    made = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification", **plan})
    assert made.status_code == 201, made.text
    facts = made.json()
    assert (facts["id"], facts["kept"], seen["problems"]) == ("rows", 60, [])
    assert seen["warnings"] == facts["warnings"]
    assert facts["warnings"]  # 12 rows for validation are few
    assert sqlite_client.get(f"{API}/datasets/rows").json() == facts


def test_a_file_held_out_may_be_of_another_kind(sqlite_client: TestClient) -> None:
    train = send(sqlite_client, json.dumps(ROWS).encode(), "train.json")
    held = send(sqlite_client, gzip.compress(b"text,label\nheld 1,1.0\nheld 2,0.0\n"), "held.csv.gz")
    plan = {"validation_upload_id": held}
    seen = sqlite_client.post(f"{API}/uploads/{train}/preview", json=plan).json()
    assert (seen["problems"], seen["rows"], seen["label_count"]) == ([], {"train": 60, "validation": 2}, 2)
    made = sqlite_client.post(f"{API}/uploads/{train}/commit", json={"task": "classification", **plan}).json()
    assert (made["rows"], made["label_names"]) == (seen["rows"], ["0", "1"])
    assert made["warnings"] == seen["warnings"]


def test_a_name_in_any_script_makes_an_id_of_its_own(sqlite_client: TestClient) -> None:
    ids = []
    for name in ("レビュー.csv", "感想.csv", "レビュー.csv"):
        body = "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in ROWS)
        upload = send(sqlite_client, body.encode(), name)
        made = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification"}).json()
        assert made["title"] == name
        ids.append(made["id"])
    assert len(set(ids)) == 3
    assert ids[2] == f"{ids[0]}-2"
