"""What a person asks for (`StudySpec`) and what an engine trains (`RunSpec`): frozen, unknown keys refused.

A list on a rate, rank, alpha, learning rate, weight decay, number of epochs, label smoothing or consistency weight is
an axis of the study: arms multiply. `studies/expand` turns a `StudySpec` into arms and runs; a `RunSpec` has no lists
of that kind left.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SPEC_VERSION: Literal[1] = 1
Task = Literal["classification", "regression", "causal_lm"]
Clock = Literal["last", "stopped"]  # at which step a run is judged: its last evaluation, or its best one
RACE = (5, 8, 12)  # numbers of seeds at which a race looks unless it says others
Precision = Literal["auto", "bf16", "fp32"]
ScheduleName = Literal["linear", "cosine", "constant"]
TemplateName = Literal["model", "chatml", "alpaca", "plain"]
LossOn = Literal["assistant", "last_assistant", "completion", "all"]
Truncate = Literal["end", "oldest_turns", "drop"]
# Of a list, the first value that is none is told: 500 arms of 64 words each are no 32,000 sentences.
Axis = float | Annotated[list[float], Field(min_length=1, max_length=64, fail_fast=True)]
IntAxis = int | Annotated[list[int], Field(min_length=1, max_length=64, fail_fast=True)]
Sites = Annotated[list[dict[str, Any]], Field(max_length=64, fail_fast=True)]


class Frozen(BaseModel):
    """Immutable; an unknown key is an error, never a silent typo."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _listed(value: Any) -> Any:
    """A word that stands where a list of names does, as PEFT's configuration allows it."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class LoraSpec(Frozen):
    """The adapter. `alpha` follows as twice the rank unless given; scaling is alpha / rank."""

    rank: int = Field(8, ge=1, le=512)
    alpha: float | None = Field(None, gt=0)
    target_modules: Annotated[tuple[str, ...] | None, BeforeValidator(_listed)] = Field(
        None,
        max_length=1000,
        description="Suffixes of module names, or all-linear for every linear layer; PEFT's defaults where unset.",
    )


class TrainingSpec(Frozen):
    """How every run of the study is trained."""

    epochs: float = Field(8, gt=0, le=1000)
    batch_size: int = Field(16, ge=1, le=1024, description="Rows per optimizer step.")
    learning_rate: float = Field(2e-3, gt=0, le=1)
    weight_decay: float = Field(0.1, ge=0, le=10)
    warmup_ratio: float = Field(
        0.06, ge=0, lt=1, description="Share of the steps that warm up; then `schedule` says how the rate goes on."
    )
    schedule: ScheduleName = Field(
        "linear",
        description="How the learning rate goes on after its warm-up: linear (down to 0 at the end), cosine (half a "
        "wave down to 0), constant.",
    )
    gradient_clip: float = Field(1.0, gt=0, description="Largest norm of a run's gradient.")
    max_length: int = Field(64, ge=4, le=8192, description="Tokens a row is cut to.")
    evaluations: int = Field(8, ge=1, le=500, description="Evenly spaced over the training, the last one at its end.")
    dropout_on_rows: int = Field(
        128, ge=0, le=100_000, description="Probe rows judged with dropout on too, for the train/inference gap; 0: off."
    )
    label_smoothing: float = Field(
        0,
        ge=0,
        lt=1,
        description="Share of the right answer's weight that training spreads evenly over all answers; no evaluation "
        "is smoothed. Not for regression.",
    )
    precision: Precision = "auto"
    fp32_loss: bool = Field(
        True,
        description="Measure the validation rows once more in fp32 at the end: what an exported adapter is held "
        "against. false saves that time where the run computes in bf16.",
    )
    keep: Literal["best", "last", "both"] = Field(
        "both", description="Which adapters are kept: that of the best evaluation, of the last step, or both."
    )
    keep_by: Literal["loss", "score"] = Field(
        "loss",
        description="What makes an evaluation the best, on the validation rows: the loss, or the task's first score "
        "(accuracy; of regression Pearson's correlation).",
    )
    patience: int | None = Field(
        None, ge=1, description="Evaluations without improvement after which a run stops early; never where unset."
    )
    min_delta: float = Field(
        0, ge=0, description="What counts as an improvement for patience: better by more than this, as kept by."
    )
    template: TemplateName | None = Field(
        None,
        description="How a language model reads a row: model (its own chat template), chatml, alpaca, or plain (each "
        "text on a line). Where unset conversations are read by the model's own, or chatml where it has none, and "
        "prompts with completions plain.",
    )
    loss_on: LossOn | None = Field(
        None,
        description="What of a conversation is learned: every turn of the assistant with its end mark, the last one "
        "(also called completion), or all. Where unset every turn; of a prompt its completion.",
    )
    truncate: Truncate = Field(
        "end",
        description="What becomes of a conversation longer than max_length: it is cut at its end, loses its oldest "
        "turns (a system turn stays), or is not trained on.",
    )


CHAT = ("template", "loss_on", "truncate")  # what of a training says how rows of text generation are read


class GenerationSpec(Frozen):
    """What a causal LM run generates after its last step: greedy with one beam, else beam search; never sampled."""

    rows: int = Field(16, ge=0, le=5000, description="Validation prompts that are answered; 0 for none.")
    max_new_tokens: int = Field(64, ge=1, le=2048)
    beams: int = Field(1, ge=1, le=32, description="1: greedy.")
    length_penalty: float = Field(1.0, ge=-10, le=10, description="Of beam search.")
    no_repeat_ngram: int = Field(0, ge=0, le=32, description="No run of this many tokens twice; 0: no rule.")


class ConsistencySpec(Frozen):
    """An arm's consistency loss; `weight` may be an axis."""

    kind: str = "none"
    weight: Axis = 0.5


