"""Texts that a trained run generates for validation prompts: greedy or by beam search, through transformers' own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from transformers import GenerationConfig

from backend.shared.rows.chat import two_texts
from backend.shared.rows.row import Row
from worker.data import Dataset, Rows
from worker.engine.pass_state import Adapter
from worker.engine.seed_batches import SeedBatches
from worker.engine.slot import Slot
from worker.engine.target import Target
from worker.engine.text_scores import Answer

BATCH_ROWS = 16


@torch.no_grad()
def answer(slot: Slot, tokenizer: Any, data: SeedBatches, dataset: Dataset) -> list[Answer]:
    """Answers to the first prompts of the validation set, in its order; the run's adapter is on, dropout off."""
    wanted, rows = slot.arm.generation, data.validation_rows
    starts, lines = rows.completion_start, rows.lines
    assert wanted is not None
    assert starts is not None
    assert lines is not None
    count = min(wanted.rows, len(rows))
    prompts = [rows.input_ids[i][: int(starts[i])] for i in range(count)]
    settings = {
        "max_new_tokens": wanted.max_new_tokens,
        "num_beams": wanted.beams,
        "do_sample": False,
        "length_penalty": wanted.length_penalty,
        "no_repeat_ngram_size": wanted.no_repeat_ngram,
        "pad_token_id": tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id if rows.answers is None else _ends(slot, tokenizer, rows),
    }
    texts: dict[int, str] = {}
    order = sorted(range(count), key=lambda i: len(prompts[i]))  # rows of like length together: little padding
    for start in range(0, count, BATCH_ROWS):
        some = order[start : start + BATCH_ROWS]
        texts |= dict(zip(some, _generate(slot, tokenizer, [prompts[i] for i in some], settings), strict=True))
    stored = dataset.rows_at("validation", [int(line) for line in lines[:count]])
    places = [None] * count if rows.answers is None else rows.answers[:count].tolist()
    return [_answer(row, place, texts[i]) for i, (row, place) in enumerate(zip(stored, places, strict=True))]


def _ends(slot: Slot, tokenizer: Any, rows: Rows) -> list[int]:
    """Every token that ends an answer of a conversation.

    They are the tokenizer's end mark, those of the model's generation config, and the special tokens that answers of
    these rows end with: a template may end them with another one.
    """
    model: Any = slot.host.model
    named = getattr(model.generation_config, "eos_token_id", None)
    found = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])}
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    for ids, trained in zip(rows.input_ids, rows.trained or (), strict=True):
        last = int(ids[np.flatnonzero(trained)[-1]])
        found |= {last} & special
    return sorted(token for token in found if token is not None)


def _answer(row: Row, place: int | None, text: str) -> Answer:
    prompt, completion = two_texts(row, place)
    return Answer(prompt, text, tuple(dict.fromkeys(row.get("references") or [completion])))


def _generate(slot: Slot, tokenizer: Any, prompts: list[np.ndarray], settings: dict[str, Any]) -> list[str]:
    """Continuations of a batch of prompts, padded on their left, with transformers' attention in place of ours.

    They end where the model's context does.
    """
    host = slot.host
    model: Any = host.model
    width = max(len(prompt) for prompt in prompts)
    room = max(1, int(getattr(model.config, "max_position_embeddings", 1 << 30)) - width)
    config = GenerationConfig(**{**settings, "max_new_tokens": min(settings["max_new_tokens"], room)})
    ids = torch.full((len(prompts), width), settings["pad_token_id"], dtype=torch.long)
    seen = torch.zeros_like(ids)
    for at, prompt in enumerate(prompts):
        ids[at, width - len(prompt) :] = torch.from_numpy(prompt.astype(np.int64))
        seen[at, width - len(prompt) :] = 1
    with _stock(slot):
        found = model.generate(
            input_ids=ids.to(host.device), attention_mask=seen.to(host.device), generation_config=config
        )
    return [str(text).strip() for text in tokenizer.batch_decode(found[:, width:].tolist(), skip_special_tokens=True)]


@contextmanager
def _stock(slot: Slot) -> Iterator[None]:
    """The base with the run's adapter and stock attention, which has the cache that generation lives by."""
    model: Any = slot.host.model
    ours = model.config._attn_implementation
    model.set_attn_implementation("sdpa")
    for target, adapter in zip(slot.host.targets, slot.adapters, strict=True):
        target.module.forward = partial(_adapted, target, adapter)
    try:
        yield
    finally:
        for target in slot.host.targets:
            target.module.forward = target.forward
        model.set_attn_implementation(ours)


def _adapted(target: Target, adapter: Adapter, x: torch.Tensor) -> torch.Tensor:
    down, up = (side.to(x.device, x.dtype) for side in (adapter.down, adapter.up))
    return F.linear(x, target.weight, target.bias) + F.linear(F.linear(x, down), up) * adapter.scaling
