"""SmolLM2 on E2E: a small study of three arms whose BLEU and ROUGE-L are those of the metrics' own command lines."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from transformer_dropout import preset

from backend.shared.specs import ArmKeySpec, GenerationSpec, RunSpec, TrainingSpec
from backend.shared.trainer_protocol import PackedRun, Start
from tests.worker.engine.tiny_pack import Told
from worker.engine.text_scores import Answer, text_scores

E2E = Path(__file__).parents[3] / "shared" / "data" / "e2e"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("generation"),  # what they look at is trained once
    pytest.mark.skipif(not E2E.is_dir(), reason="../shared/data/e2e is not here"),
]
SEEN = 5  # validation prompts that are answered, all of them kept as examples


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Three arms, one seed, a few steps: what the runs said, and where they were trained."""
    import torch

    from backend.datasets.files.importing import ImportPlan, import_rows
    from backend.shared.catalogue import require_model
    from backend.shared.rows.row import ColumnMapping
    from worker.engine.loaded import Warm
    from worker.engine.pack import run_pack

    home = tmp_path_factory.mktemp("home")
    folder = home / "datasets" / "e2e"
    folder.mkdir(parents=True)
    plan = ImportPlan(task="causal_lm", mapping=ColumnMapping())
    naming = {"id": "e2e", "title": "E2E", "builtin": False, "source": "test", "licence": "CC BY-SA 4.0"}
    data = import_rows(folder, E2E / "train.jsonl", E2E / "validation.jsonl", plan, naming)
    model = require_model(home, "smollm2-135m")

    def arm(method: str, rate: float | None) -> ArmKeySpec:
        return ArmKeySpec(
            model=model.ref,
            dataset=data.ref,
            task="causal_lm",
            train_rows=24,
            validation_rows=SEEN,
            probe_rows=SEEN,
            generation=GenerationSpec(rows=SEEN, max_new_tokens=40),
            method_name=method,
            method=preset(method, rate).resolve(model.layers, True).to_dict(),
            rank=4,
            alpha=32,
            target_modules=("q_proj", "v_proj"),
            training=TrainingSpec(epochs=1, batch_size=4, learning_rate=2e-3, max_length=128, evaluations=1),
        )

    arms = {"none": arm("none", None), "hiddencut": arm("hiddencut", 0.1), "hiddenkey": arm("hiddenkey", 0.1)}
    told = Told()
    runs = tuple(
        PackedRun(run_id=name, fence=1, spec=RunSpec(arm=one, seed=0), folder=str(home / "runs" / name))
        for name, one in arms.items()
    )
    torch.set_num_threads(1)
    run_pack(Start(claim_id="c", home=str(home), runs=runs), Warm(home, torch.device("cpu")), told, lambda: ())
    return {"told": told, "home": home, "arms": arms}


def _said(trained: dict[str, Any], run: str) -> tuple[dict[str, float], Any]:
    told: Told = trained["told"]
    assert not told.only(run, "failed"), told.only(run, "failed")
    return told.values(run)[-1], told.only(run, "finished")[0].examples


@pytest.mark.parametrize("run", ["none", "hiddencut", "hiddenkey"])
def test_scores_are_those_of_the_command_lines(trained: dict[str, Any], run: str, tmp_path: Path) -> None:
    values, texts, references = _answers(trained, run)
    assert len(texts) == SEEN
    assert max(len(some) for some in references) > 1, "several references are part of what is tested"
    assert values["validation/bleu"] == pytest.approx(_sacrebleu(texts, references, "bleu", tmp_path), abs=1e-6)
    assert values["validation/chrf"] == pytest.approx(_sacrebleu(texts, references, "chrf", tmp_path), abs=1e-6)
    # The command line counts an empty line as a reference in TER alone, so it is asked with as many for each text.
    every = [Answer("", text, tuple(some)) for text, some in zip(texts, references, strict=True)]
    assert values["validation/ter"] == text_scores(every)["ter"]
    least = min(map(len, references))
    even = [some[:least] for some in references]
    alike = [Answer("", text, tuple(some)) for text, some in zip(texts, even, strict=True)]
    assert text_scores(alike)["ter"] == pytest.approx(_sacrebleu(texts, even, "ter", tmp_path), abs=1e-6)
    assert values["validation/rouge_l"] == pytest.approx(100 * _rouge_l(texts, references, tmp_path), abs=1e-4)


