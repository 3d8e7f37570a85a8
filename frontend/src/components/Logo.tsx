/** The product's mark: a grid of units, some of them dropped. */
const UNITS = [1, 0, 1, 1, 1, 0, 0, 1, 1];

export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--mantine-primary-color-filled)" />
      {UNITS.map((kept, unit) => (
        <circle
          key={unit}
          cx={9 + 7 * (unit % 3)}
          cy={9 + 7 * Math.floor(unit / 3)}
          r="2.9"
          fill="#fff"
          opacity={kept ? 1 : 0.28}
        />
      ))}
    </svg>
  );
}
