"""Whether rows are read by a template, by which, and what is trained of them: as a study says, or leaves to us."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend.shared.catalogue.models import model_location
from backend.shared.chat.plain import PlainReader
from backend.shared.chat.reading import Reader
from backend.shared.chat.source import chosen
from backend.shared.chat.template import Template
from backend.shared.specs import LossOn, TrainingSpec


def by_template(columns: Sequence[str], training: TrainingSpec) -> bool:
    """Whether rows with these keys are read by a template.

    A prompt with its completion is not, unless a template is named, or something else of it is trained than its
    completion; then it is a conversation of two turns. A text alone never is.
    """
    if "messages" in columns:
        return True
    if "prompt" not in columns:
        return False
    plain = training.template in (None, "plain") and training.truncate == "end"
    return not (plain and training.loss_on != "all")


def loss_of(training: TrainingSpec) -> LossOn:
    """What of a conversation is trained."""
    return training.loss_on or "assistant"


def tokenizer_folder(home: Path, model_id: str, revision: str) -> Path:
    """The folder with a model's tokenizer; of a GGUF file one that it is unpacked to, which may not be there yet."""
    location = model_location(home, model_id)
    if location.is_dir():
        return location
    converted, alone = (home / "cache" / kind / f"{model_id}-{revision}" for kind in ("models", "tokenizers"))
    return converted if converted.is_dir() else alone


def reader_for(folder: Path, tokenizer: Any, columns: Sequence[str], training: TrainingSpec, limit: int) -> Reader:
    """What reads the rows of a study, in preview and in training.

    `tokenizer` is one of the `tokenizers` library; `limit` the tokens that a row may have.

    Raises:
        TemplateRefused: the template that is asked for is not there, or cannot be read.
    """
    template = _template(folder, tokenizer, columns, training)
    return Reader(tokenizer, template, loss_of(training), training.truncate, limit)


def shown_by(
    folder: Path, tokenizer: Any, columns: Sequence[str], training: TrainingSpec, limit: int
) -> Reader | PlainReader:
    """What reads the rows of a study whether they are conversations or not; raises as `reader_for` does."""
    if by_template(columns, training):
        return reader_for(folder, tokenizer, columns, training, limit)
    plain = training.model_copy(update={"template": "plain"})
    return PlainReader(tokenizer, _template(folder, tokenizer, columns, plain), limit)


def _template(folder: Path, tokenizer: Any, columns: Sequence[str], training: TrainingSpec) -> Template:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    name = training.template or (None if "messages" in columns else "plain")
    begins = tokenizer.encode("a").tokens[:1] != tokenizer.encode("a", add_special_tokens=False).tokens[:1]
    return chosen(folder, name, begins)
