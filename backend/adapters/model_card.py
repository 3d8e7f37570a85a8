"""What goes with an adapter when it leaves: a model card with the study's numbers, a study file, its environment."""

import json
from collections.abc import Sequence
from typing import Any, cast

import yaml
from transformer_dropout.spec import DropoutSpec

from backend.comparison.schema import ArmComparison, Comparison
from backend.comparison.words import LOSS_UNIT, plain, plus_minus
from backend.shared.catalogue import find_dataset, find_model
from backend.shared.errors import InvalidInput
from backend.shared.facts import ModelFacts
from backend.shared.metrics import METRICS
from backend.shared.settings import Settings
from backend.shared.specs import ArmKeySpec, Clock, StudySpec
from backend.shared.tables import Arm, Artifact, Run, Study
from backend.studies.expand import expand

CARD, STUDY_FILE, ENVIRONMENT = "README.md", "reproduce.yaml", "environment.json"
SHOWN_CLASSES = 30


def clocks(artifact: Artifact) -> list[Clock]:
    """Which clocks of its run an artifact is of; an adapter that was kept before there were two is the last step's."""
    if artifact.clocks:
        return cast(list[Clock], artifact.clocks)
    return ["last"] if artifact.kind == "adapter" else []


def papers(
    settings: Settings, study: Study, arm: Arm, run: Run, artifact: Artifact, comparison: Comparison
) -> dict[str, bytes]:
    """The files by name; their numbers are those of the study as it stands."""
    spec = ArmKeySpec.model_validate(arm.spec)
    model = find_model(settings.shared, spec.model.id)
    shown = next((one for one in comparison.arms if one.id == arm.id), None)
    names = class_names(settings, spec)
    environment = json.dumps(environment_record(spec, arm, run, artifact, names), indent=1, sort_keys=True)
    return {
        CARD: card(spec, arm, run, artifact, study.name, model, comparison, shown, names).encode(),
        STUDY_FILE: reproduce(settings, study.name, spec, arm, run.seed).encode(),
        ENVIRONMENT: (environment + "\n").encode(),
    }


def class_names(settings: Settings, spec: ArmKeySpec) -> tuple[str, ...]:
    """Names of the classes in the order of the head's outputs; none where the data set is not here any more."""
    facts = find_dataset(settings.shared, spec.dataset.id)
    return facts.label_names if facts is not None and facts.content_hash == spec.dataset.content_hash else ()


def environment_record(
    spec: ArmKeySpec, arm: Arm, run: Run, artifact: Artifact, names: Sequence[str] = ()
) -> dict[str, Any]:
    """What the run was trained with and on: versions, processor, precision, class names, and everything pinned."""
    return {
        **({"id2label": {str(i): name for i, name in enumerate(names)}} if names else {}),
        "model": spec.model.model_dump(),
        "dataset": spec.dataset.model_dump(),
        "task": spec.task,
        "arm_key": arm.key,
        "seed": run.seed,
        "step": run.step if artifact.step is None else artifact.step,
        "clocks": clocks(artifact),
        "record": run.record,
        "final": run.final,
    }


def reproduce(settings: Settings, name: str, spec: ArmKeySpec, arm: Arm, seed: int) -> str:
    """A study file that trains this arm again, with seeds up to this run's; says whether that was checked."""
    body = {
        "name": f"{name}: {arm.label}"[:200],
        "model": spec.model.id,
        "dataset": spec.dataset.id,
        "train_rows": spec.train_rows,
        "validation_rows": spec.validation_rows,
        "test_rows": spec.test_rows or None,
        "task": spec.task,
        "generation": spec.generation.model_dump() if spec.generation else None,
        "lora": {"rank": spec.rank, "alpha": spec.alpha, "target_modules": list(spec.target_modules)},
        "start_from": spec.start_from.id if spec.start_from else None,
        "training": spec.training.model_dump(mode="json"),
        "seeds": seed + 1,
    }
    body = {key: value for key, value in body.items() if value is not None}
    known = False
    written = body
    for said in _ways_to_say(spec):
        written = {**body, "arms": [said]}
        if _comes_to(settings, written, arm.key):
            known = True
            break
    word = "comes to the very same arm" if known else "could not be checked against this machine's models and data"
    head = (
        f"# dropscope run reproduce.yaml trains this arm again (key {arm.key}); this file {word}.\n"
        f"# Model revision {spec.model.revision}, data set content {spec.dataset.content_hash}.\n"
        f"# The adapter beside this file is the run of seed {seed}: the last one.\n"
    )
    return head + yaml.safe_dump(written, sort_keys=False, allow_unicode=True)