class ArmSpec(Frozen):
    """One line of `arms`: a preset by name with one rate for all its sites, or cells of the framework spelled out."""

    method: str | None = None
    sites: Sites | None = None
    label: str | None = Field(None, max_length=200)
    rate: Axis | None = None
    consistency: ConsistencySpec | None = None
    native: bool | None = None
    rank: IntAxis | None = None
    alpha: Axis | None = None
    learning_rate: Axis | None = None
    weight_decay: Axis | None = None
    epochs: Axis | None = Field(None, description="Of this arm; its learning rate then decays over its own steps.")
    label_smoothing: Axis | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.method is None) == (self.sites is None):
            raise ValueError("an arm names either a `method` (a preset) or its `sites`, one of the two")
        if self.sites is not None and self.rate is not None:
            raise ValueError("`rate` belongs to a preset; with `sites`, give each site its own rate")
        return self


class PlanSpec(Frozen):
    """What a study declares before its first run, so that its verdicts stay right however often one looks at it."""

    baseline: str | None = Field(
        None,
        description="Label, method or key of the arm that the others are judged against; the study's own.",
    )
    baselines: Annotated[tuple[str, ...] | None, Field(min_length=1, max_length=64)] = Field(
        None,
        description="Where the baseline is trained at several ranks, beside other arms: one a rank, against which the "
        "arms of that rank are judged. Where unset those that differ from the baseline in rank alone.",
    )
    arms: Annotated[tuple[str, ...] | None, Field(min_length=1, max_length=500)] = Field(
        None, description="The arms that are judged, by label, method or key; all but the baseline where unset."
    )
    metric: str | None = Field(
        None,
        max_length=100,
        description="What they are judged by: validation/loss, test/loss, validation/accuracy, ...; where unset the "
        "loss (for regression Pearson's correlation), on test rows where there are some.",
    )
    clock: Literal["last", "stopped"] = Field(
        "last", description="Judged at each run's last evaluation, or stopped in time."
    )
    smallest: float | None = Field(
        None,
        description="The smallest difference that matters, in units of the metric; where unset 0.02 nats, 0.01 of "
        "accuracy, F1 or a correlation, 0.02 of Matthews' correlation, 1 point of a score of texts.",
    )
    seeds: int | None = Field(None, description="The most seeds that verdicts may use; the study's seeds where unset.")
    looks: Annotated[tuple[int, ...] | None, Field(min_length=1, max_length=62)] = Field(
        None,
        description="Numbers of seeds at which verdicts are drawn, rising, the last one the most seeds; where unset "
        "the study's seeds and the most seeds; of a race 5, 8 and 12.",
    )
    race: bool = Field(
        False,
        description="Seeds are added by themselves, look by look, to the arms without a verdict, until all have one "
        "or the most seeds are there.",
    )


