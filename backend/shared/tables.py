"""The tables, alike on SQLite and Postgres. Times are UTC microseconds; a number not finite is NULL and a kind."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Dialect,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from backend.shared.run_status import RunStatus

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = EPOCH  # `not_before` of a run that waits for nothing: no clock of any machine can hold it back
LOCAL_WORKSPACE = "local"
LOCAL_OWNER = "local-owner"


def now() -> datetime:
    """The present moment, timezone-aware."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """A timezone-aware moment kept as microseconds since 1970, exact and alike on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse naive times: they would mean something else on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must carry its timezone")
        return (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Back to an aware time in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Table(DeclarativeBase):
    """Base of all tables; constraints have names so that migrations can drop them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        str: String,
        int: BigInteger,
    }


class Workspace(Table):
    """Owner of everything; one row, `local`, until a team is set up."""

    __tablename__ = "workspaces"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Study(Table):
    """A named grid of runs; `spec` is what was asked, `event_seq` the last number given out in its event stream."""

    __tablename__ = "studies"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    created_by: Mapped[str]
    name: Mapped[str] = mapped_column(String(200))
    spec: Mapped[dict[str, Any]]
    baseline_arm_id: Mapped[str | None]
    paused: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=0)  # higher runs first
    event_seq: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    # The verdict in a sentence for the list of studies: as the event `headline_seq` left the study, by which wording.
    headline: Mapped[str | None] = mapped_column(Text)
    headline_state: Mapped[str | None] = mapped_column(String(16))
    headline_seq: Mapped[int | None]
    headline_by: Mapped[str | None] = mapped_column(String(16))


class Arm(Table):
    """All runs of a study that share a spec but for the seed; `spec` is an `ArmKeySpec`, `key` its hash."""

    __tablename__ = "arms"
    __table_args__ = (UniqueConstraint("study_id", "key"), UniqueConstraint("study_id", "position"))
    id: Mapped[str] = mapped_column(primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(100))  # preset name, or "composed"
    spec: Mapped[dict[str, Any]]


class Run(Table):
    """One training of one arm with one seed. The row is the queue: whoever holds its newest `fence` may write."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("arm_id", "seed"),
        Index("ix_runs_queue", "status", "priority", "study_id", "position"),
        Index("ix_runs_study_position", "study_id", "position"),
        CheckConstraint("status IN ('queued','running','succeeded','failed','cancelled')", name="status"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"))
    arm_id: Mapped[str] = mapped_column(ForeignKey("arms.id", ondelete="CASCADE"))
    created_by: Mapped[str]
    seed: Mapped[int]
    position: Mapped[int]  # seed-major: seed index × arms + arm
    priority: Mapped[int] = mapped_column(default=0)  # the study's, copied; higher first
    status: Mapped[str] = mapped_column(String(16), default=RunStatus.QUEUED)
    failure_code: Mapped[str | None] = mapped_column(String(32))
    message: Mapped[str | None] = mapped_column(Text)  # a sentence beside the status
    not_before: Mapped[datetime] = mapped_column(default=AT_ONCE)
    cancel_requested_at: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)  # rises with every claim
    attempt: Mapped[int] = mapped_column(default=0)  # attempts begun
    lost_attempts: Mapped[int] = mapped_column(default=0)  # lost while claimed alone; three end the run
    alone: Mapped[bool] = mapped_column(default=False)  # after a lost attempt a run is claimed alone
    claim_id: Mapped[str | None] = mapped_column(index=True)  # the pack it is trained in
    worker_id: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    heartbeat_seq: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int] = mapped_column(default=0)
    checkpoint_step: Mapped[int | None]
    checkpoint_key: Mapped[str | None]  # storage key of the newest complete checkpoint
    trainable_parameters: Mapped[int | None]
    record: Mapped[dict[str, Any] | None]  # hooks, precision, device, mask stream, versions
    final: Mapped[dict[str, Any] | None]  # validation/loss_fp32, FLOPs, ...
    examples: Mapped[dict[str, Any] | None]  # best, worst and generated validation examples, as events.Examples
    seconds: Mapped[float] = mapped_column(Float, default=0.0)  # spent training, all attempts
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Attempt(Table):
    """One claim of one run: who had it, from which step, and why it ended (`AttemptEnd`)."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("run_id", "fence"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    fence: Mapped[int]
    claim_id: Mapped[str]
    worker_id: Mapped[str]
    from_step: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    end: Mapped[str | None] = mapped_column(String(16))
    message: Mapped[str | None] = mapped_column(Text)


class EvaluationRow(Table):
    """One evaluation of one run; its columns are `metrics.recorded`. A resumed run writes the same rows again."""

    __tablename__ = "evaluations"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[float] = mapped_column(Float)
    validation_loss: Mapped[float | None] = mapped_column(Float)
    validation_loss_se: Mapped[float | None] = mapped_column(Float)
    validation_accuracy: Mapped[float | None] = mapped_column(Float)
    validation_macro_f1: Mapped[float | None] = mapped_column(Float)
    validation_matthews: Mapped[float | None] = mapped_column(Float)
    validation_pearson: Mapped[float | None] = mapped_column(Float)
    validation_spearman: Mapped[float | None] = mapped_column(Float)
    validation_bleu: Mapped[float | None] = mapped_column(Float)
    validation_chrf: Mapped[float | None] = mapped_column(Float)
    validation_ter: Mapped[float | None] = mapped_column(Float)
    validation_rouge_l: Mapped[float | None] = mapped_column(Float)
    test_loss: Mapped[float | None] = mapped_column(Float)
    test_loss_se: Mapped[float | None] = mapped_column(Float)
    test_accuracy: Mapped[float | None] = mapped_column(Float)
    test_macro_f1: Mapped[float | None] = mapped_column(Float)
    test_matthews: Mapped[float | None] = mapped_column(Float)
    test_pearson: Mapped[float | None] = mapped_column(Float)
    test_spearman: Mapped[float | None] = mapped_column(Float)
    test_stopped_loss: Mapped[float | None] = mapped_column(Float)
    test_stopped_loss_se: Mapped[float | None] = mapped_column(Float)
    test_stopped_accuracy: Mapped[float | None] = mapped_column(Float)
    test_stopped_macro_f1: Mapped[float | None] = mapped_column(Float)
    test_stopped_matthews: Mapped[float | None] = mapped_column(Float)
    test_stopped_pearson: Mapped[float | None] = mapped_column(Float)
    test_stopped_spearman: Mapped[float | None] = mapped_column(Float)
    stopped_step: Mapped[float | None] = mapped_column(Float)
    validation_a_loss: Mapped[float | None] = mapped_column(Float)
    validation_a_accuracy: Mapped[float | None] = mapped_column(Float)
    validation_a_macro_f1: Mapped[float | None] = mapped_column(Float)
    validation_a_matthews: Mapped[float | None] = mapped_column(Float)
    validation_a_pearson: Mapped[float | None] = mapped_column(Float)
    validation_a_spearman: Mapped[float | None] = mapped_column(Float)
    validation_b_loss: Mapped[float | None] = mapped_column(Float)
    validation_b_accuracy: Mapped[float | None] = mapped_column(Float)
    validation_b_macro_f1: Mapped[float | None] = mapped_column(Float)
    validation_b_matthews: Mapped[float | None] = mapped_column(Float)
    validation_b_pearson: Mapped[float | None] = mapped_column(Float)
    validation_b_spearman: Mapped[float | None] = mapped_column(Float)
    probe_loss: Mapped[float | None] = mapped_column(Float)
    probe_accuracy: Mapped[float | None] = mapped_column(Float)
    probe_slice_loss_off: Mapped[float | None] = mapped_column(Float)
    probe_slice_loss_on: Mapped[float | None] = mapped_column(Float)
    probe_slice_kl: Mapped[float | None] = mapped_column(Float)
    train_loss: Mapped[float | None] = mapped_column(Float)
    train_tokens: Mapped[float | None] = mapped_column(Float)
    train_seconds: Mapped[float | None] = mapped_column(Float)
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)
    nonfinite: Mapped[dict[str, Any]] = mapped_column(default=dict)  # column → "nan" | "inf" | "-inf"


class TrainLossBlock(Table):
    """Training losses of consecutive steps, dropout on, as little-endian float64; NaN is kept in the bytes."""

    __tablename__ = "train_loss_blocks"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    first_step: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    losses: Mapped[bytes] = mapped_column(LargeBinary)


class StudyEvent(Table):
    """The gap-free stream of a study: progress and "changed"; `seq` is the SSE id."""

    __tablename__ = "study_events"
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))  # run, evaluation, study
    run_id: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(default=now)


class RunLog(Table):
    """One line of a run's log, numbered by its writer."""

    __tablename__ = "run_logs"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    level: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)