def test_generated_texts_are_shown_and_are_those_of_stock_peft(trained: dict[str, Any]) -> None:
    """Greedy answers of the exported adapter in stock PEFT, to the same padded prompts in the run's own precision."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    told: Told = trained["told"]
    _, examples = _said(trained, "none")
    assert len(examples.generated) == SEEN
    assert examples.worst
    base = next((trained["home"] / "cache" / "models").glob("smollm2-135m-*/config.json")).parent
    adapter = told.artifact("none").folder
    tokenizer = AutoTokenizer.from_pretrained(adapter)
    record = told.only("none", "started")[0].record
    dtype = torch.bfloat16 if record["precision"] == "bf16" else torch.float32
    stock = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    model = PeftModel.from_pretrained(stock, adapter, autocast_adapter_dtype=False).eval()
    shown = sorted(examples.generated, key=lambda one: len(tokenizer(one.text)["input_ids"]))
    assert all(one.label for one in shown)
    tokenizer.padding_side = "left"
    prompts = [one.text + "\n" for one in shown]
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    found = model.generate(**inputs, max_new_tokens=40, do_sample=False)
    texts = tokenizer.batch_decode(found[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert [text.strip() for text in texts] == [one.predicted for one in shown]


def test_the_adapter_loses_what_was_recorded_in_stock_peft_and_merged(trained: dict[str, Any], tmp_path: Path) -> None:
    """`validation/loss_fp32` to 1e-4 over all completion tokens, for the method that drops most; then without PEFT."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from worker.models.merge import merge

    told, home, arm = trained["told"], trained["home"], trained["arms"]["hiddenkey"]
    adapter = Path(told.artifact("hiddenkey").folder)
    base = next((home / "cache" / "models").glob("smollm2-135m-*/config.json")).parent
    recorded = told.final("hiddenkey")["validation/loss_fp32"]
    stock = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    untrained = _loss(trained, stock, arm)
    assert untrained - recorded > 0.05, "the adapter does nothing"
    assert _loss(trained, PeftModel.from_pretrained(stock, adapter).eval(), arm) == pytest.approx(recorded, abs=1e-4)
    merge(home, adapter, tmp_path / "merged", arm.model, "causal_lm")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    assert not any("lora" in name for name, _ in merged.named_parameters())
    assert _loss(trained, merged, arm) == pytest.approx(recorded, abs=1e-4)


