/** An arm's fixed colour and dash as a short line, the same as in the charts. */
import { colourOf, dashOf } from "../figure/colours";

interface Marked {
  colour_key: string;
  variant: number;
}

export function ArmMark({ arm, faded = false }: { arm: Marked; faded?: boolean }) {
  return (
    <svg width="20" height="10" aria-hidden="true" style={{ flex: "none", opacity: faded ? 0.35 : 1 }}>
      <line
        x1="1"
        x2="19"
        y1="5"
        y2="5"
        stroke={colourOf(arm.colour_key)}
        strokeWidth="3.5"
        strokeLinecap="round"
        strokeDasharray={dashOf(arm.variant)}
      />
    </svg>
  );
}
