/** An arm's fixed colour as a short line, the same as in the charts. */
import { colourOf } from "../figure/colours";

interface Marked {
  colour_key: string;
  tone?: number;
}

export function ArmMark({ arm, faded = false }: { arm: Marked; faded?: boolean }) {
  return (
    <svg width="20" height="10" aria-hidden="true" style={{ flex: "none", opacity: faded ? 0.35 : 1 }}>
      <line
        x1="1"
        x2="19"
        y1="5"
        y2="5"
        stroke={colourOf(arm.colour_key, arm.tone)}
        strokeWidth="3.5"
        strokeLinecap="round"
      />
    </svg>
  );
}
