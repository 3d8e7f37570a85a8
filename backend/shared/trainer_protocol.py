"""The trainer protocol: JSON lines both ways between the supervisor and its trainer process, and the list of metrics.

Every message about a run carries its id and fence, so that a late line of an old attempt can be recognised and dropped.

The supervisor starts `python -m worker.trainer --events-fd N`. Commands come on standard input, one JSON object a line;
events go to file descriptor N likewise, and a line is written whole. Standard output and error are a log for people.
End of input means that the supervisor is gone: exit. SIGINT and SIGTERM are ignored; Drain is the way to stop.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from backend.shared.run_status import FailureCode
from backend.shared.specs import Clock, RunSpec


class Message(BaseModel):
    """Base of all lines; NaN and infinities travel as JSON5-style constants that Python reads back."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=True)


class PackedRun(Message):
    """One run of a pack as handed to the trainer."""

    run_id: str
    fence: int
    spec: RunSpec
    folder: str = Field(description="Folder of this attempt, made by the supervisor; the trainer writes only here.")
    resume_from: str | None = Field(None, description="Folder of the checkpoint to go on from.")


class Start(Message):
    """Train these runs together; a trainer holds one pack at a time."""

    type: Literal["start"] = "start"
    claim_id: str
    home: str
    runs: tuple[PackedRun, ...]
    checkpoint_s: float = 30.0


class Cancel(Message):
    """Stop one run at the next step boundary; the others go on."""

    type: Literal["cancel"] = "cancel"
    run_id: str
    fence: int


class Drain(Message):
    """Checkpoint every run at the next step boundary, say `drained` for each, then exit."""

    type: Literal["drain"] = "drain"


class Stop(Message):
    """Exit; nothing is running."""

    type: Literal["stop"] = "stop"


Command = Annotated[Start | Cancel | Drain | Stop, Field(discriminator="type")]
COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)


class RunMessage(Message):
    """Base of what a trainer says about one run."""

    run_id: str
    fence: int


class Ready(Message):
    """The trainer has imported its libraries and waits for a pack."""

    type: Literal["ready"] = "ready"
    pid: int
    device: str
    torch_version: str


class Started(RunMessage):
    """Training begins (or goes on) at `step`; `hooks` reports sites × layers, `record` the resolved set-up."""

    type: Literal["started"] = "started"
    step: int
    total_steps: int
    trainable_parameters: int
    hooks: tuple[dict[str, object], ...]
    record: dict[str, object] = Field(
        description="Precision, device, mask stream, stack shape, processor, library versions."
    )


class Steps(RunMessage):
    """Losses of consecutive steps `first_step`, `first_step`+1, …, dropout active. The first step is sent at once."""

    type: Literal["steps"] = "steps"
    first_step: int
    losses: tuple[float, ...]
    seconds_per_step: float


class Evaluation(RunMessage):
    """One evaluation after optimizer step `step`; `values` by names of `metrics.recorded`, `extra` by other names."""

    type: Literal["evaluation"] = "evaluation"
    step: int
    epoch: float
    values: dict[str, float]
    extra: dict[str, float] = {}


class Log(RunMessage):
    """A line for the run's log."""

    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"]
    text: str


class Checkpoint(RunMessage):
    """A complete checkpoint of `step` lies in `folder`, synced to disk."""

    type: Literal["checkpoint"] = "checkpoint"
    step: int
    folder: str


class Artifact(RunMessage):
    """Something to keep lies in `folder`, a folder of its own; files with their SHA-256.

    An adapter is in PEFT's format; it is that of a `step` and of one clock of the run, or of both where they are one.
    A ledger holds what the run says of every held-out row at both, as `worker.engine.ledger` describes it.
    """

    type: Literal["artifact"] = "artifact"
    kind: Literal["adapter", "adapter_stopped", "ledger"]
    folder: str
    files: dict[str, str]
    step: int | None = None
    clocks: tuple[Clock, ...] = ()


class Example(Message):
    """One validation example and what the trained run makes of it; texts are cut to some thousand characters."""

    text: str = Field(description="As the model read it: special tokens left out, cut to its largest length.")
    label: str = Field(description="The right class or value; of causal LM the right completion.")
    predicted: str = Field("", description="The run's class or value; of causal LM what it generated, if it did.")
    loss: float | None = Field(None, description="Its loss: mean over its completion tokens for causal LM.")
    references: tuple[str, ...] = Field((), description="Further right answers.")


class Examples(Message):
    """Validation examples with the least and the greatest loss, and generated texts with their prompts."""

    best: tuple[Example, ...] = ()
    worst: tuple[Example, ...] = ()
    generated: tuple[Example, ...] = ()


class Finished(RunMessage):
    """The run is done; `final` holds what is recorded once, such as `validation/loss_fp32`, and FLOPs.

    A run that stopped early ends before its last step, with a `message` that says so.
    """

    type: Literal["finished"] = "finished"
    step: int
    final: dict[str, float]
    examples: Examples = Examples()
    message: str | None = None


class Failed(RunMessage):
    """The run cannot go on; the sentence says what to change."""

    type: Literal["failed"] = "failed"
    code: FailureCode
    message: str


class Cancelled(RunMessage):
    """The run was stopped on request at `step`."""

    type: Literal["cancelled"] = "cancelled"
    step: int


class Drained(RunMessage):
    """The run was checkpointed at `step` because the worker shuts down."""

    type: Literal["drained"] = "drained"
    step: int


class PackDone(Message):
    """Every run of the pack has ended; the trainer waits for the next one."""

    type: Literal["pack_done"] = "pack_done"
    claim_id: str


Event = Annotated[
    Ready
    | Started
    | Steps
    | Evaluation
    | Log
    | Checkpoint
    | Artifact
    | Finished
    | Failed
    | Cancelled
    | Drained
    | PackDone,
    Field(discriminator="type"),
]
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
