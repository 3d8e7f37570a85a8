import { expect, test } from "vitest";
import type { ArmOut, StudyDetail } from "../../../api/types";
import { peftCode } from "./peftCode";

const training = {
  epochs: 6,
  batch_size: 8,
  learning_rate: 0.002,
  weight_decay: 0.1,
  warmup_ratio: 0.06,
  gradient_clip: 1,
  max_length: 48,
  evaluations: 5,
  patience: null,
};
const arm = (method: object) =>
  ({
    label: "HiddenKey 0.1",
    spec: { rank: 8, alpha: 16, target_modules: ["query", "value"], task: "classification", method, training },
  }) as unknown as ArmOut;
const study = { name: "a\nname", model: "m" } as StudyDetail;
const dropped = { sites: [{ position: "hidden", rate: 0.1 }], consistency: { kind: "kl", weight: 0.5 }, native: false };
const plain = { sites: [], consistency: { kind: "none" }, native: false };

test("a method is injected into the adapter's model, and its trainer runs both passes", () => {
  const code = peftCode(study, arm(dropped), "hub/model", { stopped: true, steps: 96 });
  expect(code).toContain('LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, target_modules=["query", "value"])');
  expect(code).toContain('"native": False');
  expect(code).toContain("trainer = ConsistencyTrainer(");
  expect(code).toContain("EarlyStoppingCallback(early_stopping_patience=1)");
  expect(code).toContain("eval_steps=1 / 5,");
  expect(code).toContain('# HiddenKey 0.1: an arm of the study "a name".');
});

test("plain LoRA needs nothing but PEFT, without the base model's own dropout", () => {
  const code = peftCode(study, arm(plain), "hub/model", { stopped: false, steps: null });
  expect(code).not.toContain("transformer_dropout");
  expect(code).toContain("module.p = 0.0");
  expect(code).not.toContain("EarlyStopping");
});
