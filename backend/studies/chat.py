"""How a study reads its conversations, settled and tried before anything is queued: template, loss, what is cut."""

import json
import time
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from backend.shared.catalogue import dataset_folder
from backend.shared.catalogue.gguf_header import read_gguf
from backend.shared.catalogue.models import model_location
from backend.shared.chat import TemplateRefused, Unreadable, by_template, own_template, reader_for, tokenizer_folder
from backend.shared.errors import Problem
from backend.shared.facts import DatasetFacts, ModelFacts
from backend.shared.specs import CHAT, StudySpec

TRIED_ROWS, TRIED_S = 64, 4.0
AT = "/training/template"


def settled(home: Path, study: StudySpec, model: ModelFacts, dataset: DatasetFacts) -> tuple[StudySpec, list[Problem]]:
    """The study with its template and its loss named, where its rows are conversations; and what stands in the way."""
    training = study.training
    if dataset.task != "causal_lm":
        asked = [name for name in CHAT if getattr(training, name) != type(training).model_fields[name].default]
        words = f"a run for {dataset.task} reads no conversations; leave it out"
        return study, [Problem(f"/training/{name}", words) for name in asked]
    if training.template == "model" and not _has_own(home, model):
        words = f"{model.id} has no chat template of its own; take chatml, alpaca or plain"
        return study, [Problem(AT, words)]
    if "messages" not in dataset.columns:
        return study, []
    named = training.template or ("model" if _has_own(home, model) else "chatml")
    update = {"template": named, "loss_on": training.loss_on or "assistant"}
    return study.model_copy(update={"training": training.model_copy(update=update)}), []


def tried(
    home: Path, study: StudySpec, model: ModelFacts, dataset: DatasetFacts
) -> tuple[list[Problem], list[Problem]]:
    """What stands in the way of reading the first training rows so, and what should be known first.

    Nothing where the model's tokenizer is not unpacked yet.
    """
    training = study.training
    if dataset.task != "causal_lm" or not by_template(dataset.columns, training):
        return [], []
    folder = tokenizer_folder(home, model.id, model.revision)
    file = folder / "tokenizer.json"
    if not file.is_file():
        return [], []
    limit = min(training.max_length, model.context_length)
    try:
        reader = reader_for(folder, Tokenizer.from_file(str(file)), dataset.columns, training, limit)
    except TemplateRefused as error:
        return [Problem(AT, f"{model.id}: {_lower(str(error))}")], []
    except Exception:  # the library raises nothing narrower; whether it can be trained with is told elsewhere
        return [], []
    read, cut, end = 0, 0, time.monotonic() + TRIED_S
    refused: list[tuple[int, str]] = []
    nothing: list[int] = []
    with (dataset_folder(home, dataset.id) / "train.jsonl").open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(islice(lines, TRIED_ROWS), start=1):
            if time.monotonic() > end:
                break
            read += 1
            try:
                found = reader.read(json.loads(line))
            except Unreadable as error:
                refused.append((number, str(error)))
                continue
            cut += found.cut
            if not found.learned:
                nothing.append(number)
    first = f"the first {read:,} rows"
    if len(refused) == read:
        return [Problem(AT, f"none of {first} can be read so: {_lower(refused[0][1])}")], []
    if len(refused) + len(nothing) == read:
        words = f"of none of {first} anything is left to learn: they are cut before the answer; raise max_length"
        return [Problem("/training/max_length", words)], []
    warnings = []
    if refused:
        number, why = refused[0]
        words = f"{len(refused):,} of {first} cannot be read so and are left out; row {number}: {_lower(why)}"
        warnings.append(Problem(AT, words.removesuffix(".")))
    if nothing:
        words = f"of {len(nothing):,} of {first} nothing is left to learn, so they are left out; raise max_length"
        warnings.append(Problem("/training/max_length", words))
    if 2 * cut > read:
        words = f"{cut:,} of {first} are longer than {limit:,} tokens and lose some; raise max_length"
        warnings.append(Problem("/training/max_length", words))
    return [], warnings


def _has_own(home: Path, model: ModelFacts) -> bool:
    location = model_location(home, model.id)
    if location.is_file():
        return bool(read_gguf(location).settings.get("tokenizer.chat_template"))
    try:
        return own_template(location) is not None
    except TemplateRefused:
        return True  # it has one that cannot be used, which is told where it is tried


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
