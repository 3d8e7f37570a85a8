"""The methods section of a report: the exact set-up of a study, its methods and its statistics, in sentences to
copy.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformer_dropout import DropoutSpec, describe, formula

from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import StudyRecords
from backend.comparison.words import several
from backend.shared.metrics import METRICS

_TASK = {"classification": "classification", "regression": "regression", "causal_lm": "causal language modelling"}


_DECAYS = {"linear": "linear decay", "cosine": "decay along half a cosine", "constant": "no decay after it"}
_TEMPLATES = {
    "model": "the model's own chat template",
    "chatml": "ChatML",
    "alpaca": "the Alpaca form",
    "plain": "lines",
}
_LOSSES = {
    "assistant": "all answers with their end marks",
    "last_assistant": "the last answer with its end mark",
    "completion": "the last answer with its end mark",
    "all": "all tokens",
}


@dataclass(frozen=True)
class MethodText:
    """One arm: its name, what it does in training, and as formulas (one a line)."""

    name: str
    sentence: str
    formula: str


@dataclass(frozen=True)
class MethodsText:
    """Three parts of plain text: the set-up, one entry an arm, the statistics."""

    setup: str
    methods: tuple[MethodText, ...]
    statistics: str

    def markdown(self) -> str:
        """Return all parts as Markdown; names are escaped, so that they cannot become markup."""
        entries = [
            f"- **{_escaped(one.name)}.** {_escaped(one.sentence)}\n\n  ```text\n"
            + "\n".join(f"  {line}" for line in one.formula.splitlines())
            + "\n  ```"
            for one in self.methods
        ]
        parts = [
            "### Set-up",
            _escaped(self.setup),
            "### Methods",
            *entries,
            "### Statistics",
            _escaped(self.statistics),
        ]
        return "\n\n".join(parts) + "\n"


def methods_text(records: StudyRecords, comparison: Comparison) -> MethodsText:
    """Return the text of a study. Values that are the same in all arms are stated once, others as lists."""
    methods = tuple(
        MethodText(shown.label, describe(dropout := DropoutSpec.from_dict(arm.spec["method"])), formula(dropout))
        for arm, shown in zip(records.arms, comparison.arms, strict=True)
    )
    return MethodsText(_setup(records), methods, statistics_text(records, comparison) + _planned(comparison))


def _setup(records: StudyRecords) -> str:
    specs = [arm.spec for arm in records.arms]
    if not specs:
        return f"The study “{records.name}” has no arms yet."

    def each(*path: str) -> str:
        return _listed([_at(spec, path) for spec in specs])

    model, data = specs[0]["model"], specs[0]["dataset"]
    seeds = sorted({run.seed for run in records.runs})
    parameters = sorted({arm.trainable_parameters for arm in records.arms if arm.trainable_parameters})
    drawn, fixed = f"Each run drew {each('train_rows')} training rows by its seed", "training rows, "
    if not records.draws_rows:
        drawn, fixed = f"All seeds trained on the same {each('train_rows')} rows, all that there were", ""
    trainable = f" ({_listed([f'{count:,}' for count in parameters])} trainable parameters)" if parameters else ""
    smoothing = {arm.label_smoothing for arm in records.arms}
    smoothed = f", labels smoothed by {_listed([f'{one:g}' for one in sorted(smoothing)])}" if any(smoothing) else ""
    sentences = [
        f"LoRA adapters of rank {each('rank')} and alpha {each('alpha')} on {_modules(specs)}{trainable} were "
        f"trained on {model['id']} (revision {model['revision']}), its own weights frozen, for "
        f"{_TASK.get(records.task, records.task)} on {data['id']} (content {str(data['content_hash'])[:16]}).",
        f"{drawn}; the {each('validation_rows')} validation "
        f"rows are the same for all. The probe is a fixed subset of {each('probe_rows')} training rows.",
        f"Training: AdamW, learning rate {each('training', 'learning_rate')} with linear warm-up over "
        f"{each('training', 'warmup_ratio')} of the steps and {_decay(specs)}, weight decay "
        f"{each('training', 'weight_decay')}, gradient norm clipped at {each('training', 'gradient_clip')}, "
        f"{each('training', 'batch_size')} rows a step, {each('training', 'epochs')} epochs, rows cut to "
        f"{each('training', 'max_length')} tokens, precision {each('training', 'precision')}{smoothed}."
        f"{_conversations(specs)}",
        f"Every run was evaluated {each('training', 'evaluations')} times, with dropout off.{_also(specs[0])}",
        f"{several(len(records.arms), 'arm')} were trained with {several(len(seeds), 'seed')} each; a seed fixes "
        f"{fixed}probe, data order, initial adapter and head weights and masks, and is shared by all arms "
        "(a paired design). Dropout of the base model itself is off unless an arm says otherwise.",
    ]
    return " ".join(sentences)


def statistics_text(records: StudyRecords, comparison: Comparison) -> str:
    """Return how a study's numbers were compared, in sentences."""
    base = next((arm for arm in comparison.arms if arm.is_baseline), None)
    against = "" if base is None else f" to the baseline ({base.label})"
    left_out = comparison.progress.runs.excluded
    excluded = f" Left out of the final values: {several(left_out, 'run')} that did not end well." if left_out else ""
    return (
        f"{_clocks(comparison)}; arms are ranked by {METRICS[comparison.metric].words}. Means over seeds are "
        f"given with 95 % t intervals, unadjusted. Arms are compared by per-seed differences{against}: mean "
        "difference with its t interval, paired t test with Holm's correction over the arms, and sign-flip test "
        "(exact up to 16 pairs). The generalization gap is validation loss minus probe loss at the same step. "
        f"{_overfitting(comparison)}{excluded} As of event "
        f"{records.event_seq} of the study."
    )