class StudySpec(Frozen):
    """A study as posted, or as written in YAML."""

    spec_version: Literal[1] = SPEC_VERSION
    name: str = Field(min_length=1, max_length=200)
    model: str = Field(min_length=1, max_length=200)
    dataset: str = Field(min_length=1, max_length=200)
    train_rows: int | None = Field(
        None, ge=2, description="Rows drawn for training, anew for each seed; all where unset."
    )
    validation_rows: int | None = Field(
        None, ge=2, description="Rows held out, the same for every seed; all where unset."
    )
    test_rows: int | None = Field(
        None,
        ge=2,
        description="Further held-out rows that nothing is chosen on, measured once after the last step: a rate or "
        "learning rate is picked on the validation rows and reported on these.",
    )
    task: Task = "classification"
    generation: GenerationSpec | None = Field(
        None, description="Texts that a causal LM run generates at its end; 16 greedy ones where unset."
    )
    lora: LoraSpec = LoraSpec()
    start_from: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Id of an added adapter that every run starts from instead of a fresh one; rank, alpha and target "
        "modules are the adapter's unless given.",
    )
    training: TrainingSpec = TrainingSpec()
    also_measure: Annotated[tuple[str, ...], Field(max_length=4)] = Field(
        (),
        description="Ids of up to 4 further data sets that every run is measured on before, along and after its "
        "training: what it costs elsewhere. For a language model any texts, else a data set of the same task.",
    )
    also_rows: int = Field(200, ge=1, le=2000, description="Rows of each of them, the same for every run.")
    seeds: int = Field(
        5,
        ge=1,
        le=64,
        description="Trainings of each arm. A file may say auto: as many as it takes, which is a plan that is a race.",
    )
    baseline: str | None = Field(None, description="Label, method or key of the arm that others are compared with.")
    plan: PlanSpec | None = Field(
        None,
        description="When verdicts are drawn and by what; where left out one look at the study's seeds, from three "
        "on. null: none, only to explore.",
    )
    arms: list[ArmSpec] = Field(min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_it_takes(cls, given: Any) -> Any:
        """`seeds: auto` is a race that begins with the seeds of its first look."""
        if not isinstance(given, dict) or given.get("seeds") != "auto":
            return given
        plan = given.get("plan", {})
        if not isinstance(plan, dict):
            raise ValueError("seeds: auto adds seeds until a plan has its verdicts, so it needs one; leave plan out")
        looks, most = plan.get("looks"), plan.get("seeds")
        first = looks[0] if isinstance(looks, list | tuple) and looks else RACE[0]
        if isinstance(first, int) and isinstance(most, int):
            first = min(first, most)
        return {**given, "seeds": first, "plan": {**plan, "race": True}}


class ModelRef(Frozen):
    """A model pinned to what was resolved when the study was made."""

    id: str
    revision: str


class DatasetRef(Frozen):
    """A data set pinned by the hash of its content."""

    id: str
    content_hash: str


class AdapterRef(Frozen):
    """An adapter that runs start from, pinned by the hash of its content."""

    id: str
    content_hash: str


class AlsoSpec(Frozen):
    """Rows of a further data set that runs are measured on; `task` is the data set's own."""

    dataset: DatasetRef
    task: Task
    split: Literal["train", "validation"]
    rows: int


class ArmKeySpec(Frozen):
    """All that the runs of an arm share: everything but the seed. Its hash is the arm's key."""

    spec_version: int = SPEC_VERSION
    model: ModelRef
    dataset: DatasetRef
    task: Task
    train_rows: int
    validation_rows: int
    probe_rows: int
    test_rows: int = 0
    generation: GenerationSpec | None = None
    method_name: str | None = Field(None, description="The preset it came from; not part of the key.")
    method: dict[str, Any] = Field(
        description="`DropoutSpec.to_dict()` of transformer_dropout: canonical, layers resolved."
    )
    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    start_from: AdapterRef | None = None
    also_measure: tuple[AlsoSpec, ...] = ()
    training: TrainingSpec

    def key(self) -> str:
        """16 hex digits of the SHA-256 of the canonical JSON, the preset's name left out."""
        body = self.model_dump(mode="json", exclude={"method_name"})
        # These are younger than the first arms, whose keys stay what they were.
        for name in ("test_rows", "generation", "start_from"):
            if body[name] == type(self).model_fields[name].default:
                del body[name]
        if not self.also_measure:
            del body["also_measure"]
        for name in ("label_smoothing", "fp32_loss", "keep", "keep_by", "patience", "min_delta", "schedule", *CHAT):
            if body["training"][name] == TrainingSpec.model_fields[name].default:
                del body["training"][name]
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def but_for_rank(self) -> str:
        """The key that arms have in common which differ in their rank alone, at one scaling alpha / rank."""
        return self.model_copy(update={"rank": 1, "alpha": self.alpha / self.rank}).key()


class RunSpec(Frozen):
    """One training: an arm's spec with one seed."""

    arm: ArmKeySpec
    seed: int = Field(ge=0)