class Artifact(Table):
    """A file or folder that a run left behind; the API knows only its id, never its path."""

    __tablename__ = "artifacts"
    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))  # adapter, adapter_stopped, ledger
    storage_key: Mapped[str]
    files: Mapped[dict[str, Any]]  # name → SHA-256
    bytes: Mapped[int]
    step: Mapped[int | None]  # of an adapter: where in the run it stands
    clocks: Mapped[list[Any] | None]  # and which of the run's clocks stand there; None: kept before there were two
    created_at: Mapped[datetime] = mapped_column(default=now)


class Worker(Table):
    """A process that trains; alive while its heartbeat moves."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    process_started: Mapped[float] = mapped_column(Float)  # seconds since boot (Linux) or 1970: tells a reused pid
    device: Mapped[str] = mapped_column(default="cpu")
    version: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)
    heartbeat_seq: Mapped[int] = mapped_column(default=0)
    draining: Mapped[bool] = mapped_column(default=False)
    stopped_at: Mapped[datetime | None]
    claim_id: Mapped[str | None]
    tokens_per_second: Mapped[float | None] = mapped_column(Float)  # measured on its last pack, training tokens


class Dataset(Table):
    """An uploaded data set (built-in ones are in the catalogue)."""

    __tablename__ = "datasets"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    created_by: Mapped[str]
    name: Mapped[str] = mapped_column(String(200))
    storage_key: Mapped[str]
    content_hash: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]]  # task, rows a split, label names, columns
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]


class RegisteredModel(Table):
    """A folder of the worker's host that was registered by the command line under an id."""

    __tablename__ = "models"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    created_by: Mapped[str]
    folder: Mapped[str]  # never leaves the server
    revision: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]]  # family, layers, parameters, context length
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]


class AddedAdapter(Table):
    """An adapter that somebody added for runs to start from; its files lie in the data folder under its id."""

    __tablename__ = "adapters"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    created_by: Mapped[str]
    content_hash: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)


class IdempotencyKey(Table):
    """What a creating request with this key answered, for 24 hours."""

    __tablename__ = "idempotency_keys"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    response: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
