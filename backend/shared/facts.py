"""What is known about a model or a data set before anything is trained: the catalogue's records, free of paths."""

from pydantic import Field

from backend.shared.specs import AdapterRef, DatasetRef, Frozen, ModelRef, Task

SPLITS = ("train", "validation")


class ModelFacts(Frozen):
    """A model as the catalogue knows it; `revision` changes with any byte of its weights, config or tokenizer."""

    id: str
    title: str
    family: str = Field(description="transformers' model_type: bert, gpt2, llama, ...")
    revision: str
    builtin: bool
    source: str = Field(description="Where it came from, in words; never a path.")
    licence: str
    hub_id: str | None = Field(None, description="Its name on the public model hub, where it has one.")
    layers: int
    hidden_size: int
    heads: int
    vocab_size: int
    context_length: int = Field(description="Longest sequence in tokens.")
    parameters: int
    bytes: int = Field(description="Size of the weight files.")
    linear_modules: tuple[str, ...] = Field(
        description="Module names that an adapter can sit on, as in the checkpoint."
    )
    default_target_modules: tuple[str, ...]
    tasks: tuple[Task, ...]
    warnings: tuple[str, ...] = Field((), description="What a person should know of it, found when it was added.")

    @property
    def ref(self) -> ModelRef:
        """The model pinned to these very bytes."""
        return ModelRef(id=self.id, revision=self.revision)


class DatasetFacts(Frozen):
    """A data set as stored: normalised rows in the splits train and validation."""

    id: str
    title: str
    task: Task
    content_hash: str = Field(description="SHA-256 over the task, the label names and the bytes of both splits.")
    builtin: bool
    source: str = Field(description="Where it came from, in words; never a path.")
    licence: str
    hub_id: str | None = Field(None, description="Its name on the public hub and the configuration, where it has one.")
    metric: str | None = Field(None, description="The score that it is usually reported by, where that is known.")
    columns: tuple[str, ...] = Field(description="Keys of a normalised row.")
    rows: dict[str, int] = Field(description="Rows in each split.")
    label_names: tuple[str, ...] = ()
    label_counts: dict[str, tuple[int, ...]] = Field({}, description="Rows of each label, by split.")
    label_range: tuple[float, ...] | None = Field(
        None, min_length=2, max_length=2, description="Least and greatest label, for regression."
    )
    read: int = Field(description="Rows in the files: kept + refused.")
    kept: int
    refused: int = Field(0, description="Rows that could not be used.")
    repeats: int = Field(0, description="Of the refused rows, those that said again what an earlier row said.")
    duplicates: int = Field(0, description="Of the rows kept, those that say what an earlier row says.")
    leaked: int = Field(0, description="Validation rows whose text (or prompt) is a training row's, too.")
    conflicting: int = Field(0, description="Rows that share their text with a row of another label.")
    warnings: tuple[str, ...] = Field((), description="What a person should know of the rows, the gravest first.")

    @property
    def ref(self) -> DatasetRef:
        """The data set pinned to this very content."""
        return DatasetRef(id=self.id, content_hash=self.content_hash)


class AdapterFacts(Frozen):
    """An adapter in PEFT's format that was added here, for runs to start from."""

    id: str
    title: str
    model: ModelRef = Field(description="The base model that it was trained on.")
    content_hash: str = Field(description="SHA-256 over rank, alpha and the bytes of the weight file.")
    source: str = Field(description="Where it came from, in words; never a path.")
    rank: int
    alpha: float
    target_modules: tuple[str, ...] = Field(description="What a study names to have adapters on the same modules.")
    modules: tuple[str, ...] = Field(description="The modules it has a pair of matrices for, as in the checkpoint.")
    head: dict[str, tuple[int, ...]] = Field({}, description="Shapes of what it holds of a trained head, by name.")
    bytes: int = Field(description="Size of the weight file.")

    @property
    def ref(self) -> AdapterRef:
        """The adapter pinned to this very content."""
        return AdapterRef(id=self.id, content_hash=self.content_hash)


class Absent(Frozen):
    """A built-in model or data set that this machine does not have, and what to install."""

    id: str
    title: str
    message: str
