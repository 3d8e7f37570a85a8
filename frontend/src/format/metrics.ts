/** How the values of a quantity are written; what the page knows of quantities, the comparison tells it. */
import type { Quantity } from "../api/types";
import { decimals, percent } from "./numbers";

/** A mean as people read it: a share in per cent, points of 100 with one decimal, all else with three. */
export function scoreText({ shown }: Pick<Quantity, "shown">, mean: number | null | undefined): string {
  return shown === "share" ? percent(mean) : decimals(mean, shown === "points" ? 1 : 3);
}

/** The validation scores of a study: what it tells of validation rows beside the loss. */
export const scoresOf = (metrics: Quantity[]) =>
  metrics.filter(({ name }) => name.startsWith("validation/") && name !== "validation/loss");
