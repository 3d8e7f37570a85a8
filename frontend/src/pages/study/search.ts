/** The whole view of a study as its address holds it. */
import type { Band, XAxis } from "../../api/types";

export const X_AXES: { value: XAxis; label: string }[] = [
  { value: "step", label: "Steps" },
  { value: "epoch", label: "Epochs" },
  { value: "tokens", label: "Tokens" },
  { value: "seconds", label: "Seconds" },
];

export const BANDS: { value: Band; label: string }[] = [
  { value: "t", label: "95 % t interval" },
  { value: "seeds", label: "Every seed" },
  { value: "minmax", label: "Min–max" },
  { value: "sd", label: "± 1 SD" },
];

export interface StudySearch {
  baseline?: string;
  x?: XAxis;
  band?: Band;
  /** Ids of the arms that are not drawn. */
  hide?: string[];
}

export function studySearch(raw: Record<string, unknown>): StudySearch {
  const x = X_AXES.find((axis) => axis.value === raw.x)?.value;
  const band = BANDS.find((kind) => kind.value === raw.band)?.value;
  const hide = Array.isArray(raw.hide) ? raw.hide.filter((id) => typeof id === "string") : [];
  return {
    ...(typeof raw.baseline === "string" ? { baseline: raw.baseline } : {}),
    ...(x && x !== "step" ? { x } : {}),
    ...(band && band !== "t" ? { band } : {}),
    ...(hide.length > 0 ? { hide } : {}),
  };
}
