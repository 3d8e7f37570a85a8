/** An arm as code for plain PEFT: the adapter, the dropout in it, and when to stop. */
import type { ArmOut, StudyDetail } from "../../../api/types";
import { literal } from "../../compose/code";

interface Stop {
  /** Take the best evaluation, and end after one without improvement. */
  stopped: boolean;
  /** Optimizer steps of a whole run, where they are known. */
  steps: number | null;
}

const HEADS = {
  classification: { auto: "AutoModelForSequenceClassification", kind: "SEQ_CLS", label: "0" },
  regression: { auto: "AutoModelForSequenceClassification", kind: "SEQ_CLS", label: "0.5" },
  causal_lm: { auto: "AutoModelForCausalLM", kind: "CAUSAL_LM", label: "" },
} as const;

export function peftCode(study: StudyDetail, arm: ArmOut, base: string, { stopped, steps }: Stop): string {
  const { spec } = arm;
  const { training, task } = spec;
  const { auto, kind, label } = HEADS[task];
  const dropout = spec.method;
  const drops = (dropout.sites as unknown[] | undefined)?.length || dropout.native || tied(dropout);
  const rows =
    task === "causal_lm"
      ? `rows = ["a text of your own", "another one"]\ndata = [dict(tokenizer(text, truncation=True, max_length=${training.max_length})) for text in rows]`
      : `rows = [("a text of your own", ${label}), ("another one", ${task === "regression" ? "0.1" : "1"})]\ndata = [{**tokenizer(text, truncation=True, max_length=${training.max_length}), "labels": label} for text, label in rows]`;
  const transformers = [auto, "AutoTokenizer", "TrainingArguments"];
  transformers.push(task === "causal_lm" ? "DataCollatorForLanguageModeling" : "DataCollatorWithPadding");
  if (stopped) transformers.push("EarlyStoppingCallback");
  if (!drops) transformers.push("Trainer");
  const trainer = drops ? "ConsistencyTrainer" : "Trainer";
  const outputs = task === "regression" ? ", num_labels=1" : task === "classification" ? ", num_labels=2" : "";
  return [
    `# ${line(arm.label)}: an arm of the study "${line(study.name)}".`,
    `# pip install torch transformers peft accelerate${drops ? '; and transformer_dropout: pip install "./worker/lib[hf]" in a checkout of Dropscope' : ""}`,
    "from peft import LoraConfig, get_peft_model",
    `from transformers import (\n${transformers
      .sort()
      .map((name) => `    ${name},\n`)
      .join("")})`,
    ...(drops
      ? [
          "from transformer_dropout import DropoutSpec",
          "from transformer_dropout.hf import ConsistencyTrainer, inject_dropout",
        ]
      : []),
    "",
    `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(base)})`,
    ...(task === "causal_lm" ? ["tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token"] : []),
    `base = ${auto}.from_pretrained(${JSON.stringify(base)}${outputs})${task === "classification" ? "  # as many as you have classes" : ""}`,
    `config = LoraConfig(task_type="${kind}", r=${spec.rank}, lora_alpha=${spec.alpha}, target_modules=${literal(spec.target_modules)})`,
    "model = get_peft_model(base, config)",
    ...(drops ? [`inject_dropout(model, DropoutSpec.from_dict(${literal(dropout)}))`] : switchedOff()),
    "",
    "# your rows; held-out ones of their own tell when to stop",
    rows,
    "train, held_out = data, data",
    "",
    "arguments = TrainingArguments(",
    '    output_dir="trained",',
    `    num_train_epochs=${training.epochs},`,
    `    per_device_train_batch_size=${training.batch_size},`,
    `    learning_rate=${training.learning_rate},`,
    `    weight_decay=${training.weight_decay},`,
    ...(steps ? [`    warmup_steps=${Math.round(training.warmup_ratio * steps)},  # of ${steps} steps here`] : []),
    `    max_grad_norm=${training.gradient_clip},`,
    '    eval_strategy="steps",',
    `    eval_steps=1 / ${training.evaluations},`,
    ...(stopped
      ? [
          '    save_strategy="steps",',
          `    save_steps=1 / ${training.evaluations},`,
          "    load_best_model_at_end=True,  # the adapter of the best evaluation, not of the last step",
          '    metric_for_best_model="eval_loss",',
        ]
      : []),
    '    report_to="none",',
    ")",
    `trainer = ${trainer}(`,
    "    model=model,",
    "    args=arguments,",
    "    train_dataset=train,",
    "    eval_dataset=held_out,",
    task === "causal_lm"
      ? "    data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),"
      : "    data_collator=DataCollatorWithPadding(tokenizer),",
    ...(stopped ? [`    callbacks=[EarlyStoppingCallback(early_stopping_patience=${training.patience ?? 1})],`] : []),
    ")",
    "trainer.train()",
    'model.save_pretrained("adapter")',
    "",
  ].join("\n");
}

const line = (text: string) => text.split(/\s+/).join(" ");

function tied(dropout: Record<string, unknown>): boolean {
  const consistency = dropout.consistency as { kind?: string } | null | undefined;
  return !!consistency && consistency.kind !== "none";
}

/** Plain LoRA trains without the base model's own dropout, which transformers leaves on. */
function switchedOff(): string[] {
  return [
    "for module in base.modules():  # no dropout: BERT-like models have their own at 0.1",
    '    if type(module).__name__ == "Dropout":',
    "        module.p = 0.0",
  ];
}
