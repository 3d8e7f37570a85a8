"""Which key of a study a person meant: by what other tools call it, then by likeness; and where it belongs."""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cache

from pydantic import BaseModel

from backend.shared.specs import (
    ArmSpec,
    ConsistencySpec,
    GenerationSpec,
    LoraSpec,
    StudySpec,
    TrainingSpec,
)

LONGEST_TYPO = 40  # a longer key is no typo
# A section of a study by the key it stands under, '' for its top level.
SECTIONS: Mapping[str, type[BaseModel]] = {
    "": StudySpec,
    "training": TrainingSpec,
    "lora": LoraSpec,
    "arms": ArmSpec,
    "consistency": ConsistencySpec,
    "generation": GenerationSpec,
}
# What people write who come from transformers, PEFT, TRL, Axolotl, LLaMA-Factory, Keras or a paper.
SYNONYMS: Mapping[str, str] = {
    said: key
    for key, words in {
        "name": "title study_name run_name experiment experiment_name",
        "model": "base_model model_name model_id model_path model_name_or_path pretrained_model backbone llm",
        "dataset": "data datasets dataset_id dataset_name dataset_path data_path data_set train_file train_dataset",
        "task": "task_type problem_type objective task_name",
        "train_rows": "n_train num_train train_size train_samples max_train_samples max_samples samples n_rows",
        "validation_rows": "val_rows valid_rows dev_rows eval_rows val_size validation_size eval_size max_eval_samples "
        "max_val_samples n_val num_val eval_samples validation_samples",
        "test_rows": "n_test test_size test_samples max_test_samples max_predict_samples holdout holdout_rows",
        "seeds": "seed n_seeds num_seeds random_seed random_state repeats repetitions replicates trials",
        "arms": "methods variants configs configurations conditions grid treatments experiments sweep",
        "baseline": "reference control compare_to compare_with base_arm",
        "start_from": "adapter adapter_path adapter_name_or_path resume_from init_from from_adapter "
        "lora_weights lora_model_dir",
        "lora": "peft peft_config lora_config adapter_config",
        "training": "train trainer training_args training_arguments train_config hyperparameters hyperparams hparams "
        "optimizer optim",
        "generation": "generate gen generation_config decoding sampling",
        "rank": "r lora_r lora_rank lora_dim ranks rank_dimension adapter_rank",
        "alpha": "lora_alpha scaling lora_scaling alphas",
        "target_modules": "targets target target_module modules lora_target lora_target_modules lora_modules "
        "lora_target_linear",
        "epochs": "epoch n_epochs nepochs num_epochs num_train_epochs max_epochs train_epochs total_epochs steps "
        "max_steps num_steps total_steps num_train_steps iterations",
        "batch_size": "batch bs bsz batchsize minibatch mini_batch_size micro_batch_size train_batch_size "
        "per_device_train_batch_size per_gpu_train_batch_size per_device_batch_size global_batch_size",
        "learning_rate": "lr lrs lrate base_lr max_lr peak_lr init_lr initial_lr learn_rate step_size eta",
        "weight_decay": "wd decay l2 l2_penalty l2_reg regularization adam_weight_decay",
        "label_smoothing": "smoothing label_smoothing_factor label_smooth smooth ls",
        "warmup_ratio": "warmup warm_up warmup_steps num_warmup_steps warmup_proportion warmup_fraction warmup_share",
        "schedule": "scheduler lr_scheduler lr_scheduler_type lr_schedule learning_rate_schedule decay_schedule",
        "gradient_clip": "clip clipping grad_clip clip_grad clip_norm max_norm max_grad_norm clip_grad_norm "
        "gradient_clipping gradient_clip_val",
        "max_length": "max_len maxlen seq_len seqlen seq_length sequence_len sequence_length max_seq_len "
        "max_seq_length max_sequence_length cutoff_len cutoff block_size context_length model_max_length",
        "evaluations": "evals eval evaluate n_evals num_evals eval_steps eval_every eval_interval eval_frequency "
        "eval_strategy evaluation_strategy evals_per_epoch",
        "keep": "save keep_adapter save_strategy load_best_model_at_end save_best_model keep_best",
        "keep_by": "metric_for_best_model best_metric monitor early_stopping_metric",
        "patience": "early_stopping early_stopping_patience early_stop stop_early",
        "min_delta": "early_stopping_threshold early_stopping_delta early_stopping_min_delta",
        "precision": "fp16 bf16 dtype torch_dtype mixed_precision amp half compute_dtype",
        "method": "type method_name technique preset regularizer",
        "rate": "p prob probability drop drop_rate drop_prob droprate dropout dropout_p dropout_rate dropout_prob "
        "lora_dropout dropout_probability keep_prob rates",
        "sites": "site cells cell positions position places",
        "consistency": "consistency_loss consistency_kind r_drop kl kl_loss",
        "kind": "loss loss_type divergence",
        "weight": "coef coefficient strength kl_weight kl_coef loss_weight lambda beta",
        "native": "native_dropout model_dropout keep_dropout",
        "max_new_tokens": "max_tokens max_new new_tokens max_gen_tokens max_generated_tokens",
        "beams": "beam beam_size num_beams n_beams",
        "no_repeat_ngram": "no_repeat_ngram_size ngram no_repeat",
        "length_penalty": "len_penalty",
    }.items()
    for said in words.split()
}


