import { expect, test } from "vitest";
import type { CellOut, MethodCatalogue } from "../../api/types";
import { asArm, EMPTY, freshSite, movedTo, whyNot, type SiteDraft } from "./composer";

const cell = (position: string, structure: string, rescales: string[], valid = true) =>
  ({ position, structure, rescales, default_rescale: rescales[0] ?? "", valid, reason: "no" }) as CellOut;
const catalogue = {
  cells: [
    cell("attention_logits", "element", ["none"]),
    cell("attention_logits", "column", ["none"]),
    cell("hidden", "element", ["inverted", "none"]),
    cell("hidden", "span", ["none", "inverted", "normalized"]),
    cell("output", "element", ["inverted"]),
    cell("output", "column", [], false),
  ],
} as MethodCatalogue;
const site: SiteDraft = { position: "hidden", structure: "span", rescale: "normalized", rate: 0.2 };

test("moving a site keeps it legal, and its rate", () => {
  expect(movedTo(catalogue, site, "output", "column")).toEqual({
    position: "output",
    structure: "element",
    rescale: "inverted",
    rate: 0.2,
  });
  expect(movedTo(catalogue, site, "hidden", "element").rescale).toBe("inverted");
});

test("a position takes one site", () => {
  expect(freshSite(catalogue, [])?.position).toBe("attention_logits");
  expect(freshSite(catalogue, [{ ...site, position: "attention_logits" }])?.position).toBe("hidden");
  const all = ["attention_logits", "hidden", "output"].map((position) => ({ ...site, position }));
  expect(freshSite(catalogue, all)).toBeUndefined();
});

test("what is composed is an arm of the study", () => {
  expect(whyNot(EMPTY)).toContain("at least one place");
  expect(whyNot({ ...EMPTY, sites: [{ ...site, rate: 1 }] })).toContain("below 1");
  const made = { ...EMPTY, sites: [site], consistency: "kl", weight: 0.2, label: " mine " };
  expect(whyNot(made)).toBeUndefined();
  expect(asArm(made)).toEqual({ sites: [site], consistency: { kind: "kl", weight: 0.2 }, label: "mine" });
  expect(asArm({ ...EMPTY, sites: [site] })).toEqual({ sites: [site] });
});