def _planned(comparison: Comparison) -> str:
    plan = comparison.plan
    if plan is None:
        return " No plan was declared before the first run."
    looks = (
        "Declared before the first run: "
        f"{plan.sentence} Verdicts rest on group-sequential paired t tests at these looks (error spent as Lan and "
        "DeMets do after O'Brien and Fleming), one-sided at 2.5 %, with Holm-type recycling over the arms (Maurer and "
        f"Bretz). {plan.standing}"
    )
    beyond = "".join(f" Exploratory: {sentence}" for sentence in plan.exploratory)
    return f" {looks}{beyond}"


def _clocks(comparison: Comparison) -> str:
    if "stopped" not in comparison.clocks:
        return "The last evaluation is compared"
    return (
        "Runs are compared at their last evaluation, and stopped at their best one: chosen on one half of the "
        "validation rows and reported on the other, both ways and averaged, or measured on test rows with the adapter "
        "that was kept. Each of the two, and last steps against the baseline stopped in time, is a family of its own "
        "in Holm's correction"
    )


def _overfitting(comparison: Comparison) -> str:
    if any(arm.overfitting.rule == "halves" for arm in comparison.arms):
        return (
            "Overfitting is how far the mean validation loss of a run's last quarter of evaluations lies above its "
            "low, a quarter as long, which the other seeds chose on one half of the validation rows and which is read "
            "on the other half; its interval crosses seeds with halves. It is called a rise where that interval lies "
            "above zero and training rows do less than half of it."
        )
    return (
        "Overfitting, for want of halves of the validation rows, starts at the step of a run's validation minimum if "
        "the validation loss stays more than one standard error (over validation examples) above it at every later "
        "evaluation, two at least, while the probe loss stays below its value there; an arm's step is the median over "
        "its runs."
    )


def _also(spec: Mapping[str, Any]) -> str:
    further = [f"{one['rows']:,} {one['split']} rows of {one['dataset']['id']}" for one in spec.get("also_measure", ())]
    return f" Before its first step and then as often it was also measured on {_listed(further)}." if further else ""


def _at(spec: Mapping[str, Any], path: Sequence[str]) -> str:
    value: Any = spec
    for key in path:
        value = value[key]
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _modules(specs: Sequence[Mapping[str, Any]]) -> str:
    return _listed(list(dict.fromkeys(str(module) for spec in specs for module in spec["target_modules"])))


def _listed(values: Sequence[str]) -> str:
    unique = list(dict.fromkeys(values))
    return unique[0] if len(unique) == 1 else ", ".join(unique[:-1]) + " and " + unique[-1] if unique else "none"


def _escaped(text: str) -> str:
    """Escape what Markdown or HTML would read as markup, and keep every text on one line."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]<>#|!~])", r"\\\1", flat).replace("&", "&amp;").replace("\\<", "&lt;")


def _decay(specs: Sequence[Mapping[str, Any]]) -> str:
    return _listed([_DECAYS[spec["training"].get("schedule", "linear")] for spec in specs])


def _conversations(specs: Sequence[Mapping[str, Any]]) -> str:
    """How rows were written for the model, where a template did it."""
    training = specs[0]["training"]
    template, loss_on = training.get("template"), training.get("loss_on")
    if template is None:
        return ""
    return f" Rows were written by {_TEMPLATES[template]}; the loss counts {_LOSSES[loss_on or 'assistant']}."
