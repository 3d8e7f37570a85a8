import { describe, expect, it } from "vitest";
import type { ModelFacts } from "../../api/types";
import { pieceKind, startModel } from "./read";

const KINDS = { special: "special", trained: "trained", cut: "cut" };

describe("what the model reads", () => {
  it("never draws as learned what is cut", () => {
    expect(pieceKind({ special: true, trained: true, cut: false }, KINDS)).toBe("special trained");
    expect(pieceKind({ special: false, trained: true, cut: true }, KINDS)).toBe("cut");
    expect(pieceKind({ special: false, trained: false, cut: false }, KINDS)).toBe("");
  });

  it("begins with a model that is made to be talked to", () => {
    const of = (id: string, title: string) => ({ id, title }) as ModelFacts;
    expect(startModel([of("base", "A base model"), of("talker", "SmolLM2 Instruct")])).toBe("talker");
    expect(startModel([of("base", "A base model")])).toBe("base");
    expect(startModel([])).toBeUndefined();
  });
});
