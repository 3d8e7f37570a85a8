"""The yardstick for a decoder, which peer_hf_peft.py does not know: sequential runs of transformers.Trainer and PEFT.

    python -m tests.bench.gpu_peer --shape llama-1.1b --runs 3 [--tiny]

The rows of `gpu_side`, loss on the completion, dynamic padding, base in bf16 on a GPU, LoRA with dropout .1, the same
steps and evaluations. Prints one JSON line like the other yardstick's.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model

from tests.bench import gpu_side as ours


def items(rows: Any) -> list[dict[str, list[int]]]:
    """Rows as Trainer takes them."""
    return [
        {"input_ids": ids.tolist(), "labels": [-100] * int(start) + ids.tolist()[int(start) :]}
        for ids, start in zip(rows.input_ids, rows.completion_start, strict=True)
    ]


def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """Pad to the longest row."""
    longest = max(len(row["input_ids"]) for row in rows)

    def filled(name: str, filler: int) -> torch.Tensor:
        return torch.tensor([row[name] + [filler] * (longest - len(row[name])) for row in rows])

    mask = torch.tensor([[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows])
    return {"input_ids": filled("input_ids", 0), "labels": filled("labels", -100), "attention_mask": mask}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="llama-1.1b", choices=[n for n, f in ours.SHAPES.items() if f.decoder])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    cuda = torch.cuda.is_available() and not options.tiny
    device = torch.device("cuda" if cuda else "cpu")
    form = (ours.TINY if options.tiny else ours.SHAPES)[options.shape]
    count, lengths = (ours.TINY_ROWS, ours.TINY_LENGTHS) if options.tiny else (ours.ROWS, ours.LENGTHS)
    rng = random.Random(0)
    train, held = (items(ours.made_rows(rng, count, lengths, form)) for _ in range(2))
    steps = -(-count // ours.BATCH) * ours.EPOCHS
    load_s = train_s = 0.0
    begun = time.perf_counter()
    for seed in range(options.runs):
        mark = time.perf_counter()
        transformers.set_seed(seed)
        base = ours.build(form, device, torch.bfloat16 if cuda else torch.float32)
        adapter = LoraConfig(
            task_type="CAUSAL_LM", r=8, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"]
        )
        model = get_peft_model(base, adapter)
        load_s += time.perf_counter() - mark
        mark = time.perf_counter()
        every = max(1, steps // ours.EVALUATIONS)
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=tempfile.mkdtemp(),
                per_device_train_batch_size=ours.BATCH,
                per_device_eval_batch_size=ours.BATCH,
                num_train_epochs=ours.EPOCHS,
                learning_rate=5e-4,
                weight_decay=0.1,
                eval_strategy="steps",
                eval_steps=every,
                logging_steps=every,
                save_strategy="no",
                report_to=[],
                bf16=cuda,
                use_cpu=not cuda,
                disable_tqdm=True,
                remove_unused_columns=False,
                prediction_loss_only=True,
                seed=seed,
            ),
            train_dataset=train,
            eval_dataset={"train": train, "validation": held},
            data_collator=collate,
        )
        trainer.train()
        train_s += time.perf_counter() - mark
    report = {"runs": options.runs, "load_s": load_s, "train_s": train_s, "wall_s": time.perf_counter() - begun}
    print(json.dumps({**report, "steps_per_run": steps}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
