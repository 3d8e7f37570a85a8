"""Studies of conversations: template and loss are named, and what cannot be read is told before anything is queued."""

import json
from pathlib import Path
from typing import Any

import pytest

from backend.catalogue import register as registry
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.catalogue.models import model_location, write_manifest
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.studies.expand import Expansion, expand
from tests.backend.shared.chat.styles import STYLES, byte_tokenizer
from tests.worker.data.stored import store


def talk(i: int, rounds: int = 1) -> dict[str, Any]:
    said = [("user", f"hello {i}"), ("assistant", f"the answer {i}")] * rounds
    return {"messages": [{"role": role, "content": content} for role, content in said]}


@pytest.fixture
def settings(sqlite_settings: Settings, tmp_path: Path) -> Settings:
    from tests.worker.models.tiny import save_tiny

    folder = save_tiny(tmp_path / "model", "llama")
    byte_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    naming = Naming("talker", "talker", False, "local folder", registry.UNKNOWN_LICENCE)
    write_manifest(sqlite_settings.shared, inspect_folder(folder, naming, tmp_path / "cache"), folder)
    rows = [("train" if i % 3 else "validation", talk(i, 1 + i % 2)) for i in range(60)]
    store(sqlite_settings.shared, "talks", "causal_lm", rows)
    return sqlite_settings


def asked(settings: Settings, own: str | None = None, **training: Any) -> Expansion:
    """The study of a model whose own template is `own`, None for one without."""
    if own is not None:
        (model_location(settings.shared, "talker") / "chat_template.jinja").write_text(own)
    body = {
        "name": "chat",
        "model": "talker",
        "dataset": "talks",
        "task": "causal_lm",
        "seeds": 2,
        "arms": [{"method": "none"}],
        "training": {"max_length": 60, **training},
    }
    return expand(settings, StudySpec.model_validate(body))


def test_the_template_and_the_loss_are_named_in_the_study(settings: Settings) -> None:
    base = asked(settings)
    assert (base.problems, base.study.training.template, base.study.training.loss_on) == ([], "chatml", "assistant")
    own = asked(settings, STYLES["tagged"])
    assert own.arms[0].spec.training.template == "model"
    plain = asked(settings, loss_on="last_assistant")
    assert plain.arms[0].spec.training.loss_on == "last_assistant"
    assert len({base.arms[0].key, own.arms[0].key, plain.arms[0].key}) == 3


def test_what_cannot_be_read_is_told_before_anything_is_queued(settings: Settings) -> None:
    refusing = asked(settings, "{{ raise_exception('no talking') }}")
    assert [(one.pointer, "no talking" in one.message) for one in refusing.problems] == [("/training/template", True)]
    partly = asked(settings, "{% if messages|length > 2 %}{{ raise_exception('short') }}{% endif %}" + STYLES["tagged"])
    assert partly.problems == []
    assert any("cannot be read so and are left out; row" in one.message for one in partly.warnings)
    short = asked(settings, STYLES["tagged"], max_length=8)
    assert [one.pointer for one in short.problems] == ["/training/max_length"]
    endless = asked(settings, "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    assert "within 2 seconds" in endless.problems[0].message


def test_a_model_without_a_template_is_told_so(settings: Settings) -> None:
    body = asked(settings).study.model_dump(mode="json", exclude={"plan"})
    body["training"]["template"] = "model"
    found = expand(settings, StudySpec.model_validate(body))
    assert "no chat template of its own" in found.problems[0].message


def test_a_classifier_reads_no_conversations(settings: Settings) -> None:
    rows = [(split, {"text": f"a {i}", "label": str(i % 2)}) for split in ("train", "validation") for i in range(40)]
    store(settings.shared, "films", "classification", rows)
    body = {"name": "x", "model": "talker", "dataset": "films", "arms": [{"method": "none"}], "seeds": 2}
    found = expand(settings, StudySpec.model_validate({**body, "training": {"template": "chatml"}}))
    assert "/training/template" in [one.pointer for one in found.problems]
