"""Studies as the API takes and answers them; a study is posted as `backend.shared.specs.StudySpec`."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from backend.edge.answers import ErrorItem, JsonObject, Out, RunCounts
from backend.shared.specs import ArmKeySpec, ArmSpec, Frozen, StudySpec, Task

MOST_TAGS = 20
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Headline(Out):
    """The verdict of a study in a sentence, as the list of studies shows it."""

    text: str
    state: Literal["holds", "undecided", "waiting", "plain"]
    current: bool = Field(description="False where the study has changed since; the next one is on its way.")


class StudySummary(Out):
    """One line of the list of studies."""

    id: str
    name: str
    model: str
    dataset: str
    task: Task
    arm_count: int
    seeds: int
    counts: RunCounts
    progress: float = Field(
        description="Share of all optimizer steps that are done, 0 to 1; ended runs count as done, and 1 says that all "
        "have ended."
    )
    eta_seconds: float | None = Field(description="Estimated time to the end; null where nothing is known yet.")
    paused: bool
    priority: int
    tags: list[str]
    headline: Headline | None = Field(description="null until it was computed, soon after the study stands still.")
    created_by: str
    created_by_name: str | None = Field(description="null on a server without accounts.")
    created_at: datetime
    last_activity_at: datetime
    archived_at: datetime | None
    event_seq: int = Field(description="Number of the newest event; where to begin reading the stream.")
    queue_position: int | None = Field(
        description="Runs of other studies that are queued ahead of this study's next run; null when nothing is queued."
    )


class ArmOut(Out):
    """All runs of a study that share a spec but for the seed."""

    id: str
    position: int
    key: str
    label: str
    method: str = Field(description="The preset's name, or 'composed'.")
    description: str = Field(description="The method in a sentence.")
    spec: ArmKeySpec
    counts: RunCounts
    is_baseline: bool


class StudyDetail(StudySummary):
    """A study with its arms."""

    spec: StudySpec = Field(description="What was asked, with extensions.")
    arms: list[ArmOut]
    baseline_arm_id: str | None
    waits_for: str | None = Field(
        description="Why nothing of it is trained although runs are queued, and what to do: no worker, a full disk."
    )


class StudyPatch(Frozen):
    """What to change; keys left out stay as they are."""

    name: str | None = Field(None, min_length=1, max_length=200)
    paused: bool | None = Field(None, description="A paused study starts no further runs; running ones go on.")
    priority: int | None = Field(None, ge=-1000, le=1000, description="Runs of higher priority are trained first.")
    baseline: str | None = Field(None, max_length=200, description="Id, key, label or method of an arm.")
    tags: list[Tag] | None = Field(None, max_length=MOST_TAGS, description="All tags of the study; [] takes them off.")


class StudyExtend(Frozen):
    """More seeds, more arms, or both; what is there already stays."""

    seeds: int | None = Field(None, ge=1, le=64, description="New number of seeds of every arm; at least the present.")
    arms: list[ArmSpec] = Field([], max_length=500)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.seeds is None and not self.arms:
            raise ValueError("give a new number of `seeds`, more `arms`, or both")
        return self


class PreviewArm(Out):
    """An arm as it would be made."""

    label: str
    key: str
    method: str
    description: str
    is_baseline: bool
    cost_factor: float = Field(description="Cost of a step relative to plain LoRA, from the consistency loss.")
    spec: ArmKeySpec


class PlanPower(Out):
    """What a plan can find by its last look where the differences between seeds spread by `spread`, an assumption."""

    spread: float = Field(description="Standard deviation of the per-seed differences, in units of the metric.")
    better: float = Field(description="Chance that an arm better by just what matters is told better.")
    no_difference: float = Field(description="Chance that an arm that does not differ is told so.")


class PlanPreview(Out):
    """A study's plan in words, and what it can find; from no effect that was seen."""

    sentence: str
    power: list[PlanPower]


class StudyPreview(Out):
    """What posting this study would do; nothing is stored."""

    study: StudySpec
    arms: list[PreviewArm]
    seeds: int
    runs: int
    steps_per_run: int | None
    problems: list[ErrorItem] = Field(description="Everything that stands in the way; empty where it can be posted.")
    warnings: list[ErrorItem] = Field(description="What would be trained and should be known first; it stops nothing.")
    estimated_seconds: float | None
    estimated_seconds_low: float | None = Field(description="The time will hardly be shorter than this.")
    estimated_seconds_high: float | None = Field(description="The time will hardly be longer than this.")
    estimated_memory_bytes: int | None = Field(description="Weights of the model in one worker, in the compute dtype.")
    estimate_basis: str = Field(description="A sentence on where the estimate comes from, or why there is none.")
    yaml: str = Field(description="The same study as a file for `dropscope run`.")
    plan: PlanPreview | None = Field(description="null where verdicts are drawn by no plan.")


class RetryResult(Out):
    """How many runs a retry queued again."""

    queued: int


class StudyFiles(Out):
    """What the ended runs of a study keep on disk."""

    adapters: int
    checkpoints: int
    bytes: int


class CancelResult(Out):
    """What a cancel did: queued runs end at once, running ones at their next step."""

    cancelled: int
    stopping: int


EventKind = Literal["run", "evaluation", "study"]


class EventOut(Out):
    """One event of a study's stream; the same object is the `data` of a server-sent event with this `seq` as its id."""

    seq: int
    kind: EventKind
    run_id: str | None
    data: JsonObject
    at: datetime