def _ways_to_say(spec: ArmKeySpec) -> list[dict[str, Any]]:
    """The arm as its preset with one rate where it came from one, and spelled out site by site."""
    method = spec.method
    tie = method.get("consistency") or {"kind": "none"}
    shared = {"consistency": {"kind": tie["kind"], "weight": tie.get("weight", 0.5)}} if tie["kind"] != "none" else {}
    composed = {"sites": method["sites"], "native": bool(method.get("native")), **shared}
    if spec.method_name is None:
        return [composed]
    rates = {rate for site in method["sites"] for rate in _rates(site.get("rate"))}
    preset: dict[str, Any] = {"method": spec.method_name, **shared}
    return [*({**preset, "rate": rate} for rate in sorted(rates, reverse=True)), preset, composed]


def _rates(rate: Any) -> list[float]:
    if isinstance(rate, int | float):
        return [float(rate)]
    listed = rate.get("per_layer", [rate.get("first"), rate.get("last")]) if isinstance(rate, dict) else []
    return [float(one) for one in listed if isinstance(one, int | float) and one > 0]


def _comes_to(settings: Settings, body: dict[str, Any], key: str) -> bool:
    try:
        return [arm.key for arm in expand(settings, StudySpec.model_validate(body)).arms] == [key]
    except (InvalidInput, ValueError):
        return False


def card(
    spec: ArmKeySpec,
    arm: Arm,
    run: Run,
    artifact: Artifact,
    study: str,
    model: ModelFacts | None,
    comparison: Comparison,
    shown: ArmComparison | None,
    names: Sequence[str] = (),
) -> str:
    """The model card in Markdown, with the front matter that a hub reads."""
    base = (model.hub_id if model else None) or spec.model.id
    licence = f" The base model's licence: {model.licence}." if model else ""
    front = {
        "library_name": "peft",
        "base_model": base,
        "pipeline_tag": "text-generation" if spec.task == "causal_lm" else "text-classification",
        "tags": ["lora", "dropout", spec.method_name or "composed"],
    }
    dropped = DropoutSpec.from_dict(spec.method)
    return f"""---
{yaml.safe_dump(front, sort_keys=False)}---

# LoRA adapter: {_line(arm.label)}, {_line(spec.dataset.id)}

Trained with Dropscope in the study “{_line(study)}”, seed {run.seed}: method `{spec.method_name or "composed"}`, rank
{spec.rank}, alpha {spec.alpha:g}, on `{", ".join(spec.target_modules)}`; {spec.train_rows} training rows of
`{spec.dataset.id}` ({spec.task}), learning rate {spec.training.learning_rate:g}, {spec.training.epochs:g} epochs in
batches of {spec.training.batch_size}. Base model `{spec.model.id}`, revision `{spec.model.revision}`
({model.source if model else "not on this machine any more"}).{licence}
{_standing(spec, run, artifact)}

## What was measured

{_numbers(run, artifact, comparison, shown)}
{_classes(names)}
## Load it

`ADAPTER` is the folder of this file. `BASE_MODEL` may be a local folder with the same base weights.

```python
{_loading(spec, base, run, names)}
```

## Train on, with the same dropout

```python
from transformer_dropout import DropoutSpec
from transformer_dropout.hf import inject_dropout

model = PeftModel.from_pretrained(base, ADAPTER, is_trainable=True)
inject_dropout(model, DropoutSpec.from_dict({dropped.to_dict()!r}))
model.train()
```

Adapters hold no dropout: it belongs to training. `{STUDY_FILE}` trains this arm again, `{ENVIRONMENT}` says with what
it was trained.
"""


def _line(text: str) -> str:
    """A name on one line, with nothing that Markdown would read as markup."""
    return " ".join(text.replace("`", "'").replace("<", "‹").replace(">", "›").split())


