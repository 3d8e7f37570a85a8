/** Numbers as this page writes them: a real minus sign, fixed decimals, a dash for what is not there. */

export const MISSING = "–";
const MINUS = "−";

/** A number with fixed decimals; non-finite and absent ones become a dash. */
export function decimals(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return value.toFixed(digits).replace("-", MINUS);
}

/** A difference: always with its sign, "±0.000" never happens. */
export function signed(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const text = decimals(Math.abs(value), digits);
  if (Number(value.toFixed(digits)) === 0) return text;
  return (value > 0 ? "+" : MINUS) + text;
}

/** `0.412 ± 0.031`; without a half-width only the mean. */
export function plusMinus(
  mean: number | null | undefined,
  half: number | null | undefined,
  digits = 3,
  withSign = false,
): string {
  const centre = withSign ? signed(mean, digits) : decimals(mean, digits);
  if (centre === MISSING || half === null || half === undefined || !Number.isFinite(half)) return centre;
  return `${centre} ± ${decimals(half, digits)}`;
}

/** A difference of shares in percentage points: `+1.2 ± 0.4 pp`. */
export function percentPoints(mean: number | null | undefined, half: number | null | undefined): string {
  const scaled = (value: number | null | undefined) => (value === null || value === undefined ? value : 100 * value);
  const text = plusMinus(scaled(mean), scaled(half), 1, true);
  return text === MISSING ? text : `${text} pp`;
}

/** A p value: three decimals, never "0.000". */
export function pValue(p: number | null | undefined): string {
  if (p === null || p === undefined || !Number.isFinite(p)) return MISSING;
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** A share as percent. */
export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return MISSING;
  return `${(share * 100).toFixed(digits)} %`;
}

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 22.7M, 1.2K. */
export function compact(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : COMPACT.format(value);
}

/** Bytes in powers of 1000, as disks are sold. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}

/** "1 run", "12 runs". */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? noun : plural}`;
}