def test_the_cards_code_runs(trained: dict[str, Any], tmp_path: Path) -> None:
    """The blocks of a causal model card, as the server writes it, with this adapter and the weights it stands on."""
    import torch
    from fastapi.testclient import TestClient
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from backend.main import create_app
    from backend.shared.settings import Settings
    from tests.backend.make_studies import post, train

    settings = Settings(home=tmp_path / "home")
    app = create_app(settings)
    client = TestClient(app, base_url="http://127.0.0.1")
    study = post(client, model="smollm2-135m", dataset="chatterbot", task="causal_lm", seeds=1)
    run_id = train(app.state.context.database, settings.home)[0]
    artifact = client.get(f"/api/v1/runs/{run_id}/artifacts").json()["items"][0]["id"]
    archive = client.get(f"/api/v1/artifacts/{artifact}/download").content
    card = zipfile.ZipFile(io.BytesIO(archive)).read("README.md").decode()
    app.state.doorbell.close()
    app.state.context.database.close()
    assert study["name"] in card
    assert "base_model: HuggingFaceTB/SmolLM2-135M-Instruct" in card
    code = "\n".join(re.findall(r"```python\n(.*?)```", card, re.DOTALL))
    code += "\nassert model.training and sum(p.requires_grad for p in model.parameters()) > 0\n"
    base = next((trained["home"] / "cache" / "models").glob("smollm2-135m-*/config.json")).parent
    adapter = Path(trained["told"].artifact("hiddenkey").folder)
    environment = {**os.environ, "ADAPTER": str(adapter), "BASE_MODEL": str(base), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    tokenizer, stock = _tokenizer(adapter), AutoModelForCausalLM.from_pretrained(base)
    inputs = tokenizer("name : The Mill | food : French\n", return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        found = PeftModel.from_pretrained(stock, adapter).eval().generate(**inputs, max_new_tokens=40)
    assert done.stdout.strip() == tokenizer.decode(found[0]).strip()


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _loss(trained: dict[str, Any], model: Any, arm: ArmKeySpec) -> float:
    """Mean negative log-likelihood of the completion tokens of the validation rows, one row at a time."""
    import torch
    from torch.nn.functional import cross_entropy

    from worker import data as datasets

    home = trained["home"]
    adapter = Path(trained["told"].artifact("hiddenkey").folder)
    dataset = datasets.load(arm.dataset, "causal_lm", home)
    tokens = datasets.tokenise(dataset, arm.model, _tokenizer(adapter), arm.training.max_length, home)
    rows = datasets.draw(tokens, arm, 0).validation
    losses = []
    for ids, start in zip(rows.input_ids, rows.completion_start, strict=True):
        labels = torch.tensor(ids.tolist())[None]
        with torch.no_grad():
            logits = model(input_ids=labels).logits[0, int(start) - 1 : -1]
        losses.append(cross_entropy(logits, labels[0, int(start) :], reduction="none"))
    return float(torch.cat(losses).mean())


def _answers(trained: dict[str, Any], run: str) -> tuple[dict[str, float], list[str], list[list[str]]]:
    """Values of a run, all its texts and their references, generated again from its adapter through the same door."""
    import torch
    from safetensors.torch import load_file

    from backend.shared.trainer_protocol import PackedRun
    from worker.engine.generate import answer
    from worker.engine.loaded import Warm
    from worker.engine.slot import Slot

    values, examples = _said(trained, run)
    warm = trained.setdefault("warm", Warm(trained["home"], torch.device("cpu")))
    arm = trained["arms"][run]
    loaded = warm.base(arm, warm.precision(arm))
    data = warm.seed(arm, 0, loaded)
    slot = Slot(
        PackedRun(run_id=run, fence=1, spec=RunSpec(arm=arm, seed=0), folder="/nowhere"),
        loaded.host,
        loaded.host.hooked.attention_layers,
        len(data.steps),
    )
    tensors = load_file(Path(trained["told"].artifact(run).folder) / "adapter_model.safetensors")
    for name, tensor in tensors.items():
        slot.parameters._views[name.removeprefix("base_model.model.")].copy_(tensor)
    slot.parameters.refresh()
    answers = answer(slot, loaded.base.tokenizer, data, warm.dataset(arm))
    assert [one.text for one in answers] == [one.predicted for one in examples.generated]
    return values, [one.text for one in answers], [list(one.references) for one in answers]


def _sacrebleu(texts: list[str], references: list[list[str]], metric: str, folder: Path) -> float:
    """The score that `sacrebleu` prints; a text with fewer references has empty lines, which it leaves out."""
    most = max(map(len, references))
    flat = [" ".join(text.split()) for text in texts]
    (folder / "texts").write_text("\n".join(flat) + "\n")
    files = []
    for at in range(most):
        lines = [" ".join(some[at].split()) if at < len(some) else "" for some in references]
        (folder / f"reference-{at}").write_text("\n".join(lines) + "\n")
        files.append(str(folder / f"reference-{at}"))
    command = [sys.executable, "-m", "sacrebleu", *files, "-i", str(folder / "texts"), "-m", metric, "-w", "9"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "NO_COLOR": "1"})
    return float(json.loads(done.stdout)["score"])


def _rouge_l(texts: list[str], references: list[list[str]], folder: Path) -> float:
    """The mean over texts of the best F-measure that rouge-score's command line gives for one of its references."""
    pairs = [(at, text, reference) for at, text in enumerate(texts) for reference in references[at]]
    for name, column in (("texts", 1), ("targets", 2)):
        (folder / name).write_text("\n".join(" ".join(str(pair[column]).split()) for pair in pairs) + "\n")
    command = [sys.executable, "-m", "rouge_score.rouge", f"--target_filepattern={folder / 'targets'}"]
    command += [f"--prediction_filepattern={folder / 'texts'}", f"--output_filename={folder / 'rouge.csv'}"]
    command += ["--rouge_types=rougeL", "--aggregate=false"]
    subprocess.run(command, capture_output=True, check=True)
    best = [0.0] * len(texts)
    for (at, _, _), row in zip(pairs, csv.DictReader((folder / "rouge.csv").open()), strict=True):
        best[at] = max(best[at], float(row["rougeL-F"]))
    return sum(best) / len(best)