def _standing(spec: ArmKeySpec, run: Run, artifact: Artifact) -> str:
    """Where in its run the adapter is of."""
    step, found = run.step if artifact.step is None else artifact.step, clocks(artifact)
    by = "loss" if spec.training.keep_by == "loss" else "score"
    best = f"the evaluation with the best validation {by}"
    if found == ["stopped"]:
        return f"It is the adapter of step {step} of {run.step}, {best}; not of the last step."
    if "stopped" in found:
        return f"It is the adapter of the last step, {step}, which is {best} as well."
    return f"It is the adapter of the last step, {step}."


def _numbers(run: Run, artifact: Artifact, comparison: Comparison, shown: ArmComparison | None) -> str:
    name = "validation/loss_fp32" if "last" in clocks(artifact) else "validation_stopped/loss_fp32"
    exact = (run.final or {}).get(name)
    said = "not measured in fp32" if exact is None else f"validation loss {plain(exact, 1e-4)} in fp32"
    lines = [f"- this run: {said}"]
    if shown is None:
        return lines[0]
    for name, estimate in shown.final.items():
        if estimate.mean is not None and name.startswith(("validation/", "test/", "gap")):
            lines.append(
                f"- {METRICS[name].words}: {plus_minus(estimate.mean, estimate.half_width)} (n = {estimate.n})"
            )
    loss = shown.differences.get("validation/loss")
    if loss is not None:
        lines.append(f"- against the baseline: {loss.meaning}")
    unit = LOSS_UNIT.get(comparison.task, "loss")
    words = f"Means over the arm's seeds at the last evaluation with 95 % t intervals; losses in {unit}."
    return "\n".join(lines) + f"\n\n{words}"


def _classes(names: Sequence[str]) -> str:
    if not names:
        return ""
    told = "\n".join(f"- {i}: {_line(name)}" for i, name in enumerate(names[:SHOWN_CLASSES]))
    more = f"\n- and {len(names) - SHOWN_CLASSES:,} more, in `{ENVIRONMENT}`" if len(names) > SHOWN_CLASSES else ""
    return f"\n## Classes, in the order of the outputs\n\n{told}{more}\n"


def _loading(spec: ArmKeySpec, base: str, run: Run, names: Sequence[str]) -> str:
    causal = spec.task == "causal_lm"
    if names:
        return _classifying(base)
    kind = "AutoModelForCausalLM" if causal else "AutoModelForSequenceClassification"
    outputs = "" if causal else f", num_labels={_outputs(run)}"
    use = (
        'inputs = tokenizer("name : The Mill | food : French\\n", return_tensors="pt", add_special_tokens=False)\n'
        "print(tokenizer.decode(model.generate(**inputs, max_new_tokens=40)[0]))"
        if causal
        else 'inputs = tokenizer("a text of your own", return_tensors="pt")\nprint(model(**inputs).logits)'
    )
    return f"""import os

from peft import PeftModel
from transformers import {kind}, AutoTokenizer

ADAPTER = os.environ.get("ADAPTER", ".")
BASE_MODEL = os.environ.get("BASE_MODEL", "{base}")
tokenizer = AutoTokenizer.from_pretrained(ADAPTER)
base = {kind}.from_pretrained(BASE_MODEL{outputs})
model = PeftModel.from_pretrained(base, ADAPTER).eval()
{use}"""


def _classifying(base: str) -> str:
    """Code that names the classes, too: the model says `fresh`, not `LABEL_1`."""
    return f"""import json
import os

from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

ADAPTER = os.environ.get("ADAPTER", ".")
BASE_MODEL = os.environ.get("BASE_MODEL", "{base}")
with open(os.path.join(ADAPTER, "{ENVIRONMENT}"), encoding="utf-8") as file:
    names = {{int(number): name for number, name in json.load(file)["id2label"].items()}}
tokenizer = AutoTokenizer.from_pretrained(ADAPTER)
numbers = {{name: number for number, name in names.items()}}
base = AutoModelForSequenceClassification.from_pretrained(
    BASE_MODEL, id2label=names, label2id=numbers, ignore_mismatched_sizes=True
)
model = PeftModel.from_pretrained(base, ADAPTER).eval()
logits = model(**tokenizer("a text of your own", return_tensors="pt")).logits
print(logits, model.config.id2label[int(logits.argmax())])"""


def _outputs(run: Run) -> int:
    found = (run.record or {}).get("outputs", 1)
    return int(found) if isinstance(found, int) else 1