def hint(place: Sequence[object], key: str) -> str:
    """The end of the sentence about an unknown key at `place` (the keys and numbers that lead to it)."""
    here = section(place)
    near = meant(key, here)
    if not near:
        return "; take it out"
    own = SECTIONS[here].model_fields
    homes = [name for name in dict.fromkeys(home for one in near if one not in own for home in _homes()[one]) if name]
    away = near[0] not in own and homes
    return f"; did you mean {' or '.join(near)}?" + (f" It belongs under {' or '.join(homes)}" if away else "")


def meant(key: str, here: str = "") -> list[str]:
    """At most two keys of a study that are likely meant; those that may stand in the section `here` first."""
    if len(key) > LONGEST_TYPO:
        return []
    for said in _spellings(key):
        if said in _homes():
            return [said]
        if said in SYNONYMS:
            return [SYNONYMS[said]]
    own = SECTIONS[here].model_fields
    found: list[str] = []
    for said in _spellings(key):
        for near in (
            difflib.get_close_matches(said, list(own), n=2, cutoff=0.6),
            difflib.get_close_matches(said, list(_homes()), n=2, cutoff=0.6),
            [SYNONYMS[one] for one in difflib.get_close_matches(said, list(SYNONYMS), n=1, cutoff=0.8)],
        ):
            found += near
            if found:
                return list(dict.fromkeys(found))[:2]
    return []


def section(place: Sequence[object]) -> str:
    """The section of a study that a place is in: the last of its keys that names one, '' at the top."""
    return next((str(part) for part in reversed(place) if part in SECTIONS), "")


def _spellings(key: str) -> list[str]:
    """A key as ours are written: small, with underscores; then what stands behind a dot or a section's name."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key.strip()).lower()
    whole = re.sub(r"[^\w.]+", "_", plain).strip("_.-")
    last = whole.rpartition(".")[2]
    bare = [last.removeprefix(f"{name}_") for name in SECTIONS if name and last.startswith(f"{name}_")]
    return [one for one in dict.fromkeys([whole, last, *bare]) if one]


@cache
def _homes() -> Mapping[str, tuple[str, ...]]:
    """Every key of a study and the sections that it may stand in."""
    found: dict[str, tuple[str, ...]] = {}
    for name, model in SECTIONS.items():
        for key in model.model_fields:
            found[key] = (*found.get(key, ()), name)
    return found
