/** What can be composed: which structures and rescales a position has, and why the others are not there. */
import type { ArmSpec, CellOut, MethodCatalogue } from "../../api/types";

export interface SiteDraft {
  position: string;
  structure: string;
  rescale: string;
  rate: number;
}

export interface ComposerDraft {
  sites: SiteDraft[];
  consistency: string;
  weight: number;
  label: string;
}

export const EMPTY: ComposerDraft = { sites: [], consistency: "none", weight: 0.5, label: "" };
export const FIRST_RATE = 0.1;

export const RESCALE_TITLES: Record<string, string> = {
  none: "none",
  inverted: "divide by 1 − rate",
  normalized: "divide by the kept sum",
  normalized_grad: "divide by the kept sum, with gradient",
};

export function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function positions(catalogue: MethodCatalogue): string[] {
  return [...new Set(catalogue.cells.map((cell) => cell.position))];
}

/** The cells of a position, one per structure, legal or not. */
export function cellsOf(catalogue: MethodCatalogue, position: string): CellOut[] {
  return catalogue.cells.filter((cell) => cell.position === position);
}

export function cellAt(
  catalogue: MethodCatalogue,
  site: Pick<SiteDraft, "position" | "structure">,
): CellOut | undefined {
  return catalogue.cells.find((cell) => cell.position === site.position && cell.structure === site.structure);
}

/** The site at another place, kept legal: the first legal structure and the cell's own rescale where needed. */
export function movedTo(catalogue: MethodCatalogue, site: SiteDraft, position: string, structure: string): SiteDraft {
  const wanted = cellAt(catalogue, { position, structure });
  const cell = wanted?.valid ? wanted : cellsOf(catalogue, position).find((one) => one.valid);
  if (!cell) return site;
  const rescale = cell.rescales.includes(site.rescale) ? site.rescale : cell.default_rescale;
  return { ...site, position, structure: cell.structure, rescale };
}

/** A new site at the first position that is still free; a position takes one site. */
export function freshSite(catalogue: MethodCatalogue, sites: SiteDraft[]): SiteDraft | undefined {
  const free = positions(catalogue).find((position) => !sites.some((site) => site.position === position));
  const start = { position: "", structure: "", rescale: "", rate: FIRST_RATE };
  return free === undefined ? undefined : movedTo(catalogue, { ...start, position: free }, free, "column");
}

/** Why the composed method cannot be added yet; undefined where it can. */
export function whyNot(draft: ComposerDraft): string | undefined {
  if (draft.sites.length === 0) return "Add at least one place where something is dropped.";
  if (draft.sites.some((site) => !(site.rate >= 0 && site.rate < 1))) return "A rate is at least 0 and below 1.";
  if (!(draft.weight >= 0)) return "A consistency weight is at least 0.";
  return undefined;
}

export function asArm(draft: ComposerDraft): ArmSpec {
  const arm: ArmSpec = { sites: draft.sites.map((site) => ({ ...site })) };
  if (draft.label.trim()) arm.label = draft.label.trim();
  if (draft.consistency !== "none") arm.consistency = { kind: draft.consistency, weight: draft.weight };
  return arm;
}
